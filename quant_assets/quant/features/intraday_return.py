"""Feature `intraday_return`: what a price gained inside the bars of the last month."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class IntradayReturn(Feature):
    """Sum of `log(close / open)` over the last month (Lou, Polk & Skouras 2019).

    NaN while one bar is missing, or where no opens are published.
    """

    name: ClassVar[str] = "intraday_return"
    direction: ClassVar[int] = 0  # it goes on in the session and turns overnight: no sign in sum
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class; the window is the current row and the month before it."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        return trailing_sum(np.log(inputs.close / inputs.open), n_rows)
