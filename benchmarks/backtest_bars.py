"""A strategy of Python code per bar, a cross of two averages: ours against backtesting.py."""

import importlib
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._backtests import CASH, random_bars, require_same, rows
from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets import backtest
from quant_assets.quant.indicators.averages import sma
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Order

TITLE = "Bar by bar: Python code decides on each bar of one symbol, one thread"
TARGET = "At most 0.5 of backtesting.py's time a bar, the same trades"
FAST, SLOW, SIZE = 20, 50, 100
PEER = "backtesting.py"
CASES = {"50,000 minutes": (50_000, 5), "5,000 minutes": (5_000, 15)}
QUICK_CASES = {"2,000 minutes": (2_000, 1)}
Answer = tuple[int, float]


class AverageCrossByBar(BarStrategy):
    """Long 100 units between the crosses of two simple averages, which are computed beforehand."""

    name: ClassVar[str] = "benchmark_average_cross_by_bar"

    @property
    def warm_up(self) -> int:
        """Bars before the slow average has two values."""
        return SLOW

    def indicators(self, bars: BarPanel) -> dict[str, npt.NDArray[np.float64]]:
        """See the base class."""
        return {"fast": sma(bars.close, FAST), "slow": sma(bars.close, SLOW)}

    def on_bar(self, window: Any, account: Any) -> Any:  # noqa: ARG002 - it asks for none
        """See the base class."""
        fast, slow = window["fast", -2:], window["slow", -2:]
        if fast[0, 0] <= slow[0, 0] and fast[1, 0] > slow[1, 0]:
            return [Order(symbol=window.symbols[0], quantity=SIZE)]
        if fast[0, 0] >= slow[0, 0] and fast[1, 0] < slow[1, 0]:
            return [Order(symbol=window.symbols[0], quantity=-SIZE, reduce_only=True)]
        return None


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    peer, reason = peer_or_reason()
    table: list[Row] = []
    for case, (n_bars, repeats) in (QUICK_CASES if quick else CASES).items():
        bars = random_bars(1, n_bars, timedelta(minutes=1))
        ways = {"ours": lambda bars=bars: ours(bars)}
        if peer is not None:
            frame = ohlc(bars)
            ways[PEER] = lambda frame=frame: with_backtesting(peer, frame)
        answers = {way: run() for way, run in ways.items()}
        for trades, equity in answers.values():
            require_same("trades", answers["ours"][0], trades)
            require_same("equity", answers["ours"][1], equity)
        table += rows(case, timed(ways, repeats), answers, reason, against=PEER, counted="trades")
    return table


def ours(bars: BarPanel) -> Answer:
    found = backtest(AverageCrossByBar(), bars, frictionless(bars), initial_capital=CASH)
    return int((found.trades["exit_reason"] != "open").sum()), found.final_equity


def ohlc(bars: BarPanel) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "volume")
    columns = {name.title(): bars[name][:, 0] for name in names}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(bars.ts))


def with_backtesting(peer: Any, frame: pd.DataFrame) -> Answer:
    class Cross(peer.Strategy):  # type: ignore[misc]  # a class of the peer
        def init(self) -> None:
            close = self.data.Close
            self.fast = self.I(lambda: sma(np.asarray(close), FAST))
            self.slow = self.I(lambda: sma(np.asarray(close), SLOW))

        def next(self) -> None:
            fast, slow = self.fast, self.slow
            if fast[-2] <= slow[-2] and fast[-1] > slow[-1]:
                self.buy(size=SIZE)
            elif fast[-2] >= slow[-2] and fast[-1] < slow[-1]:
                self.position.close()

    found = peer.Backtest(frame, Cross, cash=CASH, commission=0.0).run()
    return len(found["_trades"]), float(found["_equity_curve"]["Equity"].iloc[-1])


def peer_or_reason() -> tuple[Any, str]:
    """The module and ''; or None and why there is no comparison."""
    try:
        return importlib.import_module("backtesting"), ""
    except ImportError:
        return None, "skipped: backtesting is not installed (pip install backtesting)"
