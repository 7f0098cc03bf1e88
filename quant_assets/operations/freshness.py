"""How old a venue's newest bar is, against the limits that the venue names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from quant_assets.core.venues import Venue, format_duration
from quant_assets.storage.sources import SourceStore

State = Literal["fresh", "late", "too late"]


@dataclass(frozen=True)
class Age:
    """Age of the end of the newest delivered bar."""

    venue: str
    newest: datetime
    age: timedelta
    state: State

    def __str__(self) -> str:
        hours = timedelta(seconds=round(self.age.total_seconds()))
        return f"{self.venue}: {self.state}: newest bar {self.newest:%Y-%m-%d %H:%M}Z, {hours} ago"


def newest_bar(store: SourceStore) -> datetime | None:
    """Open time of the newest bar that a delivery brought."""
    ends = [receipt.spans["bars"][1] for receipt in store.receipts() if "bars" in receipt.spans]
    return max(ends, default=None)


def age_of(store: SourceStore, venue: Venue, now: datetime) -> Age | None:
    """Judge one venue; None when it names no limit, has no bar yet, or its history has ended."""
    limits = venue.freshness
    if limits.warn_after is None and limits.fail_after is None:
        return None
    ended = venue.history.last is not None and venue.history.last < now.date()
    if ended:
        return None
    newest = newest_bar(store)
    if newest is None:
        return None
    age = now - newest - venue.market.bar_length
    state: State = "fresh"
    if limits.warn_after is not None and age > limits.warn_after:
        state = "late"
    if limits.fail_after is not None and age > limits.fail_after:
        state = "too late"
    return Age(venue.name, newest, age, state)


def advice(venue: Venue) -> str:
    """What to do about a late venue."""
    limits = venue.freshness
    texts = [
        f"{name} {format_duration(limit)}"
        for name, limit in (("warn", limits.warn_after), ("fail", limits.fail_after))
        if limit is not None
    ]
    return (
        f"limits of {venue.name}: {', '.join(texts)}. Pull (quant-assets ingest --pull --venue "
        f"{venue.name}), drop newer files, or change `freshness` in its venue file"
    )
