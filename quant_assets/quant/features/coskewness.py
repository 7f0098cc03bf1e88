"""Feature `coskewness`: whether a symbol falls when the market is turbulent."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import joint, trailing_scatter, trailing_sum
from quant_assets.quant.market.panel import Floats


class Coskewness(Feature):
    """`E[e m^2] / (sqrt(E[e^2]) E[m^2])` over 12 months, e the residual on the market m.

    m and e are deviations from their means; Harvey & Siddique (2000), eq. 11. NaN while one return
    is missing, and where the market explains all.
    """

    name: ClassVar[str] = "coskewness"
    direction: ClassVar[int] = -1  # Harvey & Siddique (2000): a premium for negative coskewness
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        market = inputs.market[:, None]
        moments = joint(inputs.market, inputs.returns, n_rows)
        raw = trailing_sum(market * market * inputs.returns, n_rows)
        squares = trailing_sum(market * market, n_rows)
        products = trailing_sum(market * inputs.returns, n_rows)
        mean_x, mean_y = moments.mean_x, moments.mean_y
        mixed = raw - mean_y * squares - 2.0 * mean_x * products + 2.0 * n_rows * mean_x**2 * mean_y
        cubes = trailing_scatter(market, n_rows, power=3)
        residual = moments.residual
        residual = np.where(residual > 1e-12 * moments.yy, residual, np.nan)
        return (mixed - moments.slope * cubes) / (np.sqrt(residual / n_rows) * moments.xx)
