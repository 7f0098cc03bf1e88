"""Exponentially weighted covariance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram

HALF_LIFE = 63.0


@dataclass(frozen=True)
class EwmaCovariance(CovarianceEstimator):
    """Weights `0.5^(age / half_life)` scaled to sum 1, around the weighted mean (biased).

    Equals pandas' `ewm(halflife=half_life).cov(bias=True)` on its last row.
    """

    name: ClassVar[str] = "ewma"
    half_life: float = HALF_LIFE

    def __post_init__(self) -> None:
        if not self.half_life > 0:
            raise ConfigError(f"half_life is {self.half_life} rows; give a positive number")

    def estimate(self, rows: Floats) -> Floats:
        """`sum_t p_t (x_t - m)(x_t - m)'`, m the weighted mean."""
        weights = ewma_weights(len(rows), self.half_life)
        centred = rows - weights @ rows
        return gram(np.sqrt(weights)[:, None] * centred)


def ewma_weights(n_rows: int, half_life: float) -> Floats:
    """Weights (time,) that sum to 1; the row `half_life` rows before the newest weighs half."""
    weights = 0.5 ** (np.arange(n_rows - 1, -1, -1, dtype=np.float64) / half_life)
    return np.asarray(weights / weights.sum())
