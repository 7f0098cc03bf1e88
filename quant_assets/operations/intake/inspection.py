"""What a venue's source store lacks, and what one delivery changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.adapters.calendars import known_calendar, session_bars
from quant_assets.adapters.instrument_names import names_of, rules_of
from quant_assets.adapters.providers.base import contract_of
from quant_assets.adapters.stored import MARKS, newest_rows
from quant_assets.contracts.aliases import Aliases
from quant_assets.contracts.base import Contract
from quant_assets.contracts.mark_prices import MarkPrices
from quant_assets.core.errors import DataError
from quant_assets.core.sources import Chunk
from quant_assets.core.venues import Venue
from quant_assets.quant.market.aliases import Alias, by_instrument
from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants, instants
from quant_assets.storage.sources import SourceStore, chunks_of

DATASETS = (
    *("bars", "funding", MARKS, "open_interest", "liquidations", "order_book", "depth_bands"),
    "adjustments",
)
_DAY = timedelta(days=1)
_ALWAYS = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Hole:
    """Bars that are not there: from the first missing one to the first that is present again."""

    start: datetime
    end: datetime
    bars: int


@dataclass(frozen=True)
class Coverage:
    """What is stored of one symbol: span, rows, and for bars what is missing inside the span."""

    dataset: str
    symbol: str
    rows: int
    first: datetime
    last: datetime
    holes: tuple[Hole, ...] = ()

    @property
    def missing(self) -> int:
        """Number of missing bars."""
        return sum(hole.bars for hole in self.holes)


def coverage(store: SourceStore, venue: Venue) -> list[Coverage]:
    """Coverage by dataset and symbol, in that order.

    The grid is every bar length on a 24/7 venue, and the bars of the sessions where the calendar is
    known. Elsewhere it is the stamps that at least half of the symbols listed at that time have: a
    day that nobody delivered is then no hole.
    """
    found = []
    names = names_of(newest_rows(store, "aliases", Aliases, _ALWAYS), rules_of(venue))
    for dataset in DATASETS:
        times = _times_by_symbol(store, dataset, names if dataset == "bars" else [])
        grid = _grid(times, venue) if dataset == "bars" and times else None
        for symbol, ts in times.items():
            holes = tuple(_holes(ts, grid)) if grid is not None else ()
            found.append(Coverage(dataset, symbol, len(ts), _moment(ts[0]), _moment(ts[-1]), holes))
    return found


def _times_by_symbol(
    store: SourceStore, dataset: str, names: Iterable[Alias]
) -> dict[str, Instants]:
    """Sorted distinct times of each symbol, out of all deliveries; tickers as what they meant."""
    parts: dict[str, list[Instants]] = {}
    for chunk in store.chunks(dataset, *_ALWAYS):
        frame = by_instrument(store.read(chunk), names)
        codes, symbols = pd.factorize(frame["symbol"])
        ts = instants(frame["ts"])
        for code, symbol in enumerate(symbols):
            parts.setdefault(str(symbol), []).append(ts[codes == code])
    return {symbol: np.unique(np.concatenate(parts[symbol])) for symbol in sorted(parts)}


def _grid(times: dict[str, Instants], venue: Venue) -> Instants:
    if venue.market.calendar == ALWAYS_OPEN:
        first = min(ts[0] for ts in times.values())
        last = max(ts[-1] for ts in times.values())
        step = np.timedelta64(venue.market.bar_length).astype("timedelta64[us]")
        return np.arange(first, last + step, step)
    if venue.market.bar_length <= _DAY and known_calendar(venue.market.calendar):
        first = min(ts[0] for ts in times.values())
        end = max(ts[-1] for ts in times.values()) + np.timedelta64(1, "us")
        return instants(session_bars(venue.market, _moment(first), _moment(end))["ts"])
    stamps, counts = np.unique(np.concatenate(list(times.values())), return_counts=True)
    listed = sum(((ts[0] <= stamps) & (stamps <= ts[-1])).astype(int) for ts in times.values())
    return stamps[2 * counts >= listed]


def _holes(ts: Instants, grid: Instants) -> Iterator[Hole]:
    """Runs of grid points between a symbol's first and last bar that it does not have."""
    inside = grid[(grid >= ts[0]) & (grid <= ts[-1])]
    absent = np.flatnonzero(~np.isin(inside, ts, assume_unique=True))
    if not len(absent):
        return
    breaks = np.flatnonzero(np.diff(absent) > 1)
    for first, last in zip(
        absent[np.concatenate([[0], breaks + 1])],
        absent[np.concatenate([breaks, [len(absent) - 1]])],
        strict=True,
    ):
        yield Hole(_moment(inside[first]), _moment(inside[last + 1]), int(last - first + 1))


def _moment(value: np.datetime64) -> datetime:
    return pd.Timestamp(value).tz_localize("UTC").to_pydatetime()


@dataclass(frozen=True)
class Change:
    """One row that a delivery added or revised; `before` is None for a new one."""

    dataset: str
    key: str
    before: dict[str, object] | None
    after: dict[str, object]


def changes(store: SourceStore, sequence: int) -> Iterator[Change]:
    """What delivery number `sequence` changed, dataset by dataset, in the order of keys."""
    receipts = {receipt.sequence: receipt for receipt in store.receipts()}
    if sequence not in receipts:
        known = f"1 to {max(receipts)}" if receipts else "none yet"
        raise DataError(f"venue {store.venue}: no delivery number {sequence}; known: {known}")
    for chunk in chunks_of(receipts[sequence]):
        if chunk.dataset == "doubts":
            continue
        contract: type[Contract] = (
            MarkPrices if chunk.dataset == MARKS else contract_of(chunk.dataset)
        )
        span = chunk.first, chunk.last + timedelta(microseconds=1)
        before = _Before(store, sequence)
        known = newest_rows(before, chunk.dataset, contract, span, chunk.symbols)
        yield from _compare(chunk.dataset, contract.key_columns(), known, store.read(chunk))


@dataclass(frozen=True)
class _Before:
    """The store as it was before a delivery."""

    store: SourceStore
    sequence: int

    def version(self) -> int:
        """Deliveries before it."""
        return self.sequence - 1

    def chunks(self, dataset: str, start: datetime, end: datetime) -> list[Chunk]:
        """Chunks of earlier deliveries."""
        return [c for c in self.store.chunks(dataset, start, end) if c.sequence < self.sequence]

    def read(self, chunk: Chunk) -> pd.DataFrame:
        """Rows of a chunk."""
        return self.store.read(chunk)


def _compare(
    dataset: str, key: list[str], known: pd.DataFrame, after: pd.DataFrame
) -> Iterator[Change]:
    values = [name for name in after.columns if name not in (*key, "available_at")]
    position = known.set_index(key).index.get_indexer(pd.MultiIndex.from_frame(after[key]))
    old_rows, new_rows = known[values].to_dict("records"), after[values].to_dict("records")
    names = after[key].astype(str).agg(" ".join, axis=1)
    for name, row, new in zip(names, position, new_rows, strict=True):
        if row < 0:
            yield Change(dataset, name, None, _plain(new))
            continue
        differ = {k: v for k, v in new.items() if not _equal(old_rows[row][k], v)}
        yield Change(dataset, name, _plain({k: old_rows[row][k] for k in differ}), _plain(differ))


def _equal(one: object, other: object) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124 - two NaN are equal


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {str(name): value for name, value in row.items()}
