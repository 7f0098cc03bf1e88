"""Strategies of two legs: bought and sold together when their spread is far from its mean."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, EntrySizes
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["PairStrategy", "Spread"]

SPREAD, TRADED, SIDE, SIZE = "pair.spread", "pair.traded", "pair.side", "pair.size"


class Spread(NamedTuple):
    """The spread of two legs, each array `(time,)`.

    `z` is in its deviations, NaN unknown; `beta` the parts of the second leg for one of the first,
    above 0 where `traded` is 1 and not 0.
    """

    z: Floats
    beta: Floats
    traded: Floats


@dataclass(frozen=True, kw_only=True)
class PairStrategy(RowStrategy):
    """Long the first leg and short the second where z is below -`entry`, the reverse above it.

    Both are closed when z is back at 0, when it is beyond `stop`, and when the pair is no longer
    traded. Sizes: 1 and beta parts of equity that sum to 1. `first`, `second` are symbols; without
    them the bars must have two, taken in the order of the alphabet.
    """

    first: str = ""
    second: str = ""
    entry: float = number(2.0, above=0.0)
    stop: float = number(4.0, above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stop <= self.entry:
            raise ConfigError(f"{self.name}: stop = {self.stop} is not beyond entry = {self.entry}")

    @abstractmethod
    def spread(self, y: Floats, x: Floats, bars: BarPanel) -> Spread:
        """The spread of the log prices `(time,)` of both legs; row t from rows up to t."""

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        one, other = self._legs(bars.symbols)
        found = self.spread(np.log(bars.close[:, one]), np.log(bars.close[:, other]), bars)
        side, size = np.zeros_like(bars.close), np.zeros_like(bars.close)
        side[:, one], side[:, other] = 1.0, -1.0
        part = 1.0 / (1.0 + np.where(found.traded > 0.0, found.beta, 1.0))
        size[:, one], size[:, other] = part, 1.0 - part
        both = bars.members[:, one] & bars.members[:, other]
        pair = found.z, np.where(both, found.traded, 0.0)
        z, traded = (np.repeat(v[:, None], side.shape[1], axis=1) for v in pair)
        return {SPREAD: z, TRADED: traded, SIDE: side, SIZE: size}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        z, over = rows[SPREAD], rows[TRADED] <= 0.0
        low, high = (z < -self.entry) & (z >= -self.stop), (z > self.entry) & (z <= self.stop)
        up, down = (z >= 0.0) | (z < -self.stop) | over, (z <= 0.0) | (z > self.stop) | over
        first, leg = rows[SIDE] > 0.0, rows[SIDE] != 0.0
        return Signals(
            entry_long=np.where(first, low, high) & leg & ~over,
            exit_long=np.where(first, up, down) & leg,
            entry_short=np.where(first, high, low) & leg & ~over,
            exit_short=np.where(first, down, up) & leg,
        )

    def plan(self, bars: BarPanel) -> Plan:
        """See the base class."""
        return Plan(sizes=EntrySizes(np.array(self.columns(bars)[SIZE]), EQUITY_FRACTION))

    def _legs(self, symbols: tuple[str, ...]) -> tuple[int, int]:
        named = bool(self.first or self.second)
        names = (self.first, self.second) if named else tuple(sorted(symbols))
        if len(names) != 2 or len(set(names)) != 2 or not set(names) <= set(symbols):
            raise ConfigError(
                f"{self.name}: legs are {list(names)}; name two different ones of "
                f"{', '.join(symbols)}"
            )
        return symbols.index(names[0]), symbols.index(names[1])
