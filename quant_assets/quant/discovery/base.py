"""What a screen is: one value per symbol, one limit, one comparison."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.market.panel import Floats, Panel

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ScreenInputs:
    """All that a screen may look at: history known at the decision time, on common axes.

    close, returns, volume : panels (time, symbol) of the universe's symbols, NaN where missing.
    listed, eligible : (symbol,) masks. `eligible` marks the symbols that passed every screen
    that is not `relative`; while those run it equals `listed`.
    has_volume : whether the venue publishes volume at all.
    """

    close: Panel
    returns: Panel
    volume: Panel
    listed: Bools
    eligible: Bools
    has_volume: bool
    bars_per_year: int
    parameters: DiscoveryParameters


class Screen(ABC):
    """One rule of the candidate pool. Subclass in an own file and give it a `name`.

    `relative` screens compare symbols with one another; they run last and see in
    `inputs.eligible` who passed the others. `nan_passes` tells what a NaN value means: the rule
    does not apply (True), or the value is unknown and the symbol fails (False, the default).
    """

    name: ClassVar[str]
    relative: ClassVar[bool] = False
    nan_passes: ClassVar[bool] = False

    @abstractmethod
    def measure(self, inputs: ScreenInputs) -> Floats:
        """Value per symbol, shape (symbol,), finite or NaN."""

    @abstractmethod
    def limit(self, parameters: DiscoveryParameters) -> float:
        """Return the limit that values are compared with."""

    @abstractmethod
    def accepts(self, values: Floats, limit: float) -> Bools:
        """Whether each value keeps the limit; what it says of NaN does not matter."""

    def passes(self, values: Floats, limit: float) -> Bools:
        """Apply `accepts` and the rule for NaN, shape (symbol,)."""
        return np.where(np.isnan(values), self.nan_passes, self.accepts(values, limit))


def annual_volatility(inputs: ScreenInputs) -> Floats:
    """Annualise the standard deviation (ddof 1) of the returns present, per symbol.

    Times sqrt(bars_per_year); NaN for a symbol with fewer than two returns.
    """
    returns = inputs.returns.values
    present = ~np.isnan(returns)
    count = present.sum(axis=0)
    mean = np.where(present, returns, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(present, returns - mean, 0.0) ** 2
    variance = squares.sum(axis=0) / np.maximum(count - 1, 1)
    return np.where(count > 1, np.sqrt(variance * inputs.bars_per_year), np.nan)
