"""Feature `intermediate_momentum`: the return of the first half of the last year."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.market.panel import Floats


class IntermediateMomentum(Feature):
    """`close[t - 6 months] / close[t - 12 months] - 1` (Novy-Marx 2012).

    NaN where one of these two closes is missing.
    """

    name: ClassVar[str] = "intermediate_momentum"
    direction: ClassVar[int] = 1  # Novy-Marx (2012)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        return lagged(inputs.close, 6 * month) / lagged(inputs.close, 12 * month) - 1.0
