"""Feature `range_volatility`: volatility by the span from low to high."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class RangeVolatility(Feature):
    """`sqrt(mean(log(high / low)^2) / (4 log 2) x bars_per_year)` of the last month.

    Parkinson (1980). NaN while one bar is missing, or where highs and lows are not published.
    """

    name: ClassVar[str] = "range_volatility"
    direction: ClassVar[int] = -1  # as `volatility`
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        mean = trailing_sum(np.log(inputs.high / inputs.low) ** 2, n_rows) / n_rows
        return np.asarray(np.sqrt(mean / (4.0 * np.log(2.0)) * inputs.bars_per_year))
