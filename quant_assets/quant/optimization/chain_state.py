"""What the weights chain remembers of an entrant: drifted weights and moments of its returns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChainState:
    """Exponentially weighted mean and (biased) variance of an entrant's past window returns.

    After `count` returns the newest weighs 1, the one `half_life` windows before it 1/2, and the
    weights are scaled to sum to 1: pandas' `ewm(halflife=half_life)` with `adjust=True`.
    """

    mean: float = float("nan")
    variance: float = float("nan")
    count: int = 0

    def updated(self, window_return: float, *, half_life: float) -> Self:
        """Return the state after one more window."""
        if self.count == 0:
            return type(self)(window_return, 0.0, 1)
        decay = 0.5 ** (1.0 / half_life)
        share = (1.0 - decay) / (1.0 - decay ** (self.count + 1))
        surprise = window_return - self.mean
        mean = self.mean + share * surprise
        variance = (1.0 - share) * (self.variance + share * surprise * surprise)
        return type(self)(mean, variance, self.count + 1)

    @property
    def score(self) -> float:
        """Mean over standard deviation; minus infinity while there is no variance."""
        return self.mean / float(np.sqrt(self.variance)) if self.variance > 0 else -np.inf


def choose(states: dict[str, ChainState], *, min_windows: int, default: str) -> str:
    """Name the entrant that the champion follows.

    The best score among those with `min_windows` returns, ties by name; before that `default` if
    it takes part, else the first by name.
    """
    ripe = [name for name in sorted(states) if states[name].count >= min_windows]
    ripe = [name for name in ripe if states[name].score > -np.inf]
    if ripe:
        return max(ripe, key=lambda name: states[name].score)
    return default if default in states else min(states)


def drifted(weights: Floats, growth: Floats) -> tuple[Floats, float]:
    """Weights after prices moved by the factors `growth` (asset,), and the portfolio's return.

    Cash (1 - sum of weights) earns 0: `w_i g_i / G` with `G = 1 + sum(w_i (g_i - 1))`, return
    `G - 1`. A portfolio that lost everything (G <= 0) is left in cash.
    """
    total = 1.0 + float(weights @ (growth - 1.0))
    if total <= 0:
        return np.zeros_like(weights), total - 1.0
    return weights * growth / total, total - 1.0
