"""`quant-assets status`: per pillar, what is there and what is not."""

import json

import click
from rich.console import Console
from rich.table import Table


@click.command("status")
@click.option("--venue", "venues", multiple=True, help="Venue name; may be repeated. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(venues: tuple[str, ...], as_json: bool) -> None:
    """Show per pillar the cells that are materialised, stale, missing or failed, with the first cause.

    Only windows up to the newest materialised one count as missing.

    \b
    Examples:
      quant-assets status
      quant-assets status --venue sp500_demo --json
    """
    from quant_assets.orchestration.status import venue_status
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    rows = [row for v in (venues or tuple(workspace.venues)) for row in venue_status(workspace, v)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    table = Table("venue", "pillar", "windows", "materialised", "stale", "missing", "failed", "first cause and what to run")
    for row in rows:
        table.add_row(
            row["venue"], row["pillar"], row["windows"],
            *(str(row[name]) for name in ("materialised", "stale", "missing", "failed")),
            row["cause"],
        )
    Console().print(table)
