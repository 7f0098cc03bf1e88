"""Moving averages."""

from dataclasses import dataclass

import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Nodes

__all__ = ["Ema", "Sma", "ema", "sma"]


@dataclass(frozen=True)
class Sma(Indicator[Floats]):
    """Simple moving average: the mean of the last n rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.mean(self.n)


def sma(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Simple moving average, see `Sma`."""
    return Sma(n).compute(x)


@dataclass(frozen=True)
class Ema(Indicator[Floats]):
    """Exponential moving average: `e += 2 / (n + 1) * (x - e)`, seeded with the mean of n rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.ema(self.n)


def ema(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Exponential moving average, see `Ema`."""
    return Ema(n).compute(x)
