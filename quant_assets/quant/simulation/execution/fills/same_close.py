"""Market orders fill at the very close that decided them: nobody could have traded so."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.quant.simulation.execution.fills.base import FillModel
from quant_assets.quant.simulation.execution.terms import SAME_CLOSE


@dataclass(frozen=True, kw_only=True)
class SameClose(FillModel):
    """Market orders fill at the close on which they were decided; stamped on the report.

    It looks a moment ahead, so it takes no latency.
    """

    name: ClassVar[str] = "same_close"
    model: ClassVar[int] = SAME_CLOSE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.latency:
            raise ConfigError(
                f"same_close: latency is {self.latency}; a fill at the deciding close leaves no "
                "time. Take next_open or next_close"
            )
