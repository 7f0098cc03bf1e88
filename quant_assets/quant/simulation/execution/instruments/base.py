"""What an instrument rule is: the grid on which quantities and prices live."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quant_assets.core.parameters import Parameters
from quant_assets.quant.simulation.execution.terms import Floats

INSTRUMENTS = "quant_assets.quant.simulation.execution.instruments"


class Lots(NamedTuple):
    """`(symbol,)` each: see `InstrumentTerms`."""

    lot: Floats
    tick: Floats
    least_notional: Floats
    multiplier: Floats


@dataclass(frozen=True, kw_only=True)
class InstrumentModel(Parameters, ABC):
    """Lots floor quantities, ticks round prices, an order below the least notional is dropped."""

    @abstractmethod
    def lots(self, symbols: Sequence[str]) -> Lots:
        """The grid of each symbol; 0: none. The multiplier is units per contract."""
