"""Feature `basis`: how dear a perpetual is compared with its spot instrument."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class Basis(Feature):
    """Mean of `close / spot close - 1` over the last month.

    A rich perpetual pays funding until it is cheap again: the basis is the price side of the carry
    (Koijen et al. 2018). NaN while one of the closes is missing, and where the venue has no spot
    instrument of the same pair.
    """

    name: ClassVar[str] = "basis"
    direction: ClassVar[int] = -1  # Koijen et al. (2018): it is the negative of the carry
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class; the window is the current row and the month before it."""
        n_rows = self.lookback.bars(inputs.month_bars) + 1
        return trailing_sum(inputs.close / inputs.spot_close - 1.0, n_rows) / n_rows
