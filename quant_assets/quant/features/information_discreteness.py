"""Feature `information_discreteness`: whether a year's return came in jumps or in small steps."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months, lagged
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class InformationDiscreteness(Feature):
    """`sign(past return) x (share of falls - share of rises)` over 12 months without the last.

    Da, Gurun & Warachka (2014), "Frog in the pan": -1 is a return made of small steps, +1 one of
    few jumps; momentum lasts after the former. NaN while one return is missing.
    """

    name: ClassVar[str] = "information_discreteness"
    direction: ClassVar[int] = 0  # it says how long momentum lasts, not where the price goes
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        month = inputs.month_bars
        n_rows = self.lookback.bars(month) - month
        balance = trailing_sum(-np.sign(inputs.returns), n_rows) / n_rows
        past = lagged(inputs.close, month) / lagged(inputs.close, 12 * month) - 1.0
        return np.sign(past) * lagged(balance, month)
