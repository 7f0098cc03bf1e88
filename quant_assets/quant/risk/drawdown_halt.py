"""Everything is closed in a deep drawdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import LimitRule
from quant_assets.quant.risk.terms import UNLIMITED

__all__ = ["DrawdownHalt"]


@dataclass(frozen=True, kw_only=True)
class DrawdownHalt(LimitRule):
    """At a drawdown of `pct` or more, all is closed at the next fill, and nothing is opened.

    Trading resumes when the drawdown is below `resume`, or after `bars` bars; the highest equity
    then starts anew. An account in cash does not recover by itself: with `bars` 0 only interest
    ends the halt.
    """

    name: ClassVar[str] = "drawdown_halt"
    pct: float = number(0.20, above=0.0, below=1.0)
    resume: float = number(0.0, least=0.0, below=1.0)
    bars: int = whole(0, least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resume >= self.pct:
            raise ConfigError(
                f"drawdown_halt: resume is {self.resume:g} and pct {self.pct:g}; a halt would end "
                "where it begins. resume must be below pct"
            )

    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """See the base class."""
        del bars
        return {
            "halt_drawdown": self.pct,
            "resume_drawdown": self.resume,
            "halt_bars": self.bars or UNLIMITED,
        }
