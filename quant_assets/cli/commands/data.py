"""`quant-assets data`: what a venue's deliveries lack, and what one of them changed."""

import json
from itertools import islice
from typing import TYPE_CHECKING

import click
from rich.table import Table

from quant_assets.cli.console import make_console

if TYPE_CHECKING:
    from quant_assets.operations.intake.pulls import Lost
    from quant_assets.orchestration.workspace import Workspace

SHOWN_HOLES = 3


@click.group("data")
def command() -> None:
    """Look into what was delivered to a venue.

    \b
    Examples:
      quant-assets data doctor --venue binance_usdm
      quant-assets data diff --venue binance_usdm 12
    """


@command.command("doctor")
@click.option("--venue", help="Venue name; default: every venue that takes deliveries.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def doctor(venue: str | None, as_json: bool) -> None:
    """What is stored, what is missing inside it, which range to fetch, which files were refused.

    What a source no longer tells (Binance keeps a month of open interest) is named, too.

    \b
    Examples:
      quant-assets data doctor
      quant-assets data doctor --venue us_equities_yahoo --json

    Exit code 1 when bars are missing or files were refused.
    """
    from quant_assets.cli.deliveries import stored_venues
    from quant_assets.operations.intake.inspection import coverage
    from quant_assets.operations.intake.landing import refusals
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    report = {}
    for name in stored_venues(workspace, venue):
        store = workspace.sources(name)
        report[name] = {
            "deliveries": store.version(),
            "coverage": coverage(store, workspace.venue(name)),
            "not_obtainable": _lost(workspace, name),
            "refused": refusals(store),
        }
    if as_json:
        click.echo(json.dumps(report, indent=1, default=_plain))
    else:
        for name, facts in report.items():
            _show(name, facts)
    found = any(f["refused"] or any(c.missing for c in f["coverage"]) for f in report.values())
    raise SystemExit(1 if found else 0)


def _lost(workspace: "Workspace", venue: str) -> list["Lost"]:
    """What the venue's source no longer tells; nothing for a venue of files."""
    from quant_assets.adapters.pulling.base import Puller
    from quant_assets.core.clock import utc_now
    from quant_assets.operations.intake.pulls import lost_ranges

    provider = workspace.provider(venue)
    if not isinstance(provider, Puller):
        return []
    return lost_ranges(workspace.sources(venue), workspace.venue(venue), provider, utc_now())


def _plain(value) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else vars(value)


def _show(venue: str, facts) -> None:
    console = make_console()
    if not facts["coverage"]:
        console.print(f"{venue}: nothing was delivered yet; see `quant-assets ingest --help`")
    else:
        table = Table("dataset", "symbol", "first", "last", title=f"{venue}, stored")
        table.add_column("rows", justify="right")
        table.add_column("missing", justify="right")
        table.add_column("fetch these ranges (UTC, end excluded)")
        for row in facts["coverage"]:
            ranges = [
                f"{hole.start:%Y-%m-%d %H:%M} to {hole.end:%Y-%m-%d %H:%M}"
                for hole in sorted(row.holes, key=lambda hole: -hole.bars)[:SHOWN_HOLES]
            ]
            if len(row.holes) > SHOWN_HOLES:
                ranges.append(f"and {len(row.holes) - SHOWN_HOLES} shorter ones")
            table.add_row(
                *(row.dataset, row.symbol, f"{row.first:%Y-%m-%d %H:%M}"),
                *(f"{row.last:%Y-%m-%d %H:%M}", f"{row.rows:,}", f"{row.missing:,}"),
                "\n".join(ranges),
            )
        console.print(table)
    for line in sorted({_told(lost) for lost in facts["not_obtainable"]}):
        console.print(f"{venue}: {line}", markup=False, soft_wrap=True, highlight=False)
    for note in facts["refused"]:
        console.print(f"{venue} refused {note['reason']}", markup=False)


def _told(lost: "Lost") -> str:
    """Equal for all symbols that lack the same range."""
    from quant_assets.core.venues import format_duration

    return (
        f"{lost.dataset} from {lost.start:%Y-%m-%d %H:%M} to {lost.end:%Y-%m-%d %H:%M} is not "
        f"obtainable: the source keeps {format_duration(lost.kept)}; older rows come from files"
    )


@command.command("diff")
@click.argument("sequence", type=click.IntRange(min=1))
@click.option("--venue", required=True, help="Venue name.")
@click.option("--rows", default=50, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output, one row a line.")
def diff(sequence: int, venue: str, rows: int, as_json: bool) -> None:
    """Rows that delivery number SEQUENCE added or revised, with the values before and after.

    \b
    Examples:
      quant-assets data diff --venue us_equities_yahoo 3
      quant-assets data diff --venue us_equities_yahoo 3 --rows 1000 --json
    """
    from quant_assets.cli.deliveries import stored_venues
    from quant_assets.operations.intake.inspection import changes
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    (name,) = stored_venues(workspace, venue)
    found = changes(workspace.sources(name), sequence)
    shown = list(islice(found, rows))
    if as_json:
        for change in shown:
            click.echo(json.dumps(vars(change), default=str))
        return
    table = Table("dataset", "row", "before", "after")
    for change in shown:
        before = "new" if change.before is None else _words(change.before)
        table.add_row(change.dataset, change.key, before, _words(change.after))
    console = make_console()
    console.print(table)
    rest = sum(1 for _ in found)
    if rest:
        console.print(f"{rest:,} more rows; --rows {rows + rest} shows all")


def _words(row: dict[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items())
