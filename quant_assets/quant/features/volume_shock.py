"""Feature `volume_shock`: the last month's volume over that of the last year."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.moments import trailing_sum
from quant_assets.quant.market.panel import Floats


class VolumeShock(Feature):
    """`log(mean volume of 1 month / mean volume of 12 months)`.

    Gervais, Kaniel & Mingelgrin (2001), "The high-volume return premium", who use days and weeks.
    NaN while one bar is missing, and for a month without volume.
    """

    name: ClassVar[str] = "volume_shock"
    direction: ClassVar[int] = 1  # Gervais, Kaniel & Mingelgrin (2001)
    lookback: ClassVar[Months] = Months(12)

    def compute(self, inputs: FeatureInputs) -> Floats:
        """See the base class."""
        short, long = inputs.month_bars, self.lookback.bars(inputs.month_bars) + 1
        recent, usual = (trailing_sum(inputs.volume, n) / n for n in (short, long))
        ratio = recent / np.where(usual > 0.0, usual, np.nan)
        return np.log(np.where(ratio > 0.0, ratio, np.nan))
