"""Sizes with which the book is expected to swing by a stated volatility."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariance import Estimator, covariance_matrix
from quant_assets.quant.sizing.base import Floats, Sizer


@dataclass(frozen=True, kw_only=True)
class VolatilityTarget(Sizer):
    """Positions by inverse volatility, scaled so that `sqrt(w'Σw * periods_per_year)` is `target`.

    Every name brings the same volatility of its own; their correlations set the common scale. Calm
    names need leverage: `max_leverage` ends it, and the book then stays below its target.

    target : volatility of the whole book per year, as a fraction. periods_per_year : rows in a
    year. covariance : an estimator of `quant.moments`; `ewma` follows volatility as it moves.
    """

    name: ClassVar[str] = "volatility_target"
    periods_per_year: float
    target: float = 0.10
    covariance: Estimator = "ewma"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("periods_per_year", "target")

    def size(self, sides: Floats, rows: Floats) -> Floats:
        """`k * side / volatility`; 0 when the positions cancel out and no scale is large enough."""
        covariance = covariance_matrix(sides * rows, estimator=self.covariance)
        shape = 1.0 / np.sqrt(np.diag(covariance))
        annual = float(shape @ covariance @ shape) * self.periods_per_year
        # each name alone has the variance 1; below rounding of that there is no risk left to scale
        cancelled = annual <= len(sides) ** 2 * np.finfo(np.float64).eps * self.periods_per_year
        scale = 0.0 if cancelled else self.target / np.sqrt(annual)
        return np.asarray(scale * sides * shape)
