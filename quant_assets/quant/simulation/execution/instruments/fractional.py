"""Any quantity at any price."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.simulation.execution.instruments.base import InstrumentModel, Lots


@dataclass(frozen=True, kw_only=True)
class Fractional(InstrumentModel):
    """No lot, no tick, no least notional, multiplier 1."""

    name: ClassVar[str] = "fractional"

    def lots(self, symbols: Sequence[str]) -> Lots:
        """See the base class."""
        nothing = np.zeros(len(symbols))
        return Lots(nothing, nothing, nothing, np.ones(len(symbols)))
