"""How deliveries are shown: one row per file and dataset, refusals in full."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from quant_assets.adapters.pulling.base import Puller
from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.errors import ConfigError
from quant_assets.operations.intake.landing import Outcome, landing_folder
from quant_assets.operations.intake.pulls import Pull
from quant_assets.orchestration.workspace import Workspace

COUNTS = ("rows", "stored", "unchanged", "revised", "quarantined", "repaired", "flagged")


def stored_venues(workspace: Workspace, venue: str | None) -> list[str]:
    """The venue, or all, that take deliveries; `ConfigError` for one that makes its own data."""
    names = [n for n in workspace.venues if isinstance(workspace.provider(n), StoredProvider)]
    if venue is None:
        return names
    if workspace.venue(venue).name not in names:
        raise ConfigError(
            f"venue {venue} needs no deliveries (provider "
            f"{workspace.venue(venue).provider.name}); these do: {', '.join(names) or 'none'}"
        )
    return [venue]


def live_venues(workspace: Workspace, venue: str | None) -> list[str]:
    """The venue, or all whose provider can pull; `ConfigError` when there is none."""
    names = stored_venues(workspace, venue)
    able = [name for name in names if isinstance(workspace.provider(name), Puller)]
    if not able:
        who = f"venue {venue} cannot" if venue else "no venue can"
        raise ConfigError(
            f"{who} pull: its provider must ask a source (ccxt, yfinance). Drop files into "
            "landing/<venue>/ instead"
        )
    return able


def facts(venue: str, outcome: Outcome) -> dict[str, Any]:
    """An outcome for machines."""
    return {
        "venue": venue,
        "file": outcome.path.name,
        "receipt": outcome.receipt.model_dump(mode="json") if outcome.receipt else None,
        "repeated": outcome.repeated,
        "refusal": outcome.refusal,
    }


def show(console: Console, outcomes: list[tuple[str, Outcome]]) -> None:
    """The table of outcomes, and every refusal with its reason."""
    table = Table("venue", "file", "layout", "dataset")
    for title in COUNTS:
        table.add_column(title, justify="right")
    for venue, outcome in outcomes:
        if outcome.receipt is None:
            table.add_row(venue, outcome.path.name, "refused")
            continue
        layout = "delivered before" if outcome.repeated else outcome.receipt.layout
        for dataset, counts in outcome.receipt.counts.items():
            numbers = [f"{counts.get(name, 0):,}" for name in COUNTS]
            table.add_row(venue, outcome.path.name, layout, dataset, *numbers)
    console.print(table)
    for venue, outcome in outcomes:
        if outcome.refusal:
            console.print(f"refused by {venue}: {outcome.refusal}", markup=False)


def show_folders(console: Console, workspace: Workspace, venues: list[str]) -> None:
    """Where files are expected."""
    if not venues:
        console.print("no venue takes deliveries; `quant-assets venues` lists them")
        return
    console.print("nothing to take in; files are expected in")
    for venue in venues:
        folder: Path = landing_folder(workspace.sources(venue))
        console.print(f"  {folder}", highlight=False, soft_wrap=True)


def pulled_facts(venue: str, pull: Pull) -> dict[str, Any]:
    """What a pull brought, for machines."""
    return {
        "venue": venue,
        "receipts": [receipt.model_dump(mode="json") for receipt in pull.receipts],
        "pulled": [
            {**vars(each), "until": each.until.isoformat() if each.until else None}
            for each in pull.pulled
        ],
    }


def show_pulled(console: Console, found: list[tuple[str, Pull]]) -> None:
    """One row per data set and symbol, one per delivery, and failures in full."""
    asked = Table("venue", "dataset", "symbol", "confirmed until", "rows")
    stored = Table("venue", "delivery", "dataset")
    for title in COUNTS:
        stored.add_column(title, justify="right")
    for venue, pull in found:
        for each in pull.pulled:
            until = f"{each.until:%Y-%m-%d %H:%M}Z" if each.until else "–"
            asked.add_row(venue, each.dataset, each.symbol, until, f"{each.rows:,}")
        for receipt in pull.receipts:
            for dataset, counts in receipt.counts.items():
                numbers = [f"{counts.get(name, 0):,}" for name in COUNTS]
                stored.add_row(venue, str(receipt.sequence), dataset, *numbers)
    console.print(asked)
    if stored.row_count:
        console.print(stored)
    for _, pull in found:
        for failure in pull.failures:
            console.print(f"failed: {failure}", markup=False)
