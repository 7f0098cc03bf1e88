"""Providers whose data were delivered before: files that were dropped, pages that were pulled."""

from collections.abc import Set
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.adapters.instrument_names import NamedTicker, names_of
from quant_assets.adapters.providers.base import Dataset, Provider, contract_of
from quant_assets.contracts.aliases import Aliases
from quant_assets.contracts.base import Contract
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.mark_prices import MarkPrices
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.errors import DataError
from quant_assets.core.hashing import digest
from quant_assets.core.sources import Sources
from quant_assets.core.venues import History
from quant_assets.core.windows import Window
from quant_assets.quant.market.adjust import GIVEN
from quant_assets.quant.market.aliases import Alias, by_instrument
from quant_assets.quant.market.bars import instants
from quant_assets.quant.market.forward_adjust import forward_adjusted

VERSION = 2
MARKS = "marks"
RENAMED = ("bars", "reference", "doubts")


class StoredProvider(Provider):
    """Reads the venue's source store and nothing else, so asking twice gives the same bytes.

    A venue whose `price_adjustment` is not that of the files (setting `published`) is adjusted
    forward on read: later prices are divided by the factors of earlier events.
    """

    _known: tuple[int, History | None] | None = None
    _newest: tuple[int, datetime | None] | None = None
    _named: tuple[int, list[Alias]] | None = None

    def history(self) -> History | None:
        """Days from the first to the last bar that was delivered, inside the venue's history."""
        version = self.sources.version()
        if self._known is None or self._known[0] != version:
            self._known = (version, self._delivered())
        return self._known[1]

    def newest_bar(self) -> datetime | None:
        """Open time of the newest bar that was delivered."""
        version = self.sources.version()
        if self._newest is None or self._newest[0] != version:
            self._newest = (version, self._edge(last=True))
        return self._newest[1]

    def _delivered(self) -> History | None:
        known = self.venue.history
        first = _day(self._edge(last=False))
        last = _day(self._edge(last=True))
        if first is None or last is None:
            return None
        first = max(first, known.first)
        last = last if known.last is None else min(last, known.last)
        return History(first=first, last=last) if first <= last else None

    def _edge(self, *, last: bool) -> datetime | None:
        """Time of the first or last bar in the store; None when there is none."""
        chunks = self.sources.chunks("bars", _BEGINNING, _END)
        if not chunks:
            return None
        return max(c.last for c in chunks) if last else min(c.first for c in chunks)

    def source_digest(self, dataset: Dataset, window: Window) -> str:
        """Digest of the chunks with rows about the window; others change nothing."""
        start, end = self.span(window)
        hashes = [
            c.mark
            for name in self._parts(dataset)
            for c in self.sources.chunks(name, self._begin(dataset, start), end)
        ]
        if dataset in ("bars", "reference") and self.adjusts:
            hashes += [c.mark for c in self.sources.chunks("adjustments", _BEGINNING, end)]
        names = self._names_in(self._begin(dataset, start), end) if dataset in RENAMED else []
        return digest([self.name, VERSION, dataset, self.published, hashes, names, start, end])

    def rules(self) -> list[NamedTicker]:
        """What the venue itself says about its tickers."""
        return []

    def names(self) -> list[Alias]:
        """Who had which ticker, by everything that is known today."""
        version = self.sources.version()
        if self._named is None or self._named[0] != version:
            aliases = newest_rows(self.sources, "aliases", Aliases, (_BEGINNING, _END))
            self._named = (version, names_of(aliases, self.rules()))
        return self._named[1]

    def _names_in(self, start: datetime, end: datetime) -> list[tuple[str, str, date, date]]:
        """Tickers that are another instrument's in [start, end), cut to it: what renames rows."""
        first, last = start.date(), end.date()
        return [
            (name.ticker, name.instrument, max(name.first, first), min(name.until, last))
            for name in self.names()
            if name.ticker != name.instrument and name.first <= last and name.until >= first
        ]

    @property
    def adjusts(self) -> bool:
        """True when bars are adjusted on read."""
        return self.published != self.venue.market.price_adjustment

    @property
    def published(self) -> str:
        """How prices are adjusted where they come from; here: as the venue says."""
        return self.venue.market.price_adjustment

    def _parts(self, dataset: Dataset) -> list[str]:
        if dataset == "funding":
            return ["funding", MARKS]
        if dataset == "reference":
            return ["bars"] if self.venue.reference.benchmark is not None else []
        return [dataset]

    def _begin(self, dataset: Dataset, start: datetime) -> datetime:
        """A return needs the close before it, which may lie in the month before."""
        return start - timedelta(days=31) if dataset == "reference" else start

    def fetch(self, dataset: Dataset, window: Window) -> pd.DataFrame:
        """Rows of the window; of two deliveries of one row, the later one."""
        start, end = self.span(window)
        if dataset == "reference":
            return self._benchmark(start, end)
        rows = self._bars(start, end) if dataset == "bars" else self.newest(dataset, start, end)
        if dataset == "doubts" and len(rows):
            return self._renamed_doubts(rows)
        if dataset == "funding" and len(rows):
            return self._with_marks(rows, start, end)
        return rows

    def _bars(self, start: datetime, end: datetime) -> pd.DataFrame:
        rows = self._renamed(self.newest("bars", start, end))
        if not self.adjusts or not len(rows):
            return rows
        events = self.newest("adjustments", _BEGINNING, end)
        if self.published == "splits":
            events = events[events["kind"].isin(GIVEN)]
        total = self.venue.market.price_adjustment == "total_return"
        return forward_adjusted(rows, events, dividends=total)

    def _renamed(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Bars by instrument: a ticker becomes the instrument that had it on the bar's day."""
        if not len(bars) or not self.names():
            return bars
        renamed = by_instrument(bars, self.names())
        key = contract_of("bars").key_columns()
        twice = renamed[renamed.duplicated(key)]
        if len(twice):
            row = twice.iloc[0]
            raise DataError(
                f"venue {self.venue.name}: {row['symbol']} has two bars at {row['ts']}, one of "
                "them under another ticker. Deliver the instrument or its tickers, not both"
            )
        return renamed.sort_values(key, kind="stable").reset_index(drop=True)

    def _renamed_doubts(self, doubts: pd.DataFrame) -> pd.DataFrame:
        """Doubts about bars stand under the instrument, as the bars do."""
        about = (doubts["dataset"] == "bars").to_numpy()
        named = by_instrument(doubts, self.names())["symbol"].where(about, doubts["symbol"])
        key = contract_of("doubts").key_columns()
        renamed = doubts.assign(symbol=named).sort_values(key, kind="stable")
        return renamed.reset_index(drop=True)

    def newest(self, dataset: str, start: datetime, end: datetime) -> pd.DataFrame:
        """Rows of a stored dataset with `start <= ts < end`, each in its newest version."""
        contract = MarkPrices if dataset == MARKS else contract_of(dataset)
        return newest_rows(self.sources, dataset, contract, (start, end))

    def _with_marks(self, funding: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
        """Mark price of the settlement's minute where the settlement itself has none.

        A settlement is stamped some milliseconds after the minute in which it was due.
        """
        marks = self.newest(MARKS, start, end)
        if not len(marks):
            return funding
        keys = [f.assign(minute=_minutes(f)) for f in (funding, marks)]
        known = keys[1].drop_duplicates(["minute", "symbol"]).set_index(["minute", "symbol"])
        wanted = pd.MultiIndex.from_frame(keys[0][["minute", "symbol"]])
        found = known["mark_price"].reindex(wanted).to_numpy(dtype=np.float64)
        own = funding["mark_price"].to_numpy(dtype=np.float64)
        filled = funding.assign(mark_price=np.where(np.isnan(own), found, own))
        return filled[list(Funding.to_schema().columns)]

    def _benchmark(self, start: datetime, end: datetime) -> pd.DataFrame:
        """Simple returns of the benchmark symbol's closes; the first of all is NaN."""
        wanted = self.venue.reference.benchmark
        bars = self._bars(self._begin("reference", start), end)
        bars = bars[(bars["symbol"] == wanted) & ~bars["is_gap"] & bars["close"].notna()]
        if wanted is None or not len(bars):
            return ReferenceReturns.empty()
        close = bars["close"].to_numpy(dtype=np.float64)
        returns = np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])
        inside = (bars["ts"] >= start).to_numpy()
        rows = bars.loc[inside, ["ts", "available_at"]].reset_index(drop=True)
        count = len(rows)
        return rows.assign(
            role=pd.Series(["benchmark"] * count, dtype="str"),
            symbol=pd.Series([wanted] * count, dtype="str"),
            returns=returns[inside],
            assumed=np.zeros(count, dtype=bool),
        )


def newest_rows(
    sources: Sources,
    dataset: str,
    contract: type[Contract],
    span: tuple[datetime, datetime],
    symbols: Set[str] | None = None,
) -> pd.DataFrame:
    """Rows with `start <= ts < end` out of all deliveries; of two with one key, the later one.

    Deliveries without any of `symbols` are not read.
    """
    frames = []
    start, end = span
    for chunk in sources.chunks(dataset, start, end):
        if symbols is not None and symbols.isdisjoint(chunk.symbols):
            continue
        frame = sources.read(chunk)
        inside = (frame["ts"] >= start) & (frame["ts"] < end)
        frames.append(frame if inside.all() else frame[inside])
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return contract.empty()
    rows = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    key = contract.key_columns()
    rows = rows.drop_duplicates(key, keep="last").sort_values(key, kind="stable")
    return rows.reset_index(drop=True)


_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
_END = datetime(9999, 12, 30, tzinfo=UTC)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(UTC).date()


def _minutes(frame: pd.DataFrame) -> np.ndarray:
    return instants(frame["ts"]).astype("datetime64[m]")
