"""Feature `corwin_schultz`: the bid-ask spread that highs and lows give away."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats

ROOT = 3.0 - 2.0 * np.sqrt(2.0)


class CorwinSchultz(Feature):
    """Mean of the last month's two-bar spread estimates, negative ones counted as 0.

    Corwin & Schultz (2012), eq. 14 and 18: a range grows with the time it spans by volatility, and
    does not by the spread. NaN while one bar is missing, or where no highs and lows are published.
    """

    name: ClassVar[str] = "corwin_schultz"
    direction: ClassVar[int] = 1  # Amihud & Mendelson (1986): a premium for illiquidity
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        single = np.log(inputs.high / inputs.low) ** 2
        high = np.maximum(inputs.high, lagged(inputs.high, 1))
        low = np.minimum(inputs.low, lagged(inputs.low, 1))
        beta, gamma = single + lagged(single, 1), np.log(high / low) ** 2
        alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / ROOT - np.sqrt(gamma / ROOT)
        spread = 2.0 * np.expm1(alpha) / (1.0 + np.exp(alpha))
        return trailing_sum(np.maximum(spread, 0.0), n_rows) / n_rows
