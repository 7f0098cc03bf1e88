"""Memory of a series: the Hurst exponent of the last n rows by rescaled range."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Nodes

__all__ = ["Hurst", "hurst"]


@dataclass(frozen=True)
class Hurst(Indicator[Floats]):
    """Hurst exponent of returns: slope of ln(mean R/S) on ln(rows), by rescaled range (R/S).

    The last n rows are cut, from the end, into one piece, two, four, … as long as a piece has
    `least` rows. R is the range of the running sums of distances from the piece's mean, from 0 on;
    S their standard deviation (divisor: rows). About 0.5 without memory, somewhat higher in short
    windows (Anis & Lloyd 1976); give it returns, not prices. Source: Hurst (1951); Mandelbrot &
    Wallis (1969).
    """

    n: int = rows(128, least=4)
    least: int = rows(8, least=2)
    undefined: ClassVar[str] = "a piece does not vary, or n has no two sizes of pieces"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.hurst_kernel import window_hurst

        n_scales = (self.n // self.least).bit_length()
        state = np.full((nodes.n_symbols, (n_scales + 1) * self.n), np.nan)
        return nodes.add(window_hurst, state, self.n, self.least)


def hurst(returns: npt.ArrayLike, n: int = 128, least: int = 8) -> Floats:
    """Hurst exponent of the last n returns; see `Hurst`."""
    return Hurst(n, least).compute(returns)
