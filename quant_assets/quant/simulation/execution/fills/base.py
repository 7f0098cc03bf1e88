"""What a fill model is, and how bars of a finer clock belong to those of the run."""

from abc import ABC
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.core.parameters import Parameters, choice, number, whole
from quant_assets.quant.market.bar_panel import PRICES, BarPanel
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN, DetailBars, FillTerms

FILLS = "quant_assets.quant.simulation.execution.fills"


@dataclass(frozen=True, kw_only=True)
class FillModel(Parameters, ABC):
    """When orders decided at the close of bar t fill; market orders at the price of `model`.

    limits : `touch`: a limit fills when the bar reaches it; `through`: only when the bar trades
        beyond it, as for an order at the end of the queue.
    same_bar : stop and target inside one bar: `worst` takes the stop, `best` the target.
    latency : bars between the decision and the first bar of the order.
    participation : share of the fill bar's volume that may be filled; infinity: all. A bar of
        unknown volume caps nothing.
    time_to_live : bars for which a remainder is carried.
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

    They show in which order stop and target were met. A `DataError` when they are not finer, or
    when a bar would hold a part of one.
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
    prices = [np.ascontiguousarray(finer[name][inside]) for name in PRICES]
    return DetailBars(prices[0], prices[1], prices[2], prices[3], first)
