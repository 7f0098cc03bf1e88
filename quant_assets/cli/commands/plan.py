"""`quant-assets plan`: what a backfill would compute, and why."""

import json
from collections import Counter

import click
from rich.table import Table

from quant_assets.cli.console import make_console
from quant_assets.cli.options import split_windows, venue_option, windows_option


@click.command("plan")
@venue_option
@windows_option
@click.option("--json", "as_json", is_flag=True, help="Every cell that is not fresh, as JSON.")
def command(venue: str, windows: str | None, as_json: bool) -> None:
    """Print the execution graph with the cells that are missing or stale; nothing is computed.

    \b
    Examples:
      quant-assets plan --venue sp500_demo
      quant-assets plan --venue sp500_demo --windows 1995-01-01...1995-06-01 --json
    """
    from quant_assets.cli.runs import say_no_data
    from quant_assets.orchestration.plan import make_plan
    from quant_assets.orchestration.workspace import current_workspace

    first, last = split_windows(windows)
    workspace = current_workspace()
    plan = make_plan(workspace, venue, first=first, last=last)
    if as_json:
        rows = [
            {"asset": c.spec.main, "window": c.window, "state": c.state, "cause": c.cause}
            for c in plan.pending
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    if not workspace.span(venue).has_data:
        say_no_data(make_console(), venue)
        return
    table = Table("asset", "group", "kind", "reads", "fresh", "stale", "missing", "first cause")
    for spec in dict.fromkeys(cell.spec.main for cell in plan.cells):
        cells = [cell for cell in plan.cells if cell.spec.main == spec]
        states = Counter(cell.state for cell in cells)
        own = cells[0].spec
        cause = next((cell.cause for cell in cells if cell.state != "fresh"), "")
        table.add_row(
            ", ".join(own.outs),
            own.group,
            own.kind,
            ", ".join(own.reads),
            *(str(states[name]) for name in ("fresh", "stale", "missing")),
            cause,
        )
    make_console().print(table)
