"""Feature `distance_52w_high`: how near the price is to its high of the last year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import (
    Feature,
    FeatureInputs,
    Months,
    rows_from,
    to_blocks,
    trailing,
    window_is_present,
)
from quant_assets.quant.market.panel import Floats


class Distance52WeekHigh(Feature):
    """`close[t]` over the highest price of the last 12 months, in (0, 1] (George & Hwang 2004).

    The highest price is that of the highs where the venue publishes them and of the closes, the
    current bar included: 1 is a new high. Missing bars are left out; NaN when the own close or
    more than 5 % of the window is missing.
    """

    name: ClassVar[str] = "distance_52w_high"
    direction: ClassVar[int] = 1  # George & Hwang (2004)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows, n_times = self.lookback.bars(inputs.month_bars) + 1, len(inputs.close)
        usable = window_is_present(inputs.close, n_rows)
        if n_times < n_rows:
            return np.full(usable.shape, np.nan)
        blocks = to_blocks(np.fmax(inputs.high, inputs.close), n_rows)
        peak = rows_from(trailing(np.fmax, blocks, blocks, n_times), n_times)
        return np.where(usable, inputs.close / peak, np.nan)
