"""Feature `kurtosis`: how much of the last half year's movement came in few bars."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_scatter
from quant_assets.quant.market.panel import Floats


class Kurtosis(Feature):
    """Biased excess kurtosis of the last 6 months' returns.

    NaN while one of the returns is missing, and for a flat price.
    """

    name: ClassVar[str] = "kurtosis"
    direction: ClassVar[int] = 0  # Amaya et al. (2015) find no stable sign
    lookback: ClassVar[Months] = Months(6)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        second, fourth = (trailing_scatter(inputs.returns, n_rows, power=p) for p in (2, 4))
        return n_rows * fourth / second**2 - 3.0
