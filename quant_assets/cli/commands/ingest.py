"""`quant-assets ingest`: take in dropped files, named files, or what a source publishes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quant_assets.cli.console import make_console

if TYPE_CHECKING:
    from quant_assets.orchestration.workspace import Workspace


@click.command("ingest")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--venue", help="Venue name; default: every venue that files are delivered to.")
@click.option("--retry", is_flag=True, help="Try refused files again, as after an update.")
@click.option(
    "--pull", is_flag=True, help="Ask the venue's source for the ranges that are missing."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    files: tuple[Path, ...], venue: str | None, retry: bool, pull: bool, as_json: bool
) -> None:
    """Check every row, store what is new, archive the file, and say what became of it.

    Files are dropped into <data root>/landing/<venue>/, or named here (they stay where they are).
    Nothing is computed yet: `quant-assets backfill` does that for the windows that changed.

    \b
    Examples:
      quant-assets ingest
      quant-assets ingest --venue us_equities_yahoo
      quant-assets ingest --venue us_equities_yahoo AAPL.csv MSFT.csv
      quant-assets ingest --retry
      quant-assets ingest --pull --venue binance_usdm

    Exit code 3 when a file was refused or a pull failed; the others are taken in all the same.
    """
    from quant_assets.cli.alerting import tell_taken_in
    from quant_assets.cli.deliveries import facts, show, show_folders, stored_venues
    from quant_assets.core.errors import ConfigError
    from quant_assets.operations.intake.landing import Outcome, take_in, take_in_all
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    venues = stored_venues(workspace, venue)
    if pull:
        if files or retry:
            raise ConfigError("--pull asks the source: leave files and --retry out")
        raise SystemExit(_pull(workspace, venue, as_json))
    if files and venue is None:
        raise ConfigError(f"say which venue the files are for: --venue, one of {venues}")
    console = make_console(stderr=as_json)
    outcomes: list[tuple[str, Outcome]] = []
    with console.status("reading") as status:
        for name in venues:
            store, model = workspace.sources(name), workspace.venue(name)

            def reading(path: Path, name: str = name) -> None:
                status.update(f"{name}: {path.name}")

            if files:
                found = [take_in(store, model, path, keep=True) for path in files]
            else:
                found = take_in_all(store, model, rest_seconds=0.0, retry=retry, progress=reading)
            tell_taken_in(workspace, name, found)
            outcomes += [(name, outcome) for outcome in found]
    if as_json:
        click.echo(json.dumps([facts(name, outcome) for name, outcome in outcomes], indent=1))
    elif outcomes:
        show(console, outcomes)
    else:
        show_folders(console, workspace, venues)
    raise SystemExit(3 if any(outcome.refusal for _, outcome in outcomes) else 0)


def _pull(workspace: "Workspace", venue: str | None, as_json: bool) -> int:
    """Pull the venue, or all that can be; exit code 3 when something failed."""
    from quant_assets.cli.alerting import pulling, tell_pulled
    from quant_assets.cli.deliveries import live_venues, pulled_facts, show_pulled
    from quant_assets.core.clock import utc_now
    from quant_assets.operations.intake.pulls import pull_venue

    console = make_console(stderr=as_json)
    found = []
    for name in live_venues(workspace, venue):
        with console.status(f"pulling {name}"), pulling(workspace, name):
            pulled = pull_venue(
                workspace.sources(name),
                workspace.venue(name),
                workspace.provider(name),
                utc_now(),
            )
        tell_pulled(workspace, name, pulled)
        found.append((name, pulled))
    if as_json:
        click.echo(json.dumps([pulled_facts(*each) for each in found], indent=1))
    else:
        show_pulled(console, found)
    return 3 if any(pulled.failures for _, pulled in found) else 0
