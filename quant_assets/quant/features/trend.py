"""Feature `trend`: how steadily the price rose over the last half year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import (
    FLAT,
    Feature,
    FeatureInputs,
    Months,
    centred_blocks,
    rows_from,
    to_blocks,
    trailing,
    window_is_present,
)
from quant_assets.quant.market.panel import Floats

# Floor of the unexplained share of the variation: keeps the t-value of a straight line finite.
MIN_RESIDUAL = 1e-10


class Trend(Feature):
    """t-value of the slope of log close on time over the last 6 months (ordinary least squares).

    `t = b / se(b)` with `se(b)^2 = SSE / (n - 2) / Sxx` (Lopez de Prado 2020, trend scanning). It
    is large when the price moved far compared with its detours. A flat price has 0; the residual
    share is at least 1e-10, so a straight line has `1e5 sqrt(n - 2)` instead of infinity. Missing
    bars are left out at their place in time; NaN when the own close or more than 5 % is missing.
    """

    name: ClassVar[str] = "trend"
    direction: ClassVar[int] = 1  # Moskowitz, Ooi & Pedersen (2012)
    lookback: ClassVar[Months] = Months(6)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        usable = window_is_present(inputs.close, n_rows)
        if len(usable) < n_rows:
            return np.full(usable.shape, np.nan)
        return np.where(usable, slope_t_values(np.log(inputs.close), n_rows), np.nan)


def slope_t_values(values: Floats, n_rows: int) -> Floats:
    """t-value of the slope on time of the last `n_rows` rows, missing ones left out.

    values : (time, column). Time is the row within the two blocks that a window touches.
    """
    n_times = len(values)
    present = ~np.isnan(values)
    weight = np.ones((n_times, 1)) if present.all() else present.astype(np.float64)
    older, newer = (np.nan_to_num(part, nan=0.0) for part in centred_blocks(values, n_rows))
    ones = np.nan_to_num(to_blocks(weight, n_rows), nan=0.0)
    clock = np.arange(n_rows, dtype=np.float64)[:, None]
    early, late = ones * (clock - n_rows), ones * clock
    count = trailing(np.add, ones, ones, n_times)
    time = trailing(np.add, early, late, n_times)
    level = trailing(np.add, older, newer, n_times)
    time_time = trailing(np.add, early * early, late * late, n_times)
    squares = trailing(np.add, older * older, newer * newer, n_times)
    products = trailing(np.add, older * (clock - n_rows), newer * clock, n_times)
    count = np.where(count > 2, count, np.nan)
    sxx = time_time - time * time / count
    sxy = products - time * level / count
    syy = squares - level * level / count
    moved = syy > FLAT * squares
    syy = np.where(moved, syy, 1.0)
    explained = sxy * sxy / sxx
    residual = np.maximum(syy - explained, MIN_RESIDUAL * syy)
    t_value = np.sign(sxy) * np.sqrt(explained * (count - 2.0) / residual)
    return rows_from(np.where(moved, t_value, 0.0 * count), n_times)
