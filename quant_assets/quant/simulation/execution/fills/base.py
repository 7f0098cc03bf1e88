"""What a fill model is, and how bars of a finer clock belong to those of the run."""

from abc import ABC
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.core.parameters import Parameters, choice, number, whole
from quant_assets.quant.market.bar_panel import PRICES, BarPanel
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN, DetailBars, FillTerms

FILLS = "quant_assets.quant.simulation.execution.fills"
SAME_PRICE = 1e-6  # relative; what 32-bit floats round away


@dataclass(frozen=True, kw_only=True)
class FillModel(Parameters, ABC):
    """When orders decided at the close of bar t fill; market orders at the price of `model`.

    limits : `touch`: a limit fills when the bar reaches it; `through`: only when the bar trades
        beyond it, as for an order at the end of the queue.
    same_bar : stop and target inside one bar: `worst` takes the stop, `best` the target.
    latency : bars between the decision and the first bar of the order.
    participation : share of the fill bar's volume that may be filled; infinity: all. A bar of
        unknown volume caps nothing.
    time_to_live : bars after its first for which an entry at market waits, and for which a
        remainder is carried.
    """

    model: ClassVar[int] = NEXT_OPEN
    limits: str = choice("touch", "through")
    same_bar: str = choice("worst", "best")
    latency: int = whole(0, least=0)
    participation: float = number(np.inf, above=0.0)
    time_to_live: int = whole(10, least=1)

    @property
    def detail(self) -> timedelta | None:
        """Length of the finer bars that the model cannot do without; None: it needs none."""
        return None

    def terms(self) -> FillTerms:
        """What the kernel is told."""
        return FillTerms(
            model=self.model,
            through=self.limits == "through",
            participation=self.participation,
            time_to_live=self.time_to_live,
            latency=self.latency,
            optimistic=self.same_bar == "best",
        )


def detail_bars(bars: BarPanel, finer: BarPanel) -> DetailBars:
    """The finer bars inside of each bar, `(finer row, symbol)`; those outside of every bar go.

    They show in which order stop and target were met. Where those of a symbol do not span its bar
    from the same low to the same high (a halt or a hole of the finer feed, prices of another
    venue, all of them NaN), they cannot show it: the whole bar stands in their first row, NaN in
    the others. A `DataError` when they are not finer, or when a bar would hold a part of one.
    """
    if not timedelta(0) < finer.bar_length < bars.bar_length or bars.bar_length % finer.bar_length:
        raise DataError(
            f"detail bars of {finer.bar_length} do not divide bars of {bars.bar_length}; give bars "
            "of a shorter length that fits whole times"
        )
    finer = finer.select(bars.symbols)
    row = np.searchsorted(bars.ts, finer.ts, side="right") - 1
    inside = row >= 0
    inside[inside] = finer.ts[inside] < bars.ts[row[inside]] + np.timedelta64(bars.bar_length)
    first = np.r_[np.searchsorted(finer.ts[inside], bars.ts), int(inside.sum())].astype(np.int64)
    prices = {name: np.ascontiguousarray(finer[name][inside]) for name in PRICES}
    _take_whole_bars(bars, prices, first)
    return DetailBars(**prices, first=first)


def _take_whole_bars(
    bars: BarPanel, prices: dict[str, npt.NDArray[np.float64]], first: npt.NDArray[np.int64]
) -> None:
    """Put the bar in place of finer bars whose extremes are not its own."""
    rows = np.flatnonzero(np.diff(first))
    begin = first[rows]
    highest = np.fmax.reduceat(prices["high"], begin, axis=0)
    lowest = np.fmin.reduceat(prices["low"], begin, axis=0)
    unlike = ~(
        np.isclose(highest, bars.high[rows], rtol=SAME_PRICE, atol=0.0)
        & np.isclose(lowest, bars.low[rows], rtol=SAME_PRICE, atol=0.0)
    )
    covered = np.repeat(unlike, np.diff(first)[rows], axis=0)
    bar, symbol = np.nonzero(unlike)
    for name, values in prices.items():
        values[covered] = np.nan
        values[begin[bar], symbol] = bars[name][rows[bar], symbol]
