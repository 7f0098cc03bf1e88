"""Screen `completeness`: few gaps since the first bar."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats


class Completeness(Screen):
    """Share of the grid rows from a symbol's first close to the end that have a close.

    Rows after a delisting count as missing. NaN, which fails, for a symbol without any close.
    """

    name: ClassVar[str] = "completeness"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        present = ~np.isnan(inputs.close.values)
        if len(present) == 0:
            return np.full(present.shape[1], np.nan)
        life = len(present) - np.argmax(present, axis=0)
        count = present.sum(axis=0)
        return np.where(count > 0, count / life, np.nan)

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`min_completeness`."""
        return float(parameters.min_completeness)

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At least the limit."""
        return values >= limit
