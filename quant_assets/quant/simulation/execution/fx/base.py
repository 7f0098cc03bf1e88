"""What a rule of conversion is: prices of quote currencies in the account's."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from quant_assets.core.parameters import Parameters
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.terms import Floats

FX = "quant_assets.quant.simulation.execution.fx"


@dataclass(frozen=True, kw_only=True)
class FxModel(Parameters, ABC):
    """Value in the account's currency = value in the currency of the symbol x fx."""

    @abstractmethod
    def rates(self, bars: BarPanel, rates: pd.DataFrame | None) -> Floats:
        """`(time or 1, symbol)`, above 0; row t known when bar t opens."""

    def doubts(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """What must be said of these symbols beside the result."""
        del symbols
        return ()
