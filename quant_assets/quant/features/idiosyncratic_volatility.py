"""Feature `idiosyncratic_volatility`: how much a price moves beside the market."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import joint
from quant_assets.quant.market.panel import Floats


class IdiosyncraticVolatility(Feature):
    """Deviation of the residuals of `r = a + b m + e` over 3 months x sqrt(bars_per_year).

    m is the equal-weight market; n - 2 degrees of freedom (Ang, Hodrick, Xing & Zhang 2006, with
    the market as the only factor). NaN while one return is missing; 0 where all is explained.
    """

    name: ClassVar[str] = "idiosyncratic_volatility"
    direction: ClassVar[int] = -1  # Ang et al. (2006)
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        moments = joint(inputs.market, inputs.returns, n_rows)
        flat = np.isnan(moments.yy) & ~np.isnan(moments.mean_y)
        variance = np.where(flat, 0.0, moments.residual / max(n_rows - 2, 1))
        return np.asarray(np.sqrt(variance * inputs.bars_per_year))
