"""Calm, normal or turbulent by where volatility lies among its own past."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.rolling import PercentileRank, RollingStd
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.regimes.base import (
    UNKNOWN,
    Regime,
    RegimeClassifier,
    persistence,
)

__all__ = ["VolatilityQuantile"]


@dataclass(frozen=True, kw_only=True)
class VolatilityQuantile(RegimeClassifier):
    """Standard deviation of the last `period` log returns, ranked among its last `history` values.

    Calm up to the share `low` of them, turbulent above the share `high`, else normal. The
    confidence is the share of the last `confirm` bars with the same label.
    """

    name: ClassVar[str] = "volatility_quantile"
    labels: ClassVar[tuple[str, ...]] = ("calm", "normal", "turbulent")
    period: int = 20
    history: int = 252
    low: float = 1.0 / 3.0
    high: float = 2.0 / 3.0
    confirm: int = 10

    def __post_init__(self) -> None:
        RollingStd(self.period)
        PercentileRank(self.history)
        if not 0.0 <= self.low < self.high <= 1.0 or self.confirm < 1:
            raise ConfigError(
                f"{self.name}: low = {self.low}, high = {self.high}, confirm = {self.confirm}; "
                "0 <= low < high <= 1 and at least 1 bar are wanted"
            )

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 1 + RollingStd(self.period).lookback + PercentileRank(self.history).lookback

    def classify(self, bars: BarPanel) -> Regime:
        """See the base class."""
        returns = np.full(bars.close.shape, np.nan)
        returns[1:] = np.diff(np.log(bars.close), axis=0)
        volatility = RollingStd(self.period).compute(returns)
        rank = PercentileRank(self.history).compute(volatility)
        code = np.full(rank.shape, UNKNOWN, dtype=np.int8)
        known = ~np.isnan(rank)
        code[known] = (rank > self.low).astype(np.int8)[known] + (rank > self.high)[known]
        return Regime(self.labels, code, persistence(code, self.confirm))
