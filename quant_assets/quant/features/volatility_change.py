"""Feature `volatility_change`: the last month's volatility over that of the last half year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, trailing_variance
from quant_assets.quant.market.panel import Floats


class VolatilityChange(Feature):
    """`log(deviation of 1 month / deviation of 6 months)` of the returns, ddof 1.

    NaN while one of the returns is missing, and where the price stood still for a month.
    """

    name: ClassVar[str] = "volatility_change"
    direction: ClassVar[int] = 0  # rising risk has no agreed sign across instruments
    lookback: ClassVar[Months] = Months(6)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        short, long = (trailing_variance(inputs.returns, n * month) for n in (1, 6))
        ratio = short / np.where(long > 0.0, long, np.nan)
        return 0.5 * np.log(np.where(ratio > 0.0, ratio, np.nan))
