"""Feature `funding_carry`: what a long position in a perpetual earns by waiting."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats

MONTHS_PER_YEAR = 12


class FundingCarry(Feature):
    """Minus the sum of the last month's funding rates, per year.

    Longs pay positive rates: carry is what a position earns when prices stay (Koijen, Moskowitz,
    Pedersen & Vrugt 2018). NaN where no settlement became known in the month.
    """

    name: ClassVar[str] = "funding_carry"
    direction: ClassVar[int] = 1  # Koijen et al. (2018)
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        settled = ~np.isnan(inputs.funding_rate)
        count = trailing_sum(settled.astype(np.float64), n_rows)
        total = trailing_sum(np.where(settled, inputs.funding_rate, 0.0), n_rows)
        carry = np.where(count > 0.0, -MONTHS_PER_YEAR * total, np.nan)
        carry[:n_rows] = np.nan  # the first row's settlements may be those of any time before it
        return carry
