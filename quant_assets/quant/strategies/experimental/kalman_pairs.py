"""Two symbols whose hedge ratio wanders, followed by a Kalman filter."""

from dataclasses import dataclass
from math import isnan, sqrt
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.library_pairs import PairStrategy, Spread
from quant_assets.quant.strategies.library_parts import Floats

__all__ = ["KalmanPairs"]


@dataclass(frozen=True, kw_only=True)
class KalmanPairs(PairStrategy):
    """`y = beta x + alpha + noise` in log prices; both states are random walks; z is the surprise.

    z : forecast error over its deviation. `wander` : the states' variance per bar is
    `wander / (1 - wander)`; `noise` : variance of the observation. The filter starts at 0 with
    variance 1. A bar without both prices only widens the states. Traded while beta is above 0.
    """

    name: ClassVar[str] = "kalman_pairs"
    source: ClassVar[str] = "Chan (2013), Algorithmic Trading, chapter 3"
    entry: float = number(1.0, above=0.0)
    stop: float = number(10.0, above=0.0)
    wander: float = number(1e-4, above=0.0, below=1.0)
    noise: float = number(1e-3, above=0.0)
    settle: int = whole(60, least=1)

    @property
    def back(self) -> int:
        """Bars until the first guess is forgotten."""
        return self.settle

    def spread(self, y: Floats, x: Floats, bars: BarPanel) -> Spread:
        """See the base class."""
        del bars
        step = self.wander / (1.0 - self.wander)
        beta, alpha, p_bb, p_ba, p_aa = 0.0, 0.0, 1.0, 0.0, 1.0
        z, betas = np.full(len(y), np.nan), np.full(len(y), np.nan)
        for t, (first, second) in enumerate(zip(y.tolist(), x.tolist(), strict=True)):
            p_bb, p_aa = p_bb + step, p_aa + step
            if not (isnan(first) or isnan(second)):
                to_b, to_a = p_bb * second + p_ba, p_ba * second + p_aa
                variance = to_b * second + to_a + self.noise
                error = first - beta * second - alpha
                z[t] = error / sqrt(variance)
                beta, alpha = beta + to_b / variance * error, alpha + to_a / variance * error
                p_bb -= to_b * to_b / variance
                p_ba -= to_b * to_a / variance
                p_aa -= to_a * to_a / variance
            betas[t] = beta
        return Spread(z, betas, np.where(betas > 0.0, 1.0, 0.0))
