"""Feature `beta`: the slope of a symbol's returns on the market's."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import (
    FLAT,
    Feature,
    FeatureInputs,
    Months,
    centred_blocks,
    rows_from,
    trailing,
)
from quant_assets.quant.market.panel import Floats


class Beta(Feature):
    """Least-squares slope, with intercept, on the equal-weight market over the last 12 months.

    `cov(r, m) / var(m)`; the market contains the symbol itself, so the mean beta of symbols with
    equal histories is 1. NaN while one return of the window is missing, and where the market did
    not move. Frazzini & Pedersen (2014) give the use as a feature.
    """

    name: ClassVar[str] = "beta"
    direction: ClassVar[int] = -1  # Frazzini & Pedersen (2014)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows, n_times = self.lookback.bars(inputs.month_bars), len(inputs.returns)
        if n_times < n_rows:
            return np.full(inputs.returns.shape, np.nan)
        x, x_newer = centred_blocks(inputs.market[:, None], n_rows)
        y, y_newer = centred_blocks(inputs.returns, n_rows)
        total_x = trailing(np.add, x, x_newer, n_times)
        total_y = trailing(np.add, y, y_newer, n_times)
        squares = trailing(np.add, x * x, x_newer * x_newer, n_times)
        products = trailing(np.add, x * y, x_newer * y_newer, n_times)
        scatter = squares - total_x * total_x / n_rows
        scatter = np.where(scatter > FLAT * squares, scatter, np.nan)
        return rows_from((products - total_x * total_y / n_rows) / scatter, n_times)
