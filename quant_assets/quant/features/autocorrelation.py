"""Feature `autocorrelation`: whether a bar's return goes on in the next one."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import autocovariance
from quant_assets.quant.market.panel import Floats


class Autocorrelation(Feature):
    """Correlation of each return with the one before it, over the pairs of the last 3 months.

    NaN while one of the returns is missing, and for a flat price.
    """

    name: ClassVar[str] = "autocorrelation"
    direction: ClassVar[int] = 0  # a property of the path, not of its future
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        pairs = autocovariance(inputs.returns, self.lookback.bars(inputs.month_bars) - 1)
        return np.clip(pairs.xy / np.sqrt(pairs.xx * pairs.yy), -1.0, 1.0)
