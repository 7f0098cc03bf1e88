"""Feature `reversal_1m`: what fell last month, high."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.market.panel import Floats


class Reversal(Feature):
    """`-(close[t] / close[t - 1 month] - 1)` (Jegadeesh 1990).

    NaN where one of these two closes is missing.
    """

    name: ClassVar[str] = "reversal_1m"
    direction: ClassVar[int] = 1  # Jegadeesh (1990); losers of the month score high
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        return 1.0 - inputs.close / lagged(inputs.close, inputs.month_bars)
