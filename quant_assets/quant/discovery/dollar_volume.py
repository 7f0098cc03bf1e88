"""Screen `dollar_volume`: enough is traded to get in and out."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats


class DollarVolume(Screen):
    """Median of close x volume over the bars that have both, in the venue's currency per bar.

    Does not apply (NaN, passes) where the venue publishes no volume or the limit is 0. A symbol
    without any volume on a venue that publishes it has 0.
    """

    name: ClassVar[str] = "dollar_volume"
    nan_passes: ClassVar[bool] = True

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        n_symbols = len(inputs.close.symbols)
        if not inputs.has_volume or self.limit(inputs.parameters) <= 0.0:
            return np.full(n_symbols, np.nan)
        traded = inputs.close.values * inputs.volume.values
        medians = np.zeros(n_symbols)
        known = ~np.isnan(traded)
        for column in np.flatnonzero(known.any(axis=0)):
            medians[column] = np.median(traded[known[:, column], column])
        return medians

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`min_dollar_volume`."""
        return parameters.min_dollar_volume

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At least the limit."""
        return values >= limit
