"""Money flow index beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.volume import Mfi
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["MfiOverbought", "MfiOversold"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """MFI of `period` bars, 0 to 100."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {"mfi": {"period": "n"}}
    period: int = 14

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Mfi(self.period)),)


@dataclass(frozen=True, kw_only=True)
class MfiOverbought(_Level, Above):
    """MFI is above `threshold`."""

    name: ClassVar[str] = "mfi_overbought"
    threshold: float = 80.0


@dataclass(frozen=True, kw_only=True)
class MfiOversold(_Level, Below):
    """MFI is below `threshold`."""

    name: ClassVar[str] = "mfi_oversold"
    threshold: float = 20.0
