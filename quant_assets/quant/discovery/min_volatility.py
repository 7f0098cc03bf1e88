"""Screen `min_volatility`: pegs and halted prices have none."""

from typing import ClassVar

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs, annual_volatility
from quant_assets.quant.market.panel import Floats


class MinVolatility(Screen):
    """Annual volatility (ddof 1) over the readable history, at least `min_annual_volatility`."""

    name: ClassVar[str] = "min_volatility"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        return annual_volatility(inputs)

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`min_annual_volatility`."""
        return parameters.min_annual_volatility

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At least the limit."""
        return values >= limit
