"""Feature `downside_beta`: the slope on the market in the bars in which the market fell."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats

MIN_FALLS = 5


class DownsideBeta(Feature):
    """Least-squares slope, with intercept, on the equal-weight market over its falls of 12 months.

    Ang, Chen & Xing (2006), with bars below 0 instead of below the mean. NaN while one return of
    the window is missing, and with fewer than 5 falls.
    """

    name: ClassVar[str] = "downside_beta"
    direction: ClassVar[int] = 0  # the premium is earned with the fall, not predicted by the past
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        x, y = inputs.market[:, None], inputs.returns
        falls = np.where(np.isnan(x), np.nan, x < 0.0)
        count = trailing_sum(falls, n_rows)
        count = np.where(count >= MIN_FALLS, count, np.nan)
        total_x, total_y = trailing_sum(falls * x, n_rows), trailing_sum(falls * y, n_rows)
        squares, products = (trailing_sum(falls * x * part, n_rows) for part in (x, y))
        scatter = squares - total_x * total_x / count
        scatter = np.where(scatter > 1e-12 * squares, scatter, np.nan)
        return (products - total_x * total_y / count) / scatter
