"""`quant-assets status`: per pillar, what is there and what is not."""

import json

import click
from rich.table import Table

from quant_assets.cli.console import make_console


@click.command("status")
@click.option("--venue", "venues", multiple=True, help="Venue name; may be repeated. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(venues: tuple[str, ...], as_json: bool) -> None:
    """Show per pillar what is materialised, stale, missing or failed, and the first cause.

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
    console = make_console()
    numbers = ("materialised", "stale", "missing", "failed")
    table = Table("venue", "pillar", "windows", *numbers)
    for row in rows:
        counts = (str(row[name]) for name in numbers)
        table.add_row(row["venue"], row["pillar"], row["windows"], *counts)
    console.print(table)
    for venue in dict.fromkeys(row["venue"] for row in rows):
        first = next((row for row in rows if row["venue"] == venue and row["cause"]), None)
        if first is not None:
            console.print(f"{venue}: {first['cause']}", highlight=False, soft_wrap=True)
            console.print(f"  → {first['command']}", highlight=False, soft_wrap=True)
