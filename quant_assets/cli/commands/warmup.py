"""`quant-assets warmup`: compile the library's kernels once."""

import click


@click.command("warmup")
def command() -> None:
    """Compile all numba kernels now (a minute, once), instead of in the first run that needs them.

    \b
    Examples:
      quant-assets warmup
    """
    from rich.progress import Progress

    from quant_assets.operations.warmup import modules_to_warm, warm_up

    compiled, seconds = 0, 0.0
    with Progress(transient=True) as progress:
        task = progress.add_task("kernels", total=len(modules_to_warm()))
        for done in warm_up():
            compiled, seconds = compiled + done.compiled, seconds + done.seconds
            progress.update(task, advance=1, description=done.module.rpartition(".")[2])
    click.echo(f"{compiled} kernels compiled in {seconds:.1f} s; the rest was ready")
