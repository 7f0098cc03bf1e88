"""Feature `variance_ratio`: whether returns of five bars move more than five single ones."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_scatter, trailing_sum
from quant_assets.quant.market.panel import Floats

BARS = 5


class VarianceRatio(Feature):
    """Variance of overlapping 5-bar log returns over 5 times that of 1 bar, in 6 months.

    1 for a random walk, above it where moves go on (Lo & MacKinlay 1988, eq. 12-13, unbiased).
    NaN while one of the returns is missing, and for a flat price.
    """

    name: ClassVar[str] = "variance_ratio"
    direction: ClassVar[int] = 0  # a property of the path, not of its future
    lookback: ClassVar[Months] = Months(6)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        n_sums = n_rows - BARS + 1
        if n_sums < 2:
            return np.full(inputs.returns.shape, np.nan)
        logs = np.log1p(inputs.returns)
        mean = trailing_sum(logs, n_rows) / n_rows
        longer = trailing_sum(logs, BARS)
        squares = trailing_sum(longer**2, n_sums) - 2.0 * BARS * mean * trailing_sum(longer, n_sums)
        squares += n_sums * (BARS * mean) ** 2
        single = trailing_scatter(logs, n_rows, power=2) / (n_rows - 1)
        return squares / (BARS * n_sums * (1.0 - BARS / n_rows)) / single
