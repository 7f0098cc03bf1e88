"""Volume beside the moves that it makes, and its own. Oracle: plain numpy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes
from quant_assets.quant.indicators.volume import CV

__all__ = [
    "EaseOfMovement",
    "ForceIndex",
    "VolumeOscillator",
    "ease_of_movement",
    "force_index",
    "volume_oscillator",
]


@dataclass(frozen=True)
class ForceIndex(Indicator[Floats]):
    """Exponential average of the change of the close times the volume (Elder 1993)."""

    n: int = rows(13)
    inputs: ClassVar[tuple[str, ...]] = CV

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, average = nodes.lag(1), nodes.ema(self.n)
        return lambda close, volume: average((close - before(close)) * volume)


def force_index(close: npt.ArrayLike, volume: npt.ArrayLike, n: int = 13) -> Floats:
    """Force index; see `ForceIndex`."""
    return ForceIndex(n).compute(close, volume)


@dataclass(frozen=True)
class EaseOfMovement(Indicator[Floats]):
    """Mean of n rows of `change of (h + l) / 2 * (h - l) / (volume / volume_unit)`.

    NaN where a row of the window has no volume. Source: Arms (1996), "Trading Without Fear".
    """

    n: int = rows(14)
    volume_unit: float = factor(1e8)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "volume")
    undefined: ClassVar[str] = "a row of the window has no volume"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, mean, unit = nodes.lag(1), nodes.mean(self.n), self.volume_unit

        def step(high: Block, low: Block, volume: Block) -> Block:
            middle = (high + low) / 2.0
            traded = np.where(volume > 0.0, volume, np.nan)
            return mean((middle - before(middle)) * (high - low) / (traded / unit))

        return step


def ease_of_movement(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    volume: npt.ArrayLike,
    n: int = 14,
    volume_unit: float = 1e8,
) -> Floats:
    """Ease of movement; see `EaseOfMovement`."""
    return EaseOfMovement(n, volume_unit).compute(high, low, volume)


@dataclass(frozen=True)
class VolumeOscillator(Indicator[Floats]):
    """Fast less slow mean of the volume, in percent of the slow one; NaN where nothing traded."""

    fast: int = rows(5)
    slow: int = rows(10)
    inputs: ClassVar[tuple[str, ...]] = ("volume",)
    undefined: ClassVar[str] = "nothing traded"
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        quick, slow = nodes.mean(self.fast), nodes.mean(self.slow)

        def step(volume: Block) -> Block:
            base: Block = slow(volume)
            return 100.0 * (quick(volume) - base) / base

        return step


def volume_oscillator(volume: npt.ArrayLike, fast: int = 5, slow: int = 10) -> Floats:
    """Volume oscillator in percent; see `VolumeOscillator`."""
    return VolumeOscillator(fast, slow).compute(volume)
