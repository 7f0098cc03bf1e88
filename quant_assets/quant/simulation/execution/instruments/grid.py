"""Lots, ticks, least notional and multipliers: one for all, or each symbol its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.instruments.base import InstrumentModel, Lots


@dataclass(frozen=True, kw_only=True)
class Grid(InstrumentModel):
    """`quantity = lot x floor(quantity / lot)`; an order below `least_notional` is dropped.

    lot, tick, least_notional : 0: none. multiplier : units of the underlying per contract (50 for
    the E-mini S&P 500). by_symbol : the same four by name for symbols that differ:
    `{BTC/USDT:USDT: {lot: 0.001, tick: 0.1, least_notional: 100}}`.
    """

    name: ClassVar[str] = "grid"
    lot: float = number(1.0, least=0.0)
    tick: float = number(0.0, least=0.0)
    least_notional: float = number(0.0, least=0.0)
    multiplier: float = number(1.0, above=0.0)
    by_symbol: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.by_symbol, Mapping):
            raise ConfigError(f"grid: by_symbol is {self.by_symbol!r}; map symbols to their grid")
        for symbol, own in self.by_symbol.items():
            odd = set(own) - set(Lots._fields)
            if odd:
                raise ConfigError(f"grid: {symbol} has {sorted(odd)}; known are {Lots._fields}")
            Grid(**cast("Any", own))

    def lots(self, symbols: Sequence[str]) -> Lots:
        """See the base class."""
        unknown = sorted(set(self.by_symbol) - set(symbols))
        if unknown:
            raise ConfigError(f"grid: by_symbol names {unknown}, which the bars do not have")

        def column(name: str) -> np.ndarray:
            default = float(getattr(self, name))
            return np.array([float(self.by_symbol.get(s, {}).get(name, default)) for s in symbols])

        return Lots(*(column(name) for name in Lots._fields))
