"""Feature `overnight_return`: what a price gained between the bars of the last month."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class OvernightReturn(Feature):
    """Sum of `log(open[t] / close[t - 1])` over the last month (Lou, Polk & Skouras 2019).

    NaN while one bar is missing, or where no opens are published.
    """

    name: ClassVar[str] = "overnight_return"
    direction: ClassVar[int] = 0  # it goes on overnight and turns in the session: no sign in sum
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        gaps = np.log(inputs.open / lagged(inputs.close, 1))
        return trailing_sum(gaps, self.lookback.bars(inputs.month_bars))
