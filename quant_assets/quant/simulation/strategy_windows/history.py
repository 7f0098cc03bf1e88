"""How far back a window reads: as far as its decisions remember, to the last bit.

Rules, sizers, stages and slippage declare their memory; running sums are taken anew every so many
bars, so that what is left out must be a multiple of that. An average without end remembers
everything, as does whatever declares nothing: then a window reads the whole history. So it does
where a strategy decides bar by bar and may remember what it likes. In mode `independent` nothing is
carried on that says how many bars there were; then their times are counted, without their prices.
A file's first day is where its run begins: windows before it read nothing but themselves, the one
that has it reads all bars before it, which warm up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from quant_assets.core.context import StrategyContext
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants, instant, instants, to_column
from quant_assets.quant.market.longer_bars import length_on, timeframe_length
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.market.resample import BarArrays, resample_panel
from quant_assets.quant.simulation.strategy_windows.carrying import Standing, last_known
from quant_assets.quant.simulation.strategy_windows.reading import (
    bar_length_of,
    bars_of,
    chosen_rows,
    decides_at_once,
    execution_of,
    start_of,
    strategy_of,
)
from quant_assets.quant.strategies.config import Backtest, LoadedStrategy

BEFORE = "before"  # extra argument of a stage: where its window stands
VOLATILITY_AT_ENTRY = Memory(21)  # of the 20 returns up to a decision, which every trade shows


def memory_of(loaded: LoadedStrategy, context: StrategyContext) -> Memory | None:
    """Bars that a window needs before its own; None: all of them."""
    strategy = loaded.strategy
    if not decides_at_once(strategy):
        return None
    own = strategy.memory(bar_length_of(loaded.settings, context.market))
    return with_execution(own, strategy.warm_up, loaded, context)


def with_execution(
    own: Memory | None, warm_up: int, loaded: LoadedStrategy, context: StrategyContext
) -> Memory | None:
    """The memory of decisions, and of their execution; at least the bars of the warm-up."""
    slippage = execution_of(loaded, context.market).slippage
    found = joined([own, VOLATILITY_AT_ENTRY, *(model.memory for model in slippage)])
    return found and found._replace(rows=max(found.rows, warm_up))


class BarTimes(NamedTuple):
    """Times of bars, each once, with the moment at which all of it was known; who was traded."""

    ts: Instants
    available_at: Instants
    symbols: tuple[str, ...]


def times_of(rows: pd.DataFrame, backtest: Backtest) -> BarTimes:
    """Times of the bars that a file asks for."""
    own = chosen_rows(rows, backtest.model_copy(update={"start_date": None}))
    ts = instants(own["ts"])
    start = start_of(backtest)
    listed = own["symbol"] if start is None else own["symbol"][ts >= instant(start)]
    first = np.flatnonzero(np.r_[True, ts[1:] != ts[:-1]]) if len(ts) else np.empty(0, np.intp)
    known = instants(own["available_at"])
    known = np.maximum.reduceat(known, first) if len(ts) else known
    return BarTimes(ts[first], known, tuple(sorted(set(listed))))


def standing_before(
    context: StrategyContext,
    times: Sequence[BarTimes],
    settlements: pd.DataFrame | None,
    memory: Memory,
) -> Standing:
    """Where a window stands that is given no state: the bars before it, counted by their times."""
    settings = strategy_of(context.strategy).settings
    market = context.market.model_copy(update={"price_fields": ["close"]})
    open_to_all = settings.backtest.model_copy(update={"universe": None, "start_date": None})
    every = settings.model_copy(update={"backtest": open_to_all})
    clock = pd.DataFrame(
        {
            "ts": to_column(np.concatenate([part.ts for part in times])),
            "available_at": to_column(np.concatenate([part.available_at for part in times])),
            "symbol": "",
            "close": 1.0,
        }
    )
    bars = bars_of(clock, market, every)
    if bars is None:
        return Standing()
    return Standing(
        len(bars),
        len(bars),
        tuple(sorted({symbol for part in times for symbol in part.symbols})),
        {name: len(longer_starts(bars, name)) for name, _ in memory.timeframes},
        last_known(settlements, bars.available_at[-1]),
    )


@dataclass(frozen=True)
class Place:
    """Where the bars that a window works on lie in the run.

    bars : from the first that matters on. start : of the window. skipped : bars of the run before
    row 0. timeframes : longer bars before the window, by name. begin : of the file's first day,
    where the run begins in this window; bars before it only warm up.
    """

    bars: BarPanel
    start: np.datetime64
    skipped: int
    timeframes: Mapping[str, int]
    begin: np.datetime64 | None = None

    @property
    def first(self) -> int:
        """Row of the window's first bar."""
        return int(np.searchsorted(self.bars.ts, self.start))

    @property
    def traded(self) -> int:
        """Row of the first bar of the window that is traded."""
        begin = self.start if self.begin is None else max(self.begin, self.start)
        return int(np.searchsorted(self.bars.ts, begin))

    def timeframes_after(self) -> dict[str, int]:
        """Longer bars so far, at the window's end."""
        return {
            name: before + int((longer_starts(self.bars, name) >= self.start).sum())
            for name, before in self.timeframes.items()
        }


def place_in(
    bars: BarPanel, start: np.datetime64, standing: Standing, memory: Memory | None
) -> Place | None:
    """The bars from which a window goes on; None where those that were read are too few.

    bars : rows that were read. start : of the window. standing : of the run before.
    """
    whole = Place(bars, start, 0, dict(standing.timeframes))
    if standing.bar == 0:
        return replace(whole, timeframes=_counted(whole, memory))
    first = whole.first
    skipped = standing.bar - first
    if memory is None:
        return whole if skipped == 0 else None
    if skipped < 0:
        return None
    starts = {name: longer_starts(bars, name) for name, _ in memory.timeframes}
    before = {name: ts[ts < start] for name, ts in starts.items()}

    def aligned(row: int) -> bool:
        """Whether running sums that begin with the row are those of the whole run."""
        if (skipped + row) % memory.period:
            return False
        for name, period in memory.timeframes:
            kept = len(before[name]) - int(np.searchsorted(before[name], bars.ts[row]))
            if (standing.timeframes[name] - kept) % period:
                return False
        return True

    last = first - memory.rows - (standing.bar - standing.oldest)
    row = next((row for row in range(last, -1, -1) if aligned(row)), 0 if skipped == 0 else None)
    if row is None:
        return None
    return replace(whole, bars=bars.rows(slice(row, None)), skipped=skipped + row)


def place_of(
    bars: BarPanel, window_start: datetime, standing: Standing, memory: Memory | None
) -> Place | None:
    """`place_in` for the bars that were read; None when the window has none of them.

    Raises `DataError` where they do not reach back to what the state of the run has seen.
    """
    start = instant(window_start)
    first = int(np.searchsorted(bars.ts, start))
    if first == len(bars):
        return None
    place = place_in(bars, start, standing, memory)
    if place is None:
        raise DataError(
            f"the state stands at bar {standing.bar}, the window begins at bar {first}: rows of "
            "earlier windows came or went. Compute those windows again"
        )
    return place


def _counted(place: Place, memory: Memory | None) -> dict[str, int]:
    """Longer bars before the first window of a run, of the timeframes that must be aligned."""
    names = [name for name, _ in memory.timeframes] if memory is not None else []
    return {name: int((longer_starts(place.bars, name) < place.start).sum()) for name in names}


def longer_starts(bars: BarPanel, timeframe: str) -> Instants:
    """Open times of the bars of a longer timeframe that begin with these bars or later."""
    length = length_on(bars, timeframe_length(timeframe, primary=bars.bar_length))
    nothing = np.ones(len(bars))
    made = resample_panel(BarArrays(bars.ts, bars.available_at, *[nothing] * 5), length)
    return made.ts[made.ts >= bars.ts[:1]]


def enough_history(
    context: StrategyContext, known: Mapping[str, Any]
) -> Callable[[Mapping[str, pd.DataFrame]], bool] | None:
    """Tells whether rows of bars suffice for a window; None: all are needed. See `CellSpec.enough`.

    known : the state that the window goes on from, and in mode `independent` where it stands.
    """
    loaded = strategy_of(context.strategy)
    start = start_of(loaded.settings.backtest)
    if start is not None and context.window.end <= start:
        return lambda _read: True  # nothing is traded
    standing = known.get(BEFORE) or Standing.of(known[f"{loaded.settings.strategy}_state"])
    memory = memory_of(loaded, context)
    if memory is None or standing.bar == 0:
        return None
    return reads_enough(context, loaded, standing, lambda _bars: memory)


def reads_enough(
    context: StrategyContext,
    loaded: LoadedStrategy,
    standing: Standing,
    needed: Callable[[BarPanel], Memory],
) -> Callable[[Mapping[str, pd.DataFrame]], bool]:
    """Tells whether rows of bars suffice; needed : what is remembered, given the bars."""
    start = instant(context.window.start)
    market = context.market.model_copy(update={"price_fields": ["close"]})

    def enough(read: Mapping[str, pd.DataFrame]) -> bool:
        clock = read["bars"][["ts", "available_at", "symbol"]].assign(close=1.0)
        bars = bars_of(clock, market, loaded.settings)
        if bars is None:
            return False
        if bars.ts[-1] < start:
            return True  # a window without bars hands the state on
        return place_in(bars, start, standing, needed(bars)) is not None

    return enough
