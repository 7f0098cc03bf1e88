"""`quant-assets ui`: the Dagster UI on this data root."""

import os
import sys
from pathlib import Path

import click


@click.command("ui")
@click.option("--port", type=click.IntRange(1024, 65535), default=3000, show_default=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Dagster has no authentication: keep it local.",
)
def command(port: int, host: str) -> None:
    """Start the Dagster webserver and daemon on the data of this root; Ctrl-C stops all of it.

    So does SIGTERM, and a terminal that is closed.

    \b
    Examples:
      quant-assets ui
      quant-assets ui --port 3333
    """
    from quant_assets.cli.services import run_service
    from quant_assets.orchestration.instance import open_instance
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    with open_instance(workspace):
        pass  # the databases are made here, once, before two processes start that would both do it
    os.environ["QUANT_ASSETS_DATA_ROOT"] = str(workspace.store.layout.root)
    click.echo(f"data root {workspace.store.layout.root}")
    click.echo(f"Dagster UI: http://{host}:{port}   (Ctrl-C stops it)")
    dagster = Path(sys.executable).parent / "dagster"
    arguments = [str(dagster), "dev", "-h", host, "-p", str(port), "-m", "quant_assets.definitions"]
    sys.exit(0 if run_service(arguments) == 0 else 1)
