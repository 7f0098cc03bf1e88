"""Feature `roll_spread`: the bid-ask spread that bouncing prices give away."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import autocovariance
from quant_assets.quant.market.panel import Floats


class RollSpread(Feature):
    """`2 sqrt(-cov(r[t], r[t - 1]))` over the pairs of the last 3 months, as a share of the price.

    Roll (1984); 0 where the covariance is positive. NaN while one of the returns is missing.
    """

    name: ClassVar[str] = "roll_spread"
    direction: ClassVar[int] = 1  # Amihud & Mendelson (1986): a premium for illiquidity
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_pairs = self.lookback.bars(inputs.month_bars) - 1
        covariance = autocovariance(inputs.returns, n_pairs).xy / max(n_pairs - 1, 1)
        return 2.0 * np.sqrt(np.maximum(-covariance, 0.0))
