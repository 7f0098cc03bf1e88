"""Feature `liquidation_imbalance`: whether longs or shorts were forced out in the last month."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class LiquidationImbalance(Feature):
    """`(longs - shorts) / (longs + shorts)` of the liquidated quote notional of the last month.

    In [-1, 1]: +1 when only longs were forced to sell. NaN in a month without liquidations.
    """

    name: ClassVar[str] = "liquidation_imbalance"
    direction: ClassVar[int] = 0  # forced sales are said to revert, without an agreed horizon
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        longs, shorts = (
            trailing_sum(notional, n_rows)
            for notional in (inputs.liquidated_longs, inputs.liquidated_shorts)
        )
        total = longs + shorts
        imbalance = (longs - shorts) / np.where(total > 0.0, total, np.nan)
        imbalance[:n_rows] = np.nan  # the first row's orders may be those of any time before it
        return imbalance
