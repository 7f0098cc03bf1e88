"""`quant-assets report`: where the tear sheet is, and the leaderboard again."""

import click

from quant_assets.cli.console import make_console


@click.command("report")
@click.option("--venue", default="sp500_demo", show_default=True, help="Venue name.")
@click.option("--open", "show", is_flag=True, help="Open the tear sheet in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Leaderboard and path as JSON.")
def command(venue: str, show: bool, as_json: bool) -> None:
    """Print the stored leaderboard and the place of the tear sheet.

    \b
    Examples:
      quant-assets report
      quant-assets report --open
      quant-assets report --venue simulated_perps --json
    """
    from quant_assets.cli.runs import report_run, tear_sheet_path
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    report_run(workspace, venue, console=make_console(stderr=as_json), as_json=as_json)
    if show:
        click.launch(tear_sheet_path(workspace, venue).as_uri())
