"""Feature `amihud`: how far a price moves per million traded."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import MIN_PRESENT, Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats

MILLION = 1e6


class Amihud(Feature):
    """Mean of `|return| / (close x volume)` over the traded bars of 3 months, per million quoted.

    Amihud (2002). NaN with more than 5 % of the bars missing or without volume.
    """

    name: ClassVar[str] = "amihud"
    direction: ClassVar[int] = 1  # Amihud (2002): a premium for illiquidity
    lookback: ClassVar[Months] = Months(3)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        traded = inputs.close * inputs.volume
        impact = np.abs(inputs.returns) / np.where(traded > 0.0, traded, np.nan)
        known = ~np.isnan(impact)
        count = trailing_sum(known.astype(np.float64), n_rows)
        count = np.where(count >= MIN_PRESENT * n_rows, count, np.nan)
        return MILLION * trailing_sum(np.where(known, impact, 0.0), n_rows) / count
