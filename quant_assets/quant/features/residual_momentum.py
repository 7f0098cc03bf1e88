"""Feature `residual_momentum`: what a symbol earned beside the market, over its own noise."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.features.moments import joint
from quant_assets.quant.market.panel import Floats


class ResidualMomentum(Feature):
    """`sqrt(n) a / s` of `r = a + b m + e` over the last 12 months without the last one.

    m is the equal-weight market, s the residual deviation with n - 2 degrees of freedom: momentum
    of the part that the market does not explain (Blitz, Huij & Martens 2011). NaN while one return
    is missing and where nothing is left to explain.
    """

    name: ClassVar[str] = "residual_momentum"
    direction: ClassVar[int] = 1  # Blitz, Huij & Martens (2011)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        n_rows = self.lookback.bars(month) - month
        moments = joint(inputs.market, inputs.returns, n_rows)
        alpha = moments.mean_y - moments.slope * moments.mean_x
        noise = moments.residual / max(n_rows - 2, 1)
        noise = np.where(noise > 1e-12 * moments.yy / n_rows, noise, np.nan)
        return lagged(alpha * np.sqrt(n_rows / noise), month)
