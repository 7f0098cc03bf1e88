"""Feature `signed_jump`: the share of good volatility minus that of bad volatility."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class SignedJump(Feature):
    """`sum(sign(r) r^2) / sum(r^2)` of the last month's returns, in [-1, 1].

    The relative signed jump of Bollerslev, Li & Zhao (2020), "Good volatility, bad volatility, and
    the cross section of stock returns". NaN while one return is missing, and for a flat price.
    """

    name: ClassVar[str] = "signed_jump"
    direction: ClassVar[int] = -1  # Bollerslev, Li & Zhao (2020)
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        squares = inputs.returns**2
        total = trailing_sum(squares, n_rows)
        signed = trailing_sum(np.sign(inputs.returns) * squares, n_rows)
        return signed / np.where(total > 0.0, total, np.nan)
