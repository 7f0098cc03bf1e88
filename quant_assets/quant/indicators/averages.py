"""Moving averages of one series. Oracle: TA-Lib, where it has the name."""

from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, factor, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, Unary

__all__ = [
    "T3",
    "Dema",
    "Ema",
    "Hma",
    "Kama",
    "Sma",
    "Tema",
    "Trima",
    "WilderAverage",
    "Wma",
    "dema",
    "ema",
    "hma",
    "kama",
    "sma",
    "t3",
    "tema",
    "trima",
    "wilder_average",
    "wma",
]


@dataclass(frozen=True)
class Sma(Indicator[Floats]):
    """Simple moving average: the mean of the last n rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.mean(self.n)


def sma(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Simple moving average; see `Sma`."""
    return Sma(n).compute(x)


@dataclass(frozen=True)
class Ema(Indicator[Floats]):
    """Exponential moving average: `e += 2 / (n + 1) * (x - e)`, seeded with the mean of n rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.ema(self.n)


def ema(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Exponential moving average; see `Ema`."""
    return Ema(n).compute(x)


@dataclass(frozen=True)
class WilderAverage(Indicator[Floats]):
    """Wilder's moving average: `w += (x - w) / n`, seeded with the mean of n rows (Wilder 1978)."""

    n: int = rows(14)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return nodes.wilder(self.n)


def wilder_average(x: npt.ArrayLike, n: int = 14) -> Floats:
    """Wilder's moving average; see `WilderAverage`."""
    return WilderAverage(n).compute(x)


def weighted_mean(nodes: Nodes, n: int) -> Unary:
    """Mean of the last n rows with the weights 1..n, the newest n."""
    from quant_assets.quant.indicators.averages_kernel import window_weighted

    scale, state = 2.0 / (n * (n + 1.0)), nodes.empty(2 * n + 2)
    return nodes.add(window_weighted, state, n, scale, window=n, period=n)


@dataclass(frozen=True)
class Wma(Indicator[Floats]):
    """Weighted moving average: weights 1..n, the newest row n, divided by n (n + 1) / 2."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return weighted_mean(nodes, self.n)


def wma(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Weighted moving average; see `Wma`."""
    return Wma(n).compute(x)


@dataclass(frozen=True)
class Dema(Indicator[Floats]):
    """Double exponential average `2 e1 - e2`, e2 the EMA of e1 = EMA(x) (Mulloy 1994)."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 2 * (self.n - 1)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        first, second = nodes.ema(self.n), nodes.ema(self.n)

        def step(x: Block) -> Block:
            once = first(x)
            return 2.0 * once - second(once)

        return step


def dema(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Double exponential average; see `Dema`."""
    return Dema(n).compute(x)


@dataclass(frozen=True)
class Tema(Indicator[Floats]):
    """Triple exponential average `3 e1 - 3 e2 + e3`, each the EMA of the last (Mulloy 1994)."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 3 * (self.n - 1)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        first, second, third = (nodes.ema(self.n) for _ in range(3))

        def step(x: Block) -> Block:
            once = first(x)
            twice = second(once)
            return 3.0 * (once - twice) + third(twice)

        return step


def tema(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Triple exponential average; see `Tema`."""
    return Tema(n).compute(x)


@dataclass(frozen=True)
class T3(Indicator[Floats]):
    """Tillson's T3: six EMAs in a row, the last four mixed by the volume factor v (Tillson 1998).

    `c1 e6 + c2 e5 + c3 e4 + c4 e3` with `c1 = -v^3`, `c2 = 3 v^2 + 3 v^3`,
    `c3 = -6 v^2 - 3 v - 3 v^3`, `c4 = 1 + 3 v + v^3 + 3 v^2`.
    """

    n: int = rows(5)
    volume_factor: float = factor(0.7)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 6 * (self.n - 1)

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        averages = [nodes.ema(self.n) for _ in range(6)]
        v = self.volume_factor
        c1, c2 = -(v**3), 3.0 * v * v + 3.0 * v**3
        c3, c4 = -6.0 * v * v - 3.0 * v - 3.0 * v**3, 1.0 + 3.0 * v + v**3 + 3.0 * v * v

        def step(x: Block) -> Block:
            e = [x]
            for average in averages:
                e.append(average(e[-1]))
            return c1 * e[6] + c2 * e[5] + c3 * e[4] + c4 * e[3]

        return step


def t3(x: npt.ArrayLike, n: int = 5, volume_factor: float = 0.7) -> Floats:
    """Tillson's T3; see `T3`."""
    return T3(n, volume_factor).compute(x)


@dataclass(frozen=True)
class Trima(Indicator[Floats]):
    """Triangular average: the SMA over n // 2 + 1 rows of the SMA over (n + 1) // 2 rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        first, second = nodes.mean((self.n + 1) // 2), nodes.mean(self.n // 2 + 1)
        return lambda x: second(first(x))


def trima(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Triangular average; see `Trima`."""
    return Trima(n).compute(x)


@dataclass(frozen=True)
class Hma(Indicator[Floats]):
    """Hull's average: WMA over √n rows of `2 WMA(n / 2) - WMA(n)`, roots and halves floored."""

    n: int = rows(20, least=2)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n + isqrt(self.n) - 2

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        half, whole = weighted_mean(nodes, self.n // 2), weighted_mean(nodes, self.n)
        root = weighted_mean(nodes, isqrt(self.n))
        return lambda x: root(2.0 * half(x) - whole(x))


def hma(x: npt.ArrayLike, n: int = 20) -> Floats:
    """Hull's average; see `Hma`."""
    return Hma(n).compute(x)


@dataclass(frozen=True)
class Kama(Indicator[Floats]):
    """Kaufman's adaptive average: `k += s^2 (x - k)`, started from the row before the first value.

    `s = r (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)` with the efficiency ratio r: the
    change over n rows divided by the path, the sum of the n absolute changes; 1 where there was
    no path (Kaufman 1995). TA-Lib has fast 2 and slow 30.
    """

    n: int = rows(10, least=2)
    fast: int = rows(2)
    slow: int = rows(30)

    increasing = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.averages_kernel import adapt

        last, before, path = nodes.lag(1), nodes.lag(self.n), nodes.sum(self.n)
        limits = 2.0 / (self.fast + 1.0), 2.0 / (self.slow + 1.0)
        walk = nodes.add(adapt, nodes.empty(2), *limits)
        return lambda x: walk(x, x - before(x), path(np.abs(x - last(x))))


def kama(x: npt.ArrayLike, n: int = 10, fast: int = 2, slow: int = 30) -> Floats:
    """Kaufman's adaptive average; see `Kama`."""
    return Kama(n, fast, slow).compute(x)
