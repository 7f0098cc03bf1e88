"""More of what is calm, less of what is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, optional_number, whole
from quant_assets.quant.indicators.volatility_realized import CloseToCloseVolatility
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, turns, yearly
from quant_assets.quant.strategies.signals import Signals

__all__ = ["VolatilityManaged"]


TURN, YEAR = "month.turns", "bars.per_year"


@dataclass(frozen=True, kw_only=True)
class VolatilityManaged(RowStrategy):
    """Each month `target` squared over the variance of the last `lookback` bars, at most `most`.

    Volatilities are per year. Divided by the number of symbols that have one. bars_per_year :
    None: counted by the clock of the bars so far, whatever their length.
    """

    name: ClassVar[str] = "volatility_managed"
    source: ClassVar[str] = "Moreira & Muir (2017), Volatility-Managed Portfolios"
    lookback: int = whole(22, least=2)
    target: float = number(0.2, above=0.0)
    most: float = number(1.0, above=0.0)
    bars_per_year: float | None = optional_number(above=0.0)

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(CloseToCloseVolatility(self.lookback, 1.0)),)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month"), YEAR: yearly(bars, self.bars_per_year)}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        swing = rows.among(rows[self.lines()[0]] * np.sqrt(rows[YEAR]))
        known = swing > 0.0
        size = np.minimum((self.target / np.where(known, swing, 1.0)) ** 2, self.most)
        n = np.maximum(known.sum(axis=1, keepdims=True), 1)
        weights = np.where(known, size / n, 0.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
