"""Exponentially weighted mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariances.ewma import HALF_LIFE, ewma_weights
from quant_assets.quant.moments.means.base import Floats, MeanEstimator


@dataclass(frozen=True)
class EwmaMean(MeanEstimator):
    """Weights `0.5^(age / half_life)` scaled to sum 1: pandas' `ewm(halflife=...).mean()`."""

    name: ClassVar[str] = "ewma"
    half_life: float = HALF_LIFE

    def __post_init__(self) -> None:
        if not self.half_life > 0:
            raise ConfigError(f"half_life is {self.half_life} rows; give a positive number")

    def estimate(self, rows: Floats) -> Floats:
        """Weighted average over time."""
        return np.asarray(ewma_weights(len(rows), self.half_life) @ rows)
