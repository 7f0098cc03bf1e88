"""Market orders fill near the average price of the next bar."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import NEXT_VWAP


@dataclass(frozen=True, kw_only=True)
class VwapLike(FillModel):
    """Market orders fill at `(open + high + low + close) / 4` of the first bar after the decision.

    A stand-in for the volume-weighted price of an order that is worked through the bar; the true
    one is not known from bars.
    """

    name: ClassVar[str] = "vwap_like"
    model: ClassVar[int] = NEXT_VWAP
