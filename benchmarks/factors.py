"""Twenty rolling factors of every instrument, one of them ranked across: ours against TA-Lib."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets.quant import indicators
from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes
from quant_assets.quant.statistics.ranks import rank_percentiles

TITLE = "Twenty rolling factors, one thread"
TARGET = "at most 0.5 of TA-Lib's time for one factor of one row, cross-sectional ranks included"
# instruments, rows, standard deviation of a return
SIZES = {
    "500 instruments, 2,520 days": (500, 2_520, 1e-2),
    "20 instruments, 500,000 bars": (20, 500_000, 5e-4),
}
QUICK_SIZES = {"3 instruments, 300 days": (3, 300, 1e-2)}
Columns = dict[str, Floats]
Factors = dict[str, Floats]
OURS, TALIB = "ours, 20 factors", "TA-Lib, 17 factors"


@dataclass(frozen=True)
class AboveAverage(Indicator[Floats]):
    """Close over its mean of n rows, less 1."""

    n: int = rows(50)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        average = nodes.mean(self.n)
        return lambda close: close / average(close) - 1.0


@dataclass(frozen=True)
class BelowHighest(Indicator[Floats]):
    """Close over its highest of n rows, less 1."""

    n: int = rows(60)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top = nodes.highest(self.n)
        return lambda close: close / top(close) - 1.0


@dataclass(frozen=True)
class Place(Indicator[Floats]):
    """Place of the close between lowest low and highest high."""

    n: int = rows(20)
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top, bottom = nodes.highest(self.n), nodes.lowest(self.n)

        def step(high: Block, low: Block, close: Block) -> Block:
            least = bottom(low)
            return (close - least) / (top(high) - least)

        return step


@dataclass(frozen=True)
class Impact(Indicator[Floats]):
    """Mean of the absolute return over the value traded, per million."""

    n: int = rows(20)
    inputs: ClassVar[tuple[str, ...]] = ("returns", "close", "volume")

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        average = nodes.mean(self.n)

        def step(returns: Block, close: Block, volume: Block) -> Block:
            return 1e6 * average(np.abs(returns) / (close * volume))

        return step


@dataclass(frozen=True)
class Histogram(Indicator[Floats]):
    """The third line of the MACD alone."""

    @property
    def lookback(self) -> int:
        """See the base class."""
        return indicators.Macd().lookback

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        lines = indicators.Macd().program(nodes)
        return lambda close: lines(close)[2]


RANKED = "mom20"


def factor_set() -> dict[str, Indicator[Any]]:
    """Nineteen factors by name; the twentieth is a rank of one of them."""
    pair = ("returns", "market")
    return {
        "mom20": indicators.Roc(20),
        "mom60": indicators.Roc(60),
        "change5": indicators.Roc(5),
        "vol20": indicators.RollingStd(20).on("returns"),
        "vol60": indicators.RollingStd(60).on("returns"),
        "skew60": indicators.RollingSkew(60, 1).on("returns"),
        "kurt60": indicators.RollingKurtosis(60, 1).on("returns"),
        "smar50": AboveAverage(50),
        "bollz20": indicators.ZScore(20).on("close"),
        "rsi14": indicators.Rsi(14),
        "macdh": Histogram(),
        "natr14": indicators.Natr(14),
        "amihud20": Impact(20),
        "beta60": indicators.RollingBeta(60).on(*pair),
        "corr60": indicators.RollingCorrelation(60).on(*pair),
        "max20": indicators.RollingMax(20).on("returns"),
        "dd60": BelowHighest(60),
        "donch20": Place(20),
        "volz20": indicators.ZScore(20).on("volume"),
    }


def ours(columns: Columns) -> Factors:
    """All twenty, each (time, symbol)."""
    known: Factors = indicators.compute_all(factor_set(), columns)
    known["rank_mom20"] = rank_percentiles(known[RANKED])
    return known


def talib_factors(talib: Any, columns: Columns) -> Factors:
    """Seventeen of them, each (symbol, time): TA-Lib has no skewness, kurtosis or ranks.

    columns : (symbol, time), one series after another as TA-Lib wants them.
    """
    names = [name for name in factor_set() if name not in ("skew60", "kurt60")]
    known = {name: np.full(columns["close"].shape, np.nan) for name in names}
    market = np.nan_to_num(columns["market"][0])
    short, long = np.sqrt(20 / 19), np.sqrt(60 / 59)
    for j in range(len(columns["close"])):
        close, high, low = columns["close"][j], columns["high"][j], columns["low"][j]
        volume, returns = columns["volume"][j], np.nan_to_num(columns["returns"][j])
        known["mom20"][j] = talib.ROC(close, 20)
        known["mom60"][j] = talib.ROC(close, 60)
        known["change5"][j] = talib.ROC(close, 5)
        known["vol20"][j] = talib.STDDEV(returns, 20) * short
        known["vol60"][j] = talib.STDDEV(returns, 60) * long
        known["smar50"][j] = close / talib.SMA(close, 50) - 1.0
        deviation = talib.STDDEV(close, 20) * short
        known["bollz20"][j] = (close - talib.SMA(close, 20)) / deviation
        known["rsi14"][j] = talib.RSI(close, 14)
        known["macdh"][j] = talib.MACD(close, 12, 26, 9)[2]
        known["natr14"][j] = talib.NATR(high, low, close, 14)
        known["amihud20"][j] = talib.SMA(np.abs(returns) / (close * volume), 20) * 1e6
        known["corr60"][j] = talib.CORREL(returns, market, 60)
        ratio = known["vol60"][j] / (talib.STDDEV(market, 60) * long)
        known["beta60"][j] = known["corr60"][j] * ratio
        known["max20"][j] = talib.MAX(returns, 20)
        known["dd60"][j] = close / talib.MAX(close, 60) - 1.0
        bottom, top = talib.MIN(low, 20), talib.MAX(high, 20)
        known["donch20"][j] = (close - bottom) / (top - bottom)
        deviation = talib.STDDEV(volume, 20) * short
        known["volz20"][j] = (volume - talib.SMA(volume, 20)) / deviation
    return known


def prices(n_symbols: int, n_times: int, step: float) -> Columns:
    """Random walks, (time, symbol)."""
    rng = np.random.default_rng(0)
    shape = (n_times, n_symbols)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, step, shape), axis=0))
    wick = np.abs(rng.normal(0.0, step / 2.0, (2, *shape)))
    returns = np.full(shape, np.nan)
    returns[1:] = close[1:] / close[:-1] - 1.0
    return {
        "close": close,
        "high": close * (1.0 + wick[0]),
        "low": close * (1.0 - wick[1]),
        "volume": np.exp(rng.normal(9.0, 1.0, shape)),
        "returns": returns,
        "market": np.broadcast_to(returns.mean(axis=1, keepdims=True), shape),
    }


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    try:
        talib, reason = importlib.import_module("talib"), ""
    except ImportError:
        talib, reason = None, "skipped: TA-Lib is not installed (pip install TA-Lib)"
    sizes = QUICK_SIZES if quick else SIZES
    return [
        row
        for what, size in sizes.items()
        for row in _measured(what, prices(*size), talib, reason, repeats=1 if quick else 5)
    ]


def _measured(what: str, columns: Columns, talib: Any, reason: str, *, repeats: int) -> list[Row]:
    ways: dict[str, Callable[[], Factors]] = {OURS: lambda: ours(columns)}
    if talib is not None:
        series = {name: np.ascontiguousarray(values.T) for name, values in columns.items()}
        ways[TALIB] = lambda: talib_factors(talib, series)
        _require_same(ours(columns), talib_factors(talib, series))
    timings = timed(ways, repeats)
    counts = {OURS: 20, TALIB: 17}
    unit = {
        name: timing.typical / (columns["close"].size * counts[name]) * 1e9
        for name, timing in timings.items()
    }
    return [
        {
            "way": name,
            "data": what,
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "ns per factor and row": unit[name],
            "extra peak MB": timing.megabytes,
            "times TA-Lib": unit[name] / unit[TALIB] if TALIB in unit else reason,
        }
        for name, timing in timings.items()
    ]


def _require_same(mine: Factors, theirs: Factors) -> None:
    """Both sides give the same factors, to a millionth of their spread: TA-Lib's sums drift."""
    for name, values in theirs.items():
        last = values[:, -100:].T
        furthest = np.abs(mine[name][-100:] - last).max() / last.std()
        if not furthest < 1e-6:
            raise RuntimeError(f"{name}: ours is {furthest:.1e} standard deviations off TA-Lib")
