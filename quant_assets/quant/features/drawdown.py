"""Feature `drawdown`: the worst fall inside the last year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import (
    Feature,
    FeatureInputs,
    Months,
    rows_from,
    to_blocks,
    window_ends,
    window_is_present,
    window_starts,
)
from quant_assets.quant.market.panel import Floats


class Drawdown(Feature):
    """Worst `close[j] / close[i] - 1` with i <= j, both within the last 12 months; never above 0.

    This is the maximum drawdown of the trailing year, whatever happened since; where the price
    stands now below its high is `distance_52w_high`. Missing closes are left out; NaN when the
    own close or more than 5 % of the window is missing.
    """

    name: ClassVar[str] = "drawdown"
    direction: ClassVar[int] = 1  # negative values: nearer to 0 is better
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        usable = window_is_present(inputs.close, n_rows)
        if len(usable) < n_rows:
            return np.full(usable.shape, np.nan)
        return np.where(usable, worst_ratios(inputs.close, n_rows) - 1.0, np.nan)


def worst_ratios(close: Floats, n_rows: int) -> Floats:
    """Smallest `close[j] / close[i]`, i <= j, in the last `n_rows` rows; NaN in warm-up.

    The worst ratio of a window is that of its older part, that of its newer part, or the newer
    part's low over the older part's high.
    """
    n_times = len(close)
    blocks = to_blocks(close, n_rows)
    backwards = blocks[:, ::-1]
    low_after = np.fmin.accumulate(backwards, axis=1)
    within_older = window_starts(np.fmin.accumulate(low_after / backwards, axis=1), n_times)
    high_older = window_starts(np.fmax.accumulate(backwards, axis=1), n_times)
    high_before = np.fmax.accumulate(blocks, axis=1)
    within_newer = window_ends(np.fmin.accumulate(blocks / high_before, axis=1), n_times)
    low_newer = window_ends(np.fmin.accumulate(blocks, axis=1), n_times)
    worst = np.fmin(np.fmin(within_older, within_newer), low_newer / high_older)
    worst[::n_rows] = within_older[::n_rows]
    return rows_from(worst, n_times)
