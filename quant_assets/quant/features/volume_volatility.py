"""Feature `volume_volatility`: how unsteady an instrument's trading is."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_scatter, trailing_sum
from quant_assets.quant.market.panel import Floats


class VolumeVolatility(Feature):
    """Deviation (ddof 1) over mean of the volume of the last 12 months.

    Chordia, Subrahmanyam & Anshuman (2001). NaN while one bar is missing, 0 for an even volume.
    """

    name: ClassVar[str] = "volume_volatility"
    direction: ClassVar[int] = -1  # Chordia, Subrahmanyam & Anshuman (2001)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        mean = trailing_sum(inputs.volume, n_rows) / n_rows
        scatter = trailing_scatter(inputs.volume, n_rows, power=2)
        scatter = np.where(np.isnan(scatter), 0.0 * mean, scatter)
        return np.sqrt(scatter / (n_rows - 1)) / np.where(mean > 0.0, mean, np.nan)
