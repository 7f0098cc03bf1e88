"""Feature `max_return`: the best bar of the last month."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_max
from quant_assets.quant.market.panel import Floats


class MaxReturn(Feature):
    """Largest simple return of the last month (MAX of Bali, Cakici & Whitelaw 2011).

    NaN while one of these returns is missing.
    """

    name: ClassVar[str] = "max_return"
    direction: ClassVar[int] = -1  # Bali, Cakici & Whitelaw (2011): lotteries are overpriced
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        return trailing_max(inputs.returns, self.lookback.bars(inputs.month_bars))
