"""`quant-assets venues`: which venues there are."""

import json
from typing import Any

import click
from rich.table import Table

from quant_assets.cli.console import make_console


@click.command("venues")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(as_json: bool) -> None:
    """List the packaged venues and those in the folder that `venues_folder` names.

    \b
    Examples:
      quant-assets venues
      QUANT_ASSETS_VENUES_FOLDER=my_venues quant-assets venues --json
    """
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    spans = {name: workspace.span(name) for name in workspace.venues}
    rows = [
        {
            "venue": venue.name,
            "title": venue.title,
            "provider": venue.provider.name,
            "bar": venue.model_dump(mode="json")["market"]["bar_length"],
            "has_data": spans[venue.name].has_data,
            "first_data": spans[venue.name].first_data,
            "first_decision": spans[venue.name].first_decision,
            "last_data": spans[venue.name].last_data if spans[venue.name].has_data else None,
            "stamps": venue.stamps(),
        }
        for venue in workspace.venues.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    table = Table(
        *("venue", "provider", "bar", "first data", "first decision", "last data", "stamps")
    )
    for row in rows:
        table.add_row(
            row["venue"],
            row["provider"],
            row["bar"],
            *_windows(row),
            "\n".join(row["stamps"]),
        )
    make_console().print(table)


def _windows(row: dict[str, Any]) -> tuple[str, str, str]:
    """First data, first decision and last data of a venue, as its row shows them."""
    if not row["has_data"]:
        return "no data yet", "–", "–"
    return row["first_data"], row["first_decision"], row["last_data"] or "live"
