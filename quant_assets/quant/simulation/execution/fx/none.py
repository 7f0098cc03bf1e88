"""Everything is quoted in the account's currency."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.fx.base import FxModel
from quant_assets.quant.simulation.execution.terms import Floats


@dataclass(frozen=True, kw_only=True)
class NoFx(FxModel):
    """1 for every symbol."""

    name: ClassVar[str] = "none"

    def rates(self, bars: BarPanel, rates: pd.DataFrame | None) -> Floats:
        """See the base class."""
        del rates
        return np.ones((1, len(bars.symbols)))
