"""`quant-assets demo`: the main job on real prices."""

import click

from quant_assets.cli.console import make_console

VENUE = "sp500_demo"


@click.command("demo")
@click.option("--windows", type=click.IntRange(min=1), help="Decision windows to run (months).")
@click.option(
    "--years", type=click.IntRange(min=1), default=10, show_default=True, help="Years of data."
)
@click.option("--all", "everything", is_flag=True, help="All 33 years of data.")
@click.option("--json", "as_json", is_flag=True, help="Print the leaderboard as JSON.")
def command(windows: int | None, years: int, everything: bool, as_json: bool) -> None:
    """Run the six pillars over the bundled S&P 500 prices and print the leaderboard.

    \b
    Examples:
      quant-assets demo               ten years
      quant-assets demo --windows 3   three decision windows, for a first look
      quant-assets demo --all         1990-2022

    Finished cells are kept: a second run computes only what changed, an interrupted one goes on.
    """
    from quant_assets.cli.runs import demo_windows, report_run, run_venue, update_league
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    console = make_console(stderr=as_json)
    last = demo_windows(workspace, VENUE, windows=windows, years=None if everything else years)
    run_venue(workspace, VENUE, last=last, console=console)
    update_league(workspace)
    report_run(workspace, VENUE, console=console, as_json=as_json)
