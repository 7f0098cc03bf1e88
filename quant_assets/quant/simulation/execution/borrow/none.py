"""Shorts pay nothing: right for perpetuals, which have funding instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.simulation.execution.borrow.base import BorrowModel
from quant_assets.quant.simulation.execution.terms import Floats


@dataclass(frozen=True, kw_only=True)
class NoBorrow(BorrowModel):
    """No rate."""

    name: ClassVar[str] = "none"

    def rates(self, symbols: Sequence[str]) -> Floats:
        """See the base class."""
        return np.zeros(len(symbols))
