"""Screen `listed`: the instrument still trades."""

from typing import ClassVar

import numpy as np

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.panel import Floats


class Listed(Screen):
    """1 for a symbol that the universe calls listed, else 0; the limit is 1."""

    name: ClassVar[str] = "listed"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        return inputs.listed.astype(np.float64)

    def limit(self, parameters: DiscoveryParameters) -> float:  # noqa: ARG002 - no setting for it
        """Being listed is not negotiable."""
        return 1.0

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At least the limit."""
        return values >= limit
