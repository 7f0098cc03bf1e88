"""Fills limited by what was traded, limits behind the queue, the rest carried on."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN


@dataclass(frozen=True, kw_only=True)
class RealisticVolume(FillModel):
    """At the next open, at most `participation` of the bar's volume; limits when traded through.

    filled[t] = min(remainder, participation x volume[t]); what is left is carried for
    `time_to_live` bars, then cancelled. 10 % is a usual cap of orders that follow the volume, not a
    law; zipline's default is 2.5 % (see `volume_share`). The preset of this name has these fills.
    """

    name: ClassVar[str] = "realistic_volume"
    model: ClassVar[int] = NEXT_OPEN
    limits: str = choice("through", "touch")
    participation: float = number(0.10, above=0.0, most=1.0)
    time_to_live: int = whole(5, least=1)
