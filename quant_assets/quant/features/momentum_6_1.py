"""Feature `momentum_6_1`: the return of the last half year without its last month."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.market.panel import Floats


class HalfYearMomentum(Feature):
    """`close[t - 1 month] / close[t - 6 months] - 1` (Jegadeesh & Titman 1993).

    NaN where one of these two closes is missing.
    """

    name: ClassVar[str] = "momentum_6_1"
    direction: ClassVar[int] = 1  # Jegadeesh & Titman (1993)
    lookback: ClassVar[Months] = Months(6)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        return lagged(inputs.close, month) / lagged(inputs.close, 6 * month) - 1.0
