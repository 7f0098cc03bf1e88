"""Screen `history`: enough bars to estimate anything."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats


class MinHistory(Screen):
    """Number of closes in the readable history, against `min_history_bars`."""

    name: ClassVar[str] = "history"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        return np.asarray((~np.isnan(inputs.close.values)).sum(axis=0), dtype=np.float64)

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`min_history_bars`."""
        return float(parameters.min_history_bars)

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At least the limit."""
        return values >= limit
