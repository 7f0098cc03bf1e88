"""Momentum and oscillators. Oracle: TA-Lib, where it has the name; else the formula."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, Unary, share, where_known

__all__ = [
    "Bop",
    "Cci",
    "Cmo",
    "Momentum",
    "Roc",
    "Rsi",
    "Stochastic",
    "StochasticFast",
    "StochasticLines",
    "StochasticRsi",
    "WilliamsR",
    "bop",
    "cci",
    "cmo",
    "momentum",
    "roc",
    "rsi",
    "stochastic",
    "stochastic_fast",
    "stochastic_rsi",
    "williams_r",
]

HLC = ("high", "low", "close")


@dataclass(frozen=True)
class Momentum(Indicator[Floats]):
    """Change over n rows, in units of the series: `x[t] - x[t - n]`."""

    n: int = rows(10)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before = nodes.lag(self.n)
        return lambda x: x - before(x)


def momentum(x: npt.ArrayLike, n: int = 10) -> Floats:
    """Change over n rows; see `Momentum`."""
    return Momentum(n).compute(x)


@dataclass(frozen=True)
class Roc(Indicator[Floats]):
    """Rate of change over n rows in percent: `100 (x[t] - x[t - n]) / x[t - n]`; 0 from 0."""

    n: int = rows(10)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.rate(self.n)


def roc(x: npt.ArrayLike, n: int = 10) -> Floats:
    """Rate of change in percent; see `Roc`."""
    return Roc(n).compute(x)


def wilder_moves(nodes: Nodes, n: int) -> Callable[[Block], tuple[Block, Block]]:
    """Wilder's averages of the rises and of the falls."""
    from quant_assets.quant.indicators.oscillators_kernel import strength

    state = nodes.zeros(4)
    state[3] = np.nan
    return nodes.add(strength, state, n, n_outputs=2)


def relative_strength(nodes: Nodes, n: int) -> Unary:
    """RSI of a series."""
    moves = wilder_moves(nodes, n)

    def step(x: Block) -> Block:
        up, down = moves(x)
        return share(up, up + down)

    return step


@dataclass(frozen=True)
class Rsi(Indicator[Floats]):
    """Relative strength index: `100 U / (U + D)` of Wilder's averages of rises and falls.

    Seeded by the mean of the first n changes (Wilder 1978). 0 of a flat price, as in TA-Lib.
    """

    n: int = rows(14, least=2)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return relative_strength(nodes, self.n)


def rsi(close: npt.ArrayLike, n: int = 14) -> Floats:
    """Relative strength index; see `Rsi`."""
    return Rsi(n).compute(close)


@dataclass(frozen=True)
class Cmo(Indicator[Floats]):
    """Chande's momentum: `100 (U - D) / (U + D)` of Wilder's averages, as TA-Lib; see `Rsi`."""

    n: int = rows(14, least=2)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        moves = wilder_moves(nodes, self.n)

        def step(x: Block) -> Block:
            up, down = moves(x)
            return share(up - down, up + down)

        return step


def cmo(close: npt.ArrayLike, n: int = 14) -> Floats:
    """Chande's momentum; see `Cmo`."""
    return Cmo(n).compute(close)


class StochasticLines(NamedTuple):
    """%K and its average %D, in [0, 100]."""

    k: Floats
    d: Floats


def position(nodes: Nodes, n: int) -> Callable[[Block, Block, Block], Block]:
    """Where the close lies between lowest low (0) and highest high (100); 0 without a range."""
    top, bottom = nodes.highest(n), nodes.lowest(n)

    def step(high: Block, low: Block, close: Block) -> Block:
        least = bottom(low)
        return share(close - least, top(high) - least)

    return step


def stochastic_lines(
    nodes: Nodes, k: int, smooth_k: int, d: int
) -> Callable[[Block, Block, Block], tuple[Block, ...]]:
    """%K smoothed and %D of (high, low, close)."""
    place, smooth, average = position(nodes, k), nodes.mean(smooth_k), nodes.mean(d)

    def step(high: Block, low: Block, close: Block) -> tuple[Block, ...]:
        slow = smooth(place(high, low, close))
        signal = average(slow)
        return where_known(slow, signal), signal

    return step


@dataclass(frozen=True)
class Stochastic(Indicator[StochasticLines]):
    """Slow stochastic: SMA(smooth_k) of the close's place in the range of k rows; its SMA(d).

    The place is 0 where the window has no range. Both results begin together (Lane 1984).
    """

    k: int = rows(14)
    smooth_k: int = rows(3)
    d: int = rows(3)
    inputs: ClassVar[tuple[str, ...]] = HLC
    result: ClassVar[type | None] = StochasticLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.k + self.smooth_k + self.d - 3

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return stochastic_lines(nodes, self.k, self.smooth_k, self.d)


def stochastic(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    k: int = 14,
    smooth_k: int = 3,
    d: int = 3,
) -> StochasticLines:
    """Slow stochastic; see `Stochastic`."""
    return Stochastic(k, smooth_k, d).compute(high, low, close)


@dataclass(frozen=True)
class StochasticFast(Indicator[StochasticLines]):
    """Fast stochastic: the close's place in the range of k rows, and its SMA(d); see `Stochastic`.

    It is the slow one with `smooth_k` 1.
    """

    k: int = rows(14)
    d: int = rows(3)
    inputs: ClassVar[tuple[str, ...]] = HLC
    result: ClassVar[type | None] = StochasticLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.k + self.d - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        place, average = position(nodes, self.k), nodes.mean(self.d)

        def step(high: Block, low: Block, close: Block) -> tuple[Block, ...]:
            fast = place(high, low, close)
            signal = average(fast)
            return where_known(fast, signal), signal

        return step


def stochastic_fast(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, k: int = 14, d: int = 3
) -> StochasticLines:
    """Fast stochastic; see `StochasticFast`."""
    return StochasticFast(k, d).compute(high, low, close)


@dataclass(frozen=True)
class StochasticRsi(Indicator[StochasticLines]):
    """Slow stochastic of the RSI: its place in its own range of k rows (Chande & Kroll 1994).

    `smooth_k` 1 gives TA-Lib's STOCHRSI.
    """

    n: int = rows(14, least=2)
    k: int = rows(14)
    smooth_k: int = rows(3)
    d: int = rows(3)
    result: ClassVar[type | None] = StochasticLines

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n + self.k + self.smooth_k + self.d - 3

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        index = relative_strength(nodes, self.n)
        lines = stochastic_lines(nodes, self.k, self.smooth_k, self.d)

        def step(close: Block) -> tuple[Block, ...]:
            now = index(close)
            return lines(now, now, now)

        return step


def stochastic_rsi(
    close: npt.ArrayLike, n: int = 14, k: int = 14, smooth_k: int = 3, d: int = 3
) -> StochasticLines:
    """Stochastic of the RSI; see `StochasticRsi`."""
    return StochasticRsi(n, k, smooth_k, d).compute(close)


@dataclass(frozen=True)
class WilliamsR(Indicator[Floats]):
    """Williams %R in [-100, 0]: how far below the highest high of n rows, in percent of the range.

    0 where the window has no range.
    """

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top, bottom = nodes.highest(self.n), nodes.lowest(self.n)

        def step(high: Block, low: Block, close: Block) -> Block:
            most = top(high)
            return share(most - close, most - bottom(low), scale=-100.0)

        return step


def williams_r(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 14
) -> Floats:
    """Williams %R; see `WilliamsR`."""
    return WilliamsR(n).compute(high, low, close)


@dataclass(frozen=True)
class Cci(Indicator[Floats]):
    """Commodity channel index: `(p - mean(p)) / (0.015 mean |p - mean(p)|)`, p = (h + l + c) / 3.

    Over n rows; 0 in a flat window (Lambert 1980).
    """

    n: int = rows(20, least=2)
    inputs: ClassVar[tuple[str, ...]] = HLC

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.oscillators_kernel import deviation

        n = self.n
        walk = nodes.add(deviation, nodes.empty(n + 1), n, n_outputs=2, window=n, period=n)

        def step(high: Block, low: Block, close: Block) -> Block:
            away, spread = walk((high + low + close) / 3.0)
            return share(away, spread, scale=1.0 / 0.015)

        return step


def cci(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 20) -> Floats:
    """Commodity channel index; see `Cci`."""
    return Cci(n).compute(high, low, close)


@dataclass(frozen=True)
class Bop(Indicator[Floats]):
    """Balance of power `(close - open) / (high - low)`; 0 where high is not above low."""

    inputs: ClassVar[tuple[str, ...]] = ("open", *HLC)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:  # noqa: ARG002 - remembers nothing
        """See the base class."""

        def step(open_: Block, high: Block, low: Block, close: Block) -> Block:
            return share(close - open_, np.maximum(high - low, 0.0), scale=1.0)

        return step


def bop(
    open_: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike
) -> Floats:
    """Balance of power; see `Bop`."""
    return Bop().compute(open_, high, low, close)
