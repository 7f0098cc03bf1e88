"""What a borrow model is: yearly rates of what is short."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from quant_assets.core.parameters import Parameters
from quant_assets.quant.simulation.execution.terms import Floats

BORROW = "quant_assets.quant.simulation.execution.borrow"


@dataclass(frozen=True, kw_only=True)
class BorrowModel(Parameters, ABC):
    """A short of q units pays `q x previous close x rate x calendar days / 365`."""

    @abstractmethod
    def rates(self, symbols: Sequence[str]) -> Floats:
        """Yearly rates `(symbol,)` as fractions."""
