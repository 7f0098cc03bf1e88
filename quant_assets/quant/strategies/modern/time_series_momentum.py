"""Each by the sign of its own last year, at equal volatility."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, optional_number, whole
from quant_assets.quant.indicators.volatility_realized import CloseToCloseVolatility
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import Line, Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, turns, yearly
from quant_assets.quant.strategies.signals import Signals

__all__ = ["TimeSeriesMomentum"]


TURN, YEAR = "month.turns", "bars.per_year"


@dataclass(frozen=True, kw_only=True)
class TimeSeriesMomentum(RowStrategy):
    """Each month long what rose over `lookback` bars and short what fell (`long`: flat).

    The weight is `target` over the yearly volatility of the last `volatility` bars, at most
    `max_weight`, divided by the number of symbols with a signal. bars_per_year : None: counted by
    the clock of the bars so far, whatever their length.
    """

    name: ClassVar[str] = "time_series_momentum"
    source: ClassVar[str] = "Moskowitz, Ooi & Pedersen (2012), Time Series Momentum"
    lookback: int = whole(252, least=1)
    volatility: int = whole(60, least=2)
    target: float = number(0.4, above=0.0)
    max_weight: float = number(1.0, above=0.0)
    bars_per_year: float | None = optional_number(above=0.0)
    sides: Literal["both", "long"] = choice("both", "long")

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(CloseToCloseVolatility(self.volatility, 1.0)),)

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return max(self.lookback, self.volatility)

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return {TURN: turns(bars, "month"), YEAR: yearly(bars, self.bars_per_year)}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        gain = rows.among(rows["close"] / rows.before("close", self.lookback) - 1.0)
        swing = rows[self.lines()[0]] * np.sqrt(rows[YEAR])
        known = ~np.isnan(gain) & (swing > 0.0)
        size = np.minimum(self.target / np.where(known, swing, 1.0), self.max_weight)
        side = np.sign(gain) if self.sides == "both" else (gain > 0.0) * 1.0
        n = np.maximum(known.sum(axis=1, keepdims=True), 1)
        weights = np.where(known, side * size / n, 0.0)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
