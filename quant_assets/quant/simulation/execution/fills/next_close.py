"""Market orders fill at the next close."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import NEXT_CLOSE


@dataclass(frozen=True, kw_only=True)
class NextClose(FillModel):
    """Market orders fill at the close of the first bar after the decision.

    For venues that publish no opens.
    """

    name: ClassVar[str] = "next_close"
    model: ClassVar[int] = NEXT_CLOSE
