"""The shared partition grid and the mappings between windows.

All window assets share ONE grid of venue x window; every mapping is explicit, because Dagster's
defaults between unequal partitions are silently wrong (docs/dagster.md).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import dagster as dg

from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.orchestration.workspace import (
    VenueSpan,
    Workspace,
    current_workspace,
    training_windows,
)

VENUE, WINDOW = "venue", "window"
VENUE_TAG = "quant_assets/venue"  # of a run that works on one venue
_DAYS = {"weekly": 7.0, "monthly": 30.436875, "quarterly": 91.310625}
_SHORTEST = 0.80  # a window may hold this fraction of its usual bars (holidays, February)


@dataclass(frozen=True)
class History:
    """Which windows of an upstream asset a cell reads: from `-back(venue)` to `through`.

    `venue_wide` marks an upstream asset that has one cell per venue instead of windows. `venues`
    are those whose cells read the asset; None: all.
    """

    back: Callable[[Venue], int]
    through: int
    venue_wide: bool = False
    venues: frozenset[str] | None = None

    def concerns(self, venue: str) -> bool:
        """Whether cells of the venue read the asset at all."""
        return self.venues is None or venue in self.venues

    def span(self, venue: Venue) -> tuple[int, int]:
        """First and last offset for one venue."""
        return -self.back(venue), self.through

    def offsets(self, workspace: Workspace) -> tuple[int, int]:
        """Widest span over all venues: what the partition mapping declares."""
        return min(self.span(venue)[0] for venue in workspace.venues.values()), self.through


def this_window() -> History:
    """The cell's own window only."""
    return History(lambda _venue: 0, 0)


def whole_venue() -> History:
    """The single cell of a venue-wide asset."""
    return History(lambda _venue: 0, 0, venue_wide=True)


def previous_window() -> History:
    """Only the window before."""
    return History(lambda _venue: 1, -1)


def with_window_before() -> History:
    """The cell's own window and the one before it."""
    return History(lambda _venue: 1, 0)


def training() -> History:
    """The training windows: all before the cell's own."""
    return History(training_windows, -1)


def training_and_this() -> History:
    """The training windows and the cell's own."""
    return History(training_windows, 0)


def lookback(bars: Callable[[Venue], int], *, through: int = 0) -> History:
    """Enough windows before the cell's own to hold `bars(venue)` bars."""
    grid = current_workspace().grid

    def windows(venue: Venue) -> int:
        per_window = venue.market.bars_per_year * _DAYS[grid.cadence] / 365.2425
        return math.ceil(bars(venue) / max(1.0, per_window * _SHORTEST))

    return History(windows, through)


def every_nth_decision(n: int) -> Callable[[Venue, VenueSpan, str], str]:
    """Why a window is passed over: it is neither one of the first two decisions nor an n-th one.

    The first has nothing that was carried into it; so the second belongs to them.
    """

    def reason(_venue: Venue, span: VenueSpan, window: str) -> str:
        grid = current_workspace().grid
        place = grid.distance(span.first_decision, window)
        if place == 1 or place % n == 0:
            return ""
        return f"passed over: the first two decisions of a venue are examined, then one in {n}"

    return reason


def time_windows(grid: Grid) -> dg.TimeWindowPartitionsDefinition:
    """Dagster's definition of the grid's windows; the current window exists (`end_offset=1`)."""
    cron = {"monthly": "0 0 1 * *", "weekly": "0 0 * * 1", "quarterly": "0 0 1 */3 *"}
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule=cron[grid.cadence],
        start=grid.start.isoformat(),
        end=grid.end.isoformat() if grid.end else None,
        fmt="%Y-%m-%d",
        timezone="UTC",
        end_offset=0 if grid.end else 1,
    )


@cache
def venue_partitions() -> dg.StaticPartitionsDefinition:
    """One partition per venue, for venue-wide assets."""
    return dg.StaticPartitionsDefinition(list(current_workspace().venues))


@cache
def shared_grid() -> dg.MultiPartitionsDefinition:
    """Venue x window."""
    return dg.MultiPartitionsDefinition(
        {VENUE: venue_partitions(), WINDOW: time_windows(current_workspace().grid)}
    )


def window_mapping(low: int, high: int) -> dg.MultiPartitionMapping:
    """Same venue, windows w+low .. w+high."""
    windows = dg.TimeWindowPartitionMapping(
        start_offset=low, end_offset=high, allow_nonexistent_upstream_partitions=True
    )
    return dg.MultiPartitionMapping(
        {
            VENUE: dg.DimensionPartitionMapping(VENUE, dg.IdentityPartitionMapping()),
            WINDOW: dg.DimensionPartitionMapping(WINDOW, windows),
        }
    )


def venue_mapping() -> dg.MultiToSingleDimensionPartitionMapping:
    """All windows of the same venue."""
    return dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name=VENUE)


def split_key(key: str) -> tuple[str, str]:
    """`venue|window` in two; a venue-wide key gets the window `all`."""
    venue, _, window = key.partition("|")
    return venue, window or "all"
