"""Feature `moving_average_distance`: the short average of the price over the long one."""

from typing import ClassVar

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats

SHORT, LONG = 1, 10  # months: 21 and 200 days in the paper


class MovingAverageDistance(Feature):
    """Mean close of the last month over that of the last 10 months, minus 1.

    Avramov, Kaplanski & Subrahmanyam (2021), "Moving average distance as a predictor of equity
    returns". NaN while one close of the 10 months is missing.
    """

    name: ClassVar[str] = "moving_average_distance"
    direction: ClassVar[int] = 1  # Avramov, Kaplanski & Subrahmanyam (2021)
    lookback: ClassVar[Months] = Months(LONG)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class; the long window holds the current row and `lookback` before it."""
        short, long = SHORT * inputs.month_bars, LONG * inputs.month_bars + 1
        means = trailing_sum(inputs.close, short) / short, trailing_sum(inputs.close, long) / long
        return means[0] / means[1] - 1.0
