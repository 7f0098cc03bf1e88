"""`quant-assets backfill`: bring cells up to date, venues side by side."""

import click

from quant_assets.cli.console import make_console
from quant_assets.cli.options import split_windows, windows_option


@click.command("backfill")
@click.option("--venue", "venues", multiple=True, help="Venue name; may be repeated. Default: all.")
@windows_option
@click.option("--assets", help="Comma-separated assets; default: all.")
@click.option(
    "--missing/--force",
    default=True,
    help="Only what is missing or stale (default), or everything.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="Venues at a time; default: the setting."
)
def command(
    venues: tuple[str, ...],
    windows: str | None,
    assets: str | None,
    missing: bool,
    workers: int | None,
) -> None:
    """Compute what is missing or stale, window by window; a killed backfill resumes.

    \b
    Examples:
      quant-assets backfill
      quant-assets backfill --venue sp500_demo --windows 1995-01-01...1996-12-01
      quant-assets backfill --venue sp500_demo --assets bars,returns_matrix
      quant-assets backfill --venue sp500_demo --windows 1995-01-01...1995-01-01 --force
      quant-assets backfill --workers 2
    """
    from quant_assets.cli.runs import RunOptions, run_side_by_side, run_venue, update_league
    from quant_assets.orchestration.graph import spec_of
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    first, last = split_windows(windows)
    names = tuple(name.strip() for name in assets.split(",")) if assets else None
    for name in names or ():
        spec_of(name)
    chosen = [workspace.venue(name).name for name in venues] or list(workspace.venues)
    options = RunOptions(assets=names, force=not missing)
    console = make_console()
    count = workers or workspace.settings.workers
    if len(chosen) == 1 or count == 1:
        for venue in chosen:
            run_venue(workspace, venue, first=first, last=last, console=console, options=options)
    else:
        run_side_by_side(chosen, windows=windows, options=options, workers=count, console=console)
    update_league(workspace)
