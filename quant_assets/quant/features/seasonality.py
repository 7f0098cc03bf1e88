"""Feature `seasonality`: the return of the coming month, one year ago."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.market.panel import Floats


class Seasonality(Feature):
    """`close[t - 11 months] / close[t - 12 months] - 1` (Heston & Sadka 2008).

    NaN where one of these two closes is missing.
    """

    name: ClassVar[str] = "seasonality"
    direction: ClassVar[int] = 1  # Heston & Sadka (2008)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        return lagged(inputs.close, 11 * month) / lagged(inputs.close, 12 * month) - 1.0
