"""Screen `max_volatility`: no lottery tickets, no broken price series."""

from typing import ClassVar

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs, annual_volatility
from quant_assets.quant.market.panel import Floats


class MaxVolatility(Screen):
    """Annual volatility (ddof 1) over the readable history, at most `max_annual_volatility`."""

    name: ClassVar[str] = "max_volatility"

    def measure(self, inputs: ScreenInputs) -> Floats:
        """See the base class."""
        return annual_volatility(inputs)

    def limit(self, parameters: DiscoveryParameters) -> float:
        """`max_annual_volatility`."""
        return parameters.max_annual_volatility

    def accepts(self, values: Floats, limit: float) -> Bools:
        """At most the limit."""
        return values <= limit
