"""Bull, neutral or bear by two moving averages."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.strategies.averages import Average, average_of_closes
from quant_assets.quant.strategies.columns import compute_lines, indicator_memory
from quant_assets.quant.strategies.regimes.base import (
    UNKNOWN,
    Regime,
    RegimeClassifier,
    persistence,
)

__all__ = ["MovingAverageTrend"]


@dataclass(frozen=True, kw_only=True)
class MovingAverageTrend(RegimeClassifier):
    """Bull: close above the slow average and the fast one above it; bear: both below; else neutral.

    The confidence is the share of the last `confirm` bars with the same label.
    """

    name: ClassVar[str] = "moving_average_trend"
    labels: ClassVar[tuple[str, ...]] = ("bear", "neutral", "bull")
    fast: int = 50
    slow: int = 200
    average: Average = "sma"
    confirm: int = 10

    def __post_init__(self) -> None:
        for length in (self.fast, self.slow, self.confirm):
            average_of_closes(self.average, length)
        if self.fast >= self.slow:
            raise ConfigError(
                f"{self.name}: fast = {self.fast} and slow = {self.slow}; fast must be less"
            )

    @property
    def lookback(self) -> int:
        """See the base class."""
        return average_of_closes(self.average, self.slow).indicator.lookback

    @property
    def memory(self) -> Memory | None:
        """Both averages, and the bars that confirm."""
        lines = (average_of_closes(self.average, n) for n in (self.fast, self.slow))
        found = joined(indicator_memory(line.indicator) for line in lines)
        return found if found is None else found.longer(self.confirm)

    def classify(self, bars: BarPanel) -> Regime:
        """See the base class."""
        lines = [average_of_closes(self.average, n) for n in (self.fast, self.slow)]
        computed = compute_lines(lines, bars)
        fast, slow = (computed[line.key] for line in lines)
        up = (bars.close > slow) & (fast > slow)
        down = (bars.close < slow) & (fast < slow)
        code = np.add(up.view(np.int8), np.int8(1))
        code -= down.view(np.int8)
        code[np.isnan(bars.close) | np.isnan(fast) | np.isnan(slow)] = UNKNOWN
        return Regime(self.labels, code, persistence(code, self.confirm))
