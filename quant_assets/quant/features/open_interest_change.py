"""Feature `open_interest_change`: how many contracts were opened in the last month."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.market.panel import Floats


class OpenInterestChange(Feature):
    """`log(open interest[t] / open interest[t - 1 month])`, in contracts (Hong & Yogo 2012).

    NaN where one of the two is missing or 0.
    """

    name: ClassVar[str] = "open_interest_change"
    direction: ClassVar[int] = 1  # Hong & Yogo (2012)
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        level = np.where(inputs.open_interest > 0.0, inputs.open_interest, np.nan)
        return np.log(level / lagged(level, inputs.month_bars))
