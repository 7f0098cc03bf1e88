"""Feature `time_series_momentum`: how surely the price rose over the last year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_scatter, trailing_sum
from quant_assets.quant.market.panel import Floats


class TimeSeriesMomentum(Feature):
    """t-value of the mean log return of the last 12 months: `sum(l) / (std(l) sqrt(n))`, ddof 1.

    The return of the window over its volatility (Moskowitz, Ooi & Pedersen 2012). NaN while one
    return is missing; 0 for a flat price.
    """

    name: ClassVar[str] = "time_series_momentum"
    direction: ClassVar[int] = 1  # Moskowitz, Ooi & Pedersen (2012)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars)
        logs = np.log1p(inputs.returns)
        total = trailing_sum(logs, n_rows)
        variance = trailing_scatter(logs, n_rows, power=2) / (n_rows - 1)
        return np.where(np.isnan(variance), 0.0 * total, total / np.sqrt(variance * n_rows))
