"""Everything is quoted in the account's currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.fx.base import FxModel
from quant_assets.quant.simulation.execution.terms import Floats
from quant_assets.quant.simulation.settlements import settles_in


@dataclass(frozen=True, kw_only=True)
class NoFx(FxModel):
    """1 for every symbol."""

    name: ClassVar[str] = "none"

    def rates(self, bars: BarPanel, rates: pd.DataFrame | None) -> Floats:
        """See the base class."""
        del rates
        return np.ones((1, len(bars.symbols)))

    def doubts(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """Several currencies are added up as if they were one."""
        found = sorted({settles_in(symbol) for symbol in symbols} - {""})
        if len(found) < 2:
            return ()
        return (
            f"CURRENCIES: profits in {', '.join(found)} are added up as if they were one; "
            "fx_model as_of converts them",
        )
