"""`quant-assets warmup`: compile the library's kernels once."""

import click


@click.command("warmup")
def command() -> None:
    """Compile all numba kernels now (a minute, once), instead of in the first run that needs them.

    \b
    Examples:
      quant-assets warmup
    """
    import time

    from rich.progress import Progress

    from quant_assets.operations.warmup import modules_to_warm, warm_up

    compiled, began = 0, time.perf_counter()
    with Progress(transient=True) as progress:
        task = progress.add_task("kernels", total=len(modules_to_warm()))
        for done in warm_up():
            compiled += done.compiled
            progress.update(task, advance=1, description=done.module.rpartition(".")[2])
    seconds = time.perf_counter() - began
    click.echo(f"{compiled} kernels compiled in {seconds:.1f} s; the rest was ready")
