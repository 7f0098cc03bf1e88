"""Limit and stop entries, brackets and market exits beside backtesting.py, on real bars.

Both sides place the same orders by the same rule; trades (bars, units, prices, profit) and equity
are equal. What differs, and is kept out here, is listed in docs/methods/backtest_differences.md.
"""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies import BarStrategy, Cancel, Order
from quant_assets_tests.quant.simulation.differential import cases
from quant_assets_tests.quant.simulation.differential.ohlc import MARKETS

backtesting = pytest.importorskip("backtesting", reason="oracle; the extra `dev` has it")
pytestmark = pytest.mark.slow

CASH, FEE, PATIENCE = 10_000.0, 1e-3, 4
LOSS, GAIN, AWAY = 0.03, 0.05, 0.004  # of the close, on daily stocks
KINDS = ("market", "limit", "stop")


def prices_of(kind, close, scale):
    """What an entry of a kind says beside its size, as ours names it."""
    if kind == "market":
        return {"stop_loss": close * (1 - LOSS * scale), "take_profit": close * (1 + GAIN * scale)}
    away = AWAY * scale if kind == "stop" else -AWAY * scale
    return {kind: close * (1 + away)}


def crossed(close):
    """Bars at whose close a fast average crosses above a slow one, or below."""
    up, down = (flags[:, 0] for flags in cases.crosses(close))
    return up, down


@dataclass(frozen=True, kw_only=True)
class Ours(BarStrategy):
    """Enters as `kind` says when the averages cross up; leaves at market when they cross down."""

    name: ClassVar[str] = "orders_beside_backtesting_py"
    kind: str = "market"
    units: int = 10
    scale: float = 1.0
    crosses: Any = None
    placed: Any = None

    def on_bar(self, window, account):
        t, close = len(window) - 1, float(window["close", -1][0])
        symbol, held = account.symbols[0], float(account.position[0])
        up, down = self.crosses
        if held > 0.0:
            if not down[t]:
                return None
            return [Cancel(), Order(symbol=symbol, quantity=-held)]
        if account.open_orders:
            return [Cancel()] if t - self.placed[0] >= PATIENCE else None
        if not up[t]:
            return None
        self.placed[0] = t
        more = prices_of(self.kind, close, self.scale)
        return [Order(symbol=symbol, quantity=self.units, kind=self.kind, **more)]


NAMES = {"stop_loss": "sl", "take_profit": "tp"}


def theirs(bars, kind, units, scale):
    """Trades and equity of backtesting.py."""
    up, down = crossed(bars.close)

    class Cross(backtesting.Strategy):
        def init(self):
            self.placed = 0

        def next(self):
            t, close = len(self.data) - 1, float(self.data.Close[-1])
            if self.position:
                if down[t]:
                    self.trades[0].sl = self.trades[0].tp = None  # else they come before the exit
                    self.position.close()
            elif self.orders:
                if t - self.placed >= PATIENCE:
                    for order in self.orders:
                        order.cancel()
            elif up[t]:
                self.placed = t
                prices = prices_of(kind, close, scale)
                self.buy(size=units, **{NAMES.get(k, k): price for k, price in prices.items()})

    columns = {name.capitalize(): bars[name][:, 0] for name in ("open", "high", "low", "close")}
    frame = pd.DataFrame(columns | {"Volume": 1e6}, index=pd.DatetimeIndex(bars.ts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = backtesting.Backtest(frame, Cross, cash=CASH, commission=FEE, finalize_trades=False)
        found = test.run()
    trades = found["_trades"][["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice", "PnL"]]
    return trades.to_numpy(dtype=np.float64), found["_equity_curve"]["Equity"].to_numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("market", MARKETS)
def test_orders_fill_where_backtesting_py_fills_them(market, kind):
    read, units, scale = MARKETS[market]
    bars = read()
    terms = frictionless(bars)
    terms = terms._replace(commission=terms.commission._replace(taker=FEE, maker=FEE))
    strategy = Ours(kind=kind, units=units, scale=scale, crosses=crossed(bars.close), placed=[0])
    mine = backtest(strategy, bars, terms, initial_capital=CASH)
    expected, equity = theirs(bars, kind, units, scale)
    row = pd.Series(np.arange(len(bars)), index=pd.DatetimeIndex(bars.ts, tz="UTC"))
    own = mine.trades[mine.trades["exit_ts"].notna()]
    names = ("shares", "entry_price", "exit_price", "pnl")
    table = [row[own["entry_ts"]], row[own["exit_ts"]], *(own[name] for name in names)]
    found = np.stack([np.asarray(part, dtype=np.float64) for part in table], axis=1)
    found = found[np.argsort(found[:, 0], kind="stable")]
    expected = expected[np.argsort(expected[:, 0], kind="stable")]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(mine.equity_values, equity, rtol=1e-9)
    assert len(found) >= 8
    wanted = {"order", "stop_loss", "take_profit"} if kind == "market" else {"order"}
    assert set(own["exit_reason"]) == wanted
