"""`quant-assets venues`: which venues there are."""

import json

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
    rows = [
        {
            "venue": venue.name,
            "title": venue.title,
            "provider": venue.provider.name,
            "bar": venue.model_dump(mode="json")["market"]["bar_length"],
            "first_data": workspace.span(venue.name).first_data,
            "first_decision": workspace.span(venue.name).first_decision,
            "last_data": workspace.span(venue.name).last_data,
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
            row["first_data"],
            row["first_decision"],
            row["last_data"] or "live",
            "\n".join(row["stamps"]),
        )
    make_console().print(table)
