"""Feature `volatility`: how much the price moved over the last quarter."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, trailing_variance
from quant_assets.quant.market.panel import Floats


class Volatility(Feature):
    """Standard deviation (ddof 1) of the last 3 months' returns x sqrt(bars_per_year).

    NaN while one of these returns is missing (Ang, Hodrick, Xing & Zhang 2006 use one month).
    """

    name: ClassVar[str] = "volatility"
    direction: ClassVar[int] = -1  # Ang et al. (2006)
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        variance = trailing_variance(inputs.returns, self.lookback.bars(inputs.month_bars))
        return np.sqrt(variance * inputs.bars_per_year)
