"""Market impact by the square root of the share of the usual volume."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.moments.past import bar_returns, before, past_memory, past_moments
from quant_assets.quant.simulation.execution.slippage.base import (
    NO_SLIPPAGE,
    ImpactArrays,
    SlippageModel,
)
from quant_assets.quant.simulation.execution.terms import SlippageTerms


@dataclass(frozen=True, kw_only=True)
class SqrtVolume(SlippageModel):
    """`Y sigma (Q / V)^exponent`: sigma and V of one bar, over the last `lookback` bars.

    sigma : standard deviation of simple returns. V : mean volume. Both are scaled alike by the
    length of the bar, so that with the exponent 0.5 hourly and daily bars give the same impact.
    coefficient : Y, of order 1 (Toth et al. 2011, "Anomalous price impact and the critical nature
    of liquidity"; Almgren et al. 2005 find the exponent 0.6). In the first two bars, and where the
    volume is unknown, there is no impact.
    """

    name: ClassVar[str] = "sqrt_volume"
    coefficient: float = number(1.0, above=0.0)
    exponent: float = number(0.5, above=0.0, most=1.0)
    lookback: int = whole(20, least=2)

    def terms(self) -> SlippageTerms:
        """See the base class."""
        return NO_SLIPPAGE._replace(impact=self.coefficient, exponent=self.exponent)

    @property
    def memory(self) -> Memory:
        """See the base class."""
        return past_memory(self.lookback).longer(2)

    def arrays(self, bars: BarPanel) -> ImpactArrays:
        """See the base class; unknown volatility is 0, unknown or no volume infinity."""
        volatility = before(np.sqrt(past_moments(bar_returns(bars.close), self.lookback).variance))
        volume = before(past_moments(bars.volume, self.lookback).mean)
        return ImpactArrays(
            volatility=np.nan_to_num(volatility, nan=0.0),
            average_volume=np.where(volume > 0.0, volume, np.inf),
        )
