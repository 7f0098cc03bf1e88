"""Feature `skewness`: whether the last quarter's returns lean to falls or to rises."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_scatter
from quant_assets.quant.market.panel import Floats


class Skewness(Feature):
    """Biased skewness of the last 3 months' returns.

    Amaya, Christoffersen, Jacobs & Vasquez (2015) use the same inside a week. NaN while one of the
    returns is missing, and for a flat price.
    """

    name: ClassVar[str] = "skewness"
    direction: ClassVar[int] = -1  # Amaya et al. (2015)
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        second, third = (trailing_scatter(inputs.returns, n_rows, power=p) for p in (2, 3))
        return np.asarray(np.sqrt(n_rows) * third / second**1.5)
