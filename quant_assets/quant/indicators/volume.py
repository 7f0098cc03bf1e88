"""Volume: who moved the price, and at what average. Oracle: TA-Lib, plain numpy.

Running totals pass over rows with a NaN: such a row has no value and adds nothing, and the next
one is compared with the last known. Volume is in base units, as traded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, share

__all__ = [
    "AccumulationDistribution",
    "ChaikinOscillator",
    "Cmf",
    "Mfi",
    "Nvi",
    "Obv",
    "Pvi",
    "Pvt",
    "accumulation_distribution",
    "chaikin_oscillator",
    "cmf",
    "mfi",
    "nvi",
    "obv",
    "pvi",
    "pvt",
]

HLCV = ("high", "low", "close", "volume")
CV = ("close", "volume")
START = 1000.0  # of the volume indices
ROUNDING = 1e-14  # of two prices: what lies closer is the same price


def money_flow(high: Block, low: Block, close: Block, volume: Block) -> Block:
    """Volume times `((c - l) - (h - c)) / (h - l)`, the close's place in the bar from -1 to 1.

    0 where the bar has no range.
    """
    reach = high - low
    place = ((close - low) - (high - close)) / np.where(reach == 0.0, 1.0, reach)
    return np.asarray(np.where(reach == 0.0, 0.0 * close, place) * volume)


def running_total(nodes: Nodes) -> Callable[[Block], Block]:
    """Sum of all known rows so far; NaN on the others."""
    from quant_assets.quant.indicators.volume_kernel import total

    return nodes.add(total, nodes.zeros(1))


@dataclass(frozen=True)
class Obv(Indicator[Floats]):
    """On-balance volume: volumes of rises less those of falls, from the first volume on.

    Source: Granville (1963), "New Key to Stock Market Profits".
    """

    inputs: ClassVar[tuple[str, ...]] = CV
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.volume_kernel import balance

        state = nodes.zeros(2)
        state[0] = np.nan
        return nodes.add(balance, state)


def obv(close: npt.ArrayLike, volume: npt.ArrayLike) -> Floats:
    """On-balance volume; see `Obv`."""
    return Obv().compute(close, volume)


@dataclass(frozen=True)
class Pvt(Indicator[Floats]):
    """Price-volume trend: sum of volume times the simple return of the close (Dysart)."""

    inputs: ClassVar[tuple[str, ...]] = CV
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.volume_kernel import weighted_changes

        state = nodes.zeros(2)
        state[0] = np.nan
        return nodes.add(weighted_changes, state)


def pvt(close: npt.ArrayLike, volume: npt.ArrayLike) -> Floats:
    """Price-volume trend; see `Pvt`."""
    return Pvt().compute(close, volume)


def _volume_index(nodes: Nodes, sign: float) -> Program:
    from quant_assets.quant.indicators.volume_kernel import volume_index

    state = nodes.empty(3)
    state[2] = START
    return nodes.add(volume_index, state, sign)


@dataclass(frozen=True)
class Nvi(Indicator[Floats]):
    """Negative volume index: 1000, then the returns of rows whose volume fell (Fosback 1976)."""

    inputs: ClassVar[tuple[str, ...]] = CV
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return _volume_index(nodes, -1.0)


def nvi(close: npt.ArrayLike, volume: npt.ArrayLike) -> Floats:
    """Negative volume index; see `Nvi`."""
    return Nvi().compute(close, volume)


@dataclass(frozen=True)
class Pvi(Indicator[Floats]):
    """Positive volume index: 1000, then the returns of rows whose volume rose (Fosback 1976)."""

    inputs: ClassVar[tuple[str, ...]] = CV
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        return _volume_index(nodes, 1.0)


def pvi(close: npt.ArrayLike, volume: npt.ArrayLike) -> Floats:
    """Positive volume index; see `Pvi`."""
    return Pvi().compute(close, volume)


@dataclass(frozen=True)
class AccumulationDistribution(Indicator[Floats]):
    """Chaikin's line: sum of volume times the close's place in the bar, from -1 to 1."""

    inputs: ClassVar[tuple[str, ...]] = HLCV
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        total = running_total(nodes)
        return lambda *bars: total(money_flow(*bars))


def accumulation_distribution(
    high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike, volume: npt.ArrayLike
) -> Floats:
    """Accumulation/distribution line; see `AccumulationDistribution`."""
    return AccumulationDistribution().compute(high, low, close, volume)


@dataclass(frozen=True)
class ChaikinOscillator(Indicator[Floats]):
    """Fast less slow exponential average of the accumulation/distribution line.

    Both averages start at the first value of the line, as TA-Lib's do, and again behind a NaN.
    """

    fast: int = rows(3)
    slow: int = rows(10)
    inputs: ClassVar[tuple[str, ...]] = HLCV
    increasing: ClassVar[tuple[str, ...]] = ("fast", "slow")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.slow - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.volume_kernel import smooth_from_first

        total = running_total(nodes)
        quick, slow = (
            nodes.add(smooth_from_first, nodes.zeros(2), 2.0 / (n + 1.0), self.slow)
            for n in (self.fast, self.slow)
        )

        def step(high: Block, low: Block, close: Block, volume: Block) -> Block:
            line = total(money_flow(high, low, close, volume))
            difference: Block = quick(line) - slow(line)
            return difference

        return step


def chaikin_oscillator(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    volume: npt.ArrayLike,
    fast: int = 3,
    slow: int = 10,
) -> Floats:
    """Chaikin's oscillator; see `ChaikinOscillator`."""
    return ChaikinOscillator(fast, slow).compute(high, low, close, volume)


@dataclass(frozen=True)
class Cmf(Indicator[Floats]):
    """Chaikin money flow: n rows of volume times the close's place in the bar, over their volume.

    In [-1, 1]; NaN where nothing traded.
    """

    n: int = rows(20)
    inputs: ClassVar[tuple[str, ...]] = HLCV
    undefined: ClassVar[str] = "nothing traded"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        flow, whole = nodes.sum(self.n), nodes.sum(self.n)
        return lambda high, low, close, volume: (
            flow(money_flow(high, low, close, volume)) / whole(volume)
        )


def cmf(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    volume: npt.ArrayLike,
    n: int = 20,
) -> Floats:
    """Chaikin money flow; see `Cmf`."""
    return Cmf(n).compute(high, low, close, volume)


@dataclass(frozen=True)
class Mfi(Indicator[Floats]):
    """Money flow index: `100 up / (up + down)`, n rows of typical price times volume.

    A row belongs to up or down as its typical price `(h + l + c) / 3` rose or fell by more than it
    is rounded: by 1e-14 of both prices together, as in TA-Lib 0.8. 0 where neither has a flow.
    Source: Quong & Soudack (1989).
    """

    n: int = rows(14)
    inputs: ClassVar[tuple[str, ...]] = HLCV

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        before, up, down = nodes.lag(1), nodes.sum(self.n), nodes.sum(self.n)

        def step(high: Block, low: Block, close: Block, volume: Block) -> Block:
            typical = (high + low + close) / 3.0
            last = before(typical)
            change, flow = typical - last, typical * volume
            rounding, none = ROUNDING * (np.abs(typical) + np.abs(last)), 0.0 * (change + flow)
            rise = up(np.where(change > rounding, flow, none))
            return share(rise, rise + down(np.where(change < -rounding, flow, none)))

        return step


def mfi(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    volume: npt.ArrayLike,
    n: int = 14,
) -> Floats:
    """Money flow index; see `Mfi`."""
    return Mfi(n).compute(high, low, close, volume)
