"""How far back a window reads: as far as its decisions remember, to the last bit.

Rules, sizers, stages and slippage declare their memory; running sums are taken anew every so many
bars, so that what is left out must be a multiple of that. An average without end remembers
everything, as does whatever declares nothing: then a window reads the whole history. So it does in
mode `independent`, and where a strategy decides bar by bar and may remember what it likes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from quant_assets.core.context import StrategyContext
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.longer_bars import length_on, timeframe_length
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.market.resample import BarArrays, resample_panel
from quant_assets.quant.simulation.strategy_windows.carrying import Standing
from quant_assets.quant.simulation.strategy_windows.reading import (
    bar_length_of,
    bars_of,
    decides_at_once,
    execution_of,
    strategy_of,
    utc_instant,
)
from quant_assets.quant.strategies.config import LoadedStrategy

VOLATILITY_AT_ENTRY = Memory(21)  # of the 20 returns up to a decision, which every trade shows


def memory_of(loaded: LoadedStrategy, context: StrategyContext) -> Memory | None:
    """Bars that a window needs before its own; None: all of them."""
    strategy = loaded.strategy
    if context.mode != "carry" or not decides_at_once(strategy):
        return None
    slippage = execution_of(loaded, context.market).slippage
    own = strategy.memory(bar_length_of(loaded.settings, context.market))
    found = joined([own, VOLATILITY_AT_ENTRY, *(model.memory for model in slippage)])
    return found and found._replace(rows=max(found.rows, strategy.warm_up))


@dataclass(frozen=True)
class Place:
    """Where the bars that a window works on lie in the run.

    bars : from the first that matters on. start : of the window. skipped : bars of the run before
    row 0. timeframes : longer bars before the window, by name.
    """

    bars: BarPanel
    start: np.datetime64
    skipped: int
    timeframes: Mapping[str, int]

    @property
    def first(self) -> int:
        """Row of the window's first bar."""
        return int(np.searchsorted(self.bars.ts, self.start))

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
    context: StrategyContext, known: Mapping[str, pd.DataFrame]
) -> Callable[[Mapping[str, pd.DataFrame]], bool] | None:
    """Tells whether rows of bars suffice for a window; None: all are needed. See `CellSpec.enough`.

    known : the state that the window goes on from.
    """
    loaded = strategy_of(context.strategy)
    state = known[f"{loaded.settings.strategy}_state"]
    memory = memory_of(loaded, context)
    if memory is None or state.empty:
        return None
    standing, start = Standing.of(state), utc_instant(context.window.start)
    market = context.market.model_copy(update={"price_fields": ["close"]})

    def enough(read: Mapping[str, pd.DataFrame]) -> bool:
        clock = read["bars"][["ts", "available_at", "symbol"]].assign(close=1.0)
        bars = bars_of(clock, market, loaded.settings)
        if bars is None:
            return False
        if bars.ts[-1] < start:
            return True  # a window without bars hands the state on
        return place_in(bars, start, standing, memory) is not None

    return enough
