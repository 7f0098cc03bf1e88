"""Feature `dollar_volume`: how much is traded in an instrument."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class DollarVolume(Feature):
    """Log of the mean of `close x volume` per bar over the last 3 months, in quote currency.

    Brennan, Chordia & Subrahmanyam (1998). NaN while one bar is missing, and without any volume.
    """

    name: ClassVar[str] = "dollar_volume"
    direction: ClassVar[int] = -1  # Brennan, Chordia & Subrahmanyam (1998)
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        mean = trailing_sum(inputs.close * inputs.volume, n_rows) / n_rows
        return np.log(np.where(mean > 0.0, mean, np.nan))
