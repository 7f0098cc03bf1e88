"""Trading costs and price impact, estimated from bars. Oracle: the papers' formulas in numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes
from quant_assets.quant.indicators.rolling_pairs import pair
from quant_assets.quant.indicators.volatility_realized import log_ratio

__all__ = [
    "AbdiRanaldo",
    "Amihud",
    "CorwinSchultz",
    "KyleLambda",
    "RollSpread",
    "abdi_ranaldo",
    "amihud",
    "corwin_schultz",
    "kyle_lambda",
    "roll_spread",
]

CV = ("close", "volume")
HLC = ("high", "low", "close")


@dataclass(frozen=True)
class _Estimate(Indicator[Floats]):
    """An estimate from n changes, hence n + 1 rows."""

    n: int = rows(20)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n


@dataclass(frozen=True)
class Amihud(_Estimate):
    """Illiquidity: mean of n rows of |simple return| / (close * volume).

    Per unit of quote currency. Source: Amihud (2002), eq. 1.
    """

    inputs: ClassVar[tuple[str, ...]] = CV
    undefined: ClassVar[str] = "a row of the window has no volume"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, mean = nodes.lag(1), nodes.mean(self.n)

        def step(close: Block, volume: Block) -> Block:
            traded = np.where(volume > 0.0, close * volume, np.nan)
            return mean(np.abs(close / before(close) - 1.0) / traded)

        return step


def amihud(close: npt.ArrayLike, volume: npt.ArrayLike, n: int = 20) -> Floats:
    """Amihud's illiquidity; see `Amihud`."""
    return Amihud(n).compute(close, volume)


@dataclass(frozen=True)
class RollSpread(_Estimate):
    """Effective spread `2 sqrt(-cov(change, change before))` of n pairs of changes of the close.

    In units of price; covariance over n - 1. NaN where the covariance is positive: there the model
    has no spread. Source: Roll (1984), eq. 7.
    """

    n: int = rows(20, least=2)
    inputs: ClassVar[tuple[str, ...]] = ("close",)
    undefined: ClassVar[str] = "the covariance is positive"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n + 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, earlier, window = nodes.lag(1), nodes.lag(1), pair(nodes, self.n)
        divisor = self.n - 1

        def step(close: Block) -> Block:
            change = close - before(close)
            products = window(change, earlier(change))[2]
            return 2.0 * np.sqrt(-products / divisor)

        return step


def roll_spread(close: npt.ArrayLike, n: int = 20) -> Floats:
    """Roll's effective spread in units of price; see `RollSpread`."""
    return RollSpread(n).compute(close)


@dataclass(frozen=True)
class CorwinSchultz(_Estimate):
    """Proportional spread from highs and lows of pairs of rows, mean of n pairs.

    For two rows, beta is the sum of their squared `ln(h / l)`, gamma the square of that of both
    together, `alpha = (sqrt(2 beta) - sqrt(beta)) / (3 - 2 sqrt 2) - sqrt(gamma / (3 - 2 sqrt 2))`
    and the spread `2 (e^alpha - 1) / (1 + e^alpha)`; a negative one counts as 0. Where the close
    before lies outside a row's range, that range is moved to it (the paper's overnight adjustment).
    Source: Corwin & Schultz (2012), eq. 14 and 18.
    """

    inputs: ClassVar[tuple[str, ...]] = HLC

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.volatility_kernel import exponential

        highs, lows, closes = nodes.lag(1), nodes.lag(1), nodes.lag(1)
        one, two, both = log_ratio(nodes), log_ratio(nodes), log_ratio(nodes)
        grow, mean = nodes.add(exponential, nodes.empty(0), window=0), nodes.mean(self.n)
        root = 3.0 - 2.0 * sqrt(2.0)

        def step(high: Block, low: Block, close: Block) -> Block:
            high_before, low_before, close_before = highs(high), lows(low), closes(close)
            shift = np.maximum(low - close_before, 0.0) - np.maximum(close_before - high, 0.0)
            high_now, low_now = high - shift, low - shift
            first, second = one(high_before, low_before), two(high_now, low_now)
            beta = first * first + second * second
            reach = both(np.maximum(high_before, high_now), np.minimum(low_before, low_now))
            alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / root - reach / sqrt(root)
            growth = grow(alpha)
            return mean(np.maximum(2.0 * (growth - 1.0) / (1.0 + growth), 0.0))

        return step


def corwin_schultz(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 20
) -> Floats:
    """Corwin and Schultz's proportional spread; see `CorwinSchultz`."""
    return CorwinSchultz(n).compute(high, low, close)


@dataclass(frozen=True)
class AbdiRanaldo(_Estimate):
    """Proportional spread `2 sqrt(mean (c - m)(c - m after))` of n pairs of rows, 0 if negative.

    c is the log close of the earlier row, m the middle of log high and log low of that row, m after
    the one of the later row, at which the pair is known. Source: Abdi & Ranaldo (2017), eq. 11.
    """

    inputs: ClassVar[tuple[str, ...]] = HLC

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        closes, own = nodes.lag(1), nodes.lag(1)
        ratios: list[Callable[[Block, Block], Block]] = [log_ratio(nodes) for _ in range(4)]
        mean = nodes.mean(self.n)

        def step(high: Block, low: Block, close: Block) -> Block:
            before = closes(close)
            now = own((ratios[0](close, high) + ratios[1](close, low)) / 2.0)
            after = (ratios[2](before, high) + ratios[3](before, low)) / 2.0
            return 2.0 * np.sqrt(np.maximum(mean(now * after), 0.0))

        return step


def abdi_ranaldo(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, n: int = 20
) -> Floats:
    """Abdi and Ranaldo's proportional spread; see `AbdiRanaldo`."""
    return AbdiRanaldo(n).compute(high, low, close)


@dataclass(frozen=True)
class KyleLambda(_Estimate):
    """Price impact: slope of the change of the close on the volume signed by it, over n changes.

    In price per unit of volume; NaN where the signed volume does not vary. Source: Kyle (1985), as
    a regression on signed volume in Lopez de Prado (2018), 19.4.1.
    """

    n: int = rows(20, least=2)
    inputs: ClassVar[tuple[str, ...]] = CV
    undefined: ClassVar[str] = "the signed volume does not vary"

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, window = nodes.lag(1), pair(nodes, self.n)

        def step(close: Block, volume: Block) -> Block:
            change = close - before(close)
            signed = np.where(change < 0.0, -volume, np.where(change > 0.0, volume, 0.0 * volume))
            _, squares, products = window(change, signed)
            return products / squares

        return step


def kyle_lambda(close: npt.ArrayLike, volume: npt.ArrayLike, n: int = 20) -> Floats:
    """Kyle's price impact; see `KyleLambda`."""
    return KyleLambda(n).compute(close, volume)
