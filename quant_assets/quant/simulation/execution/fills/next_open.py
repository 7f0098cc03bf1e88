"""Market orders fill at the next open."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN


@dataclass(frozen=True, kw_only=True)
class NextOpen(FillModel):
    """Market orders fill at the open of the first bar after the decision (the default)."""

    name: ClassVar[str] = "next_open"
    model: ClassVar[int] = NEXT_OPEN
