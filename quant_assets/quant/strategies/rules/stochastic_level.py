"""Slow stochastic beyond a level."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.indicators.oscillators import Stochastic
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.rules.base import Above, Below, LevelRule

__all__ = ["StochasticOverbought", "StochasticOversold"]


@dataclass(frozen=True, kw_only=True)
class _Level(LevelRule, ABC):
    """%K of `period` bars smoothed over `smooth` bars, 0 to 100."""

    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "stochastic": {"period": "k", "smooth": "smooth_k"}
    }
    period: int = 14
    smooth: int = 3

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return (Line(Stochastic(self.period, self.smooth, 1), "k"),)


@dataclass(frozen=True, kw_only=True)
class StochasticOverbought(_Level, Above):
    """%K is above `threshold`."""

    name: ClassVar[str] = "stochastic_overbought"
    threshold: float = 80.0


@dataclass(frozen=True, kw_only=True)
class StochasticOversold(_Level, Below):
    """%K is below `threshold`."""

    name: ClassVar[str] = "stochastic_oversold"
    threshold: float = 20.0
