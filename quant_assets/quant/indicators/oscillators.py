"""Momentum and oscillators. Oracle: TA-Lib, where it has the name; else the formula."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, Unary, share, where_known

__all__ = [
    "AwesomeOscillator",
    "Bop",
    "Cci",
    "Cmo",
    "Kst",
    "KstLines",
    "Momentum",
    "Roc",
    "Rsi",
    "Stochastic",
    "StochasticFast",
    "StochasticLines",
    "StochasticRsi",
    "Tsi",
    "UltimateOscillator",
    "WilliamsR",
    "awesome_oscillator",
    "bop",
    "cci",
    "cmo",
    "kst",
    "momentum",
    "roc",
    "rsi",
    "stochastic",
    "stochastic_fast",
    "stochastic_rsi",
    "tsi",
    "ultimate_oscillator",
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
class UltimateOscillator(Indicator[Floats]):
    """Buying pressure over true range in three windows, weighted 4 : 2 : 1 (Williams 1985).

    Pressure is the close above the true low. In percent; a window without range counts as 0.
    """

    short: int = rows(7)
    middle: int = rows(14)
    long: int = rows(28)
    inputs: ClassVar[tuple[str, ...]] = HLC
    increasing: ClassVar[tuple[str, ...]] = ("short", "middle", "long")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.long

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.oscillators_kernel import buying_pressure

        walk = nodes.add(buying_pressure, nodes.empty(1), n_outputs=2, window=1)
        windows = [
            (nodes.sum(n), nodes.sum(n), weight / 7.0)
            for n, weight in ((self.short, 400.0), (self.middle, 200.0), (self.long, 100.0))
        ]

        def step(high: Block, low: Block, close: Block) -> Block:
            pressure, reach = walk(high, low, close)
            total = np.zeros_like(close)
            for part, whole, weight in windows:
                total += share(part(pressure), whole(reach), scale=weight)
            return total

        return step


def ultimate_oscillator(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    short: int = 7,
    middle: int = 14,
    long: int = 28,
) -> Floats:
    """Ultimate oscillator; see `UltimateOscillator`."""
    return UltimateOscillator(short, middle, long).compute(high, low, close)


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


@dataclass(frozen=True)
class AwesomeOscillator(Indicator[Floats]):
    """SMA(fast) minus SMA(slow) of the rows' middles (high + low) / 2 (Williams 1998)."""

    fast: int = rows(5)
    slow: int = rows(34)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        fast, slow = nodes.mean(self.fast), nodes.mean(self.slow)

        def step(high: Block, low: Block) -> Block:
            middle = (high + low) / 2.0
            return fast(middle) - slow(middle)

        return step


def awesome_oscillator(
    high: npt.ArrayLike, low: npt.ArrayLike, fast: int = 5, slow: int = 34
) -> Floats:
    """Awesome oscillator; see `AwesomeOscillator`."""
    return AwesomeOscillator(fast, slow).compute(high, low)


@dataclass(frozen=True)
class Tsi(Indicator[Floats]):
    """True strength: EMA(short) of EMA(long) of the change, over that of its size (Blau 1991).

    In percent, in [-100, 100]; 0 of a flat price.
    """

    long: int = rows(25)
    short: int = rows(13)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.long + self.short - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        last = nodes.lag(1)
        change_long, change_short = nodes.ema(self.long), nodes.ema(self.short)
        size_long, size_short = nodes.ema(self.long), nodes.ema(self.short)

        def step(close: Block) -> Block:
            change = close - last(close)
            size = size_short(size_long(np.abs(change)))
            return share(change_short(change_long(change)), size)

        return step


def tsi(close: npt.ArrayLike, long: int = 25, short: int = 13) -> Floats:
    """True strength index; see `Tsi`."""
    return Tsi(long, short).compute(close)


class KstLines(NamedTuple):
    """The sum of the smoothed rates of change, and its average."""

    line: Floats
    signal: Floats


@dataclass(frozen=True)
class Kst(Indicator[KstLines]):
    """Know sure thing: four rates of change in percent, smoothed by SMA, weighted 1 : 2 : 3 : 4.

    Rates over n1..n4 rows, the first three smoothed over `smooth` rows, the last over
    `smooth_long`; the signal is an SMA. Both results begin together (Pring 1992).
    """

    n1: int = rows(10)
    n2: int = rows(15)
    n3: int = rows(20)
    n4: int = rows(30)
    smooth: int = rows(10)
    smooth_long: int = rows(15)
    signal: int = rows(9)
    result: ClassVar[type | None] = KstLines
    increasing: ClassVar[tuple[str, ...]] = ("n1", "n2", "n3", "n4")

    @property
    def lookback(self) -> int:
        """See the base class."""
        late = max(self.n3 + self.smooth, self.n4 + self.smooth_long)
        return late + self.signal - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        lengths = (self.smooth, self.smooth, self.smooth, self.smooth_long)
        parts = [
            (nodes.rate(n), nodes.mean(smooth), weight)
            for n, smooth, weight in zip(
                (self.n1, self.n2, self.n3, self.n4), lengths, (1.0, 2.0, 3.0, 4.0), strict=True
            )
        ]
        average = nodes.mean(self.signal)

        def step(close: Block) -> tuple[Block, ...]:
            line = np.zeros_like(close)
            for rate, smooth, weight in parts:
                line += weight * smooth(rate(close))
            signal = average(line)
            return where_known(line, signal), signal

        return step


def kst(close: npt.ArrayLike) -> KstLines:
    """Know sure thing with Pring's lengths; see `Kst`, which has them as parameters."""
    return Kst().compute(close)
