"""What a funding model is: which settlements fall into which bar."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.core.parameters import Parameters
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.state import Events

FUNDING = "quant_assets.quant.simulation.execution.funding"
_NONE, _NUMBERS = np.empty(0, dtype=np.int64), np.empty(0)
NO_EVENTS = Events(_NONE, _NONE, _NONE, _NUMBERS, _NUMBERS)


@dataclass(frozen=True, kw_only=True)
class FundingModel(Parameters, ABC):
    """Cash of a linear perpetual changes by `-quantity x mark x rate` at the settlement's time."""

    @abstractmethod
    def events(self, bars: BarPanel, funding: pd.DataFrame | None) -> Events:
        """Settlements in time order. funding : frame with `ts`, `symbol`, `rate`, `mark_price`."""
