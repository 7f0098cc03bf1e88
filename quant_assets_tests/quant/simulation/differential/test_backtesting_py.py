"""Trades and equity beside backtesting.py, run here.

Equal: bars, units, prices and profits of all trades, and equity, for market orders at the next
open, a rate of commission, and a trailing stop that is set from the bar after the entry on
(`rest=1`). Different, and avoided here: its units are whole numbers; it has no slippage of its own;
its stops take part from the bar after they were set, ours inside the entry bar; an order for more
than the margin is cancelled there and cut here.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.risk.terms import TRAIL_FRACTION
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets_tests.quant.simulation.differential import cases
from quant_assets_tests.quant.simulation.differential.ohlc import MARKETS
from quant_assets_tests.quant.simulation.differential.strategies import (
    AverageCross,
    StoppedCross,
    real_bars,
    terms_of,
)
from quant_assets_tests.quant.simulation.lean.random_runs import random_bars

pytest.importorskip("skfolio", reason="the extra `demo` brings the bundled prices")
backtesting = pytest.importorskip("backtesting", reason="oracle; the extra `dev` has it")
pytestmark = pytest.mark.slow

TRAIL = 0.05


def peer(bars, j, trail=None):
    """Trades (entry and exit bar, units, prices, profit) and equity of one symbol."""
    close = bars.close[:, [j]]
    up, down = (flags[:, 0].astype(float) for flags in cases.crosses(close))

    class Cross(backtesting.Strategy):
        def init(self):
            self.up = self.I(lambda: up, plot=False)
            self.down = self.I(lambda: down, plot=False)

        def next(self):
            if self.position:
                trade = self.trades[0]
                if trail is not None:
                    high = max(trade.entry_price, self.data.High[trade.entry_bar :].max())
                    trade.sl = high - trail * high
                if self.down[-1]:
                    self.position.close()
            elif self.up[-1]:
                self.buy(size=int(cases.UNITS))

    columns = {k.capitalize(): bars[k][:, j] for k in ("open", "high", "low", "close")}
    frame = pd.DataFrame(columns | {"Volume": 1e6}, index=pd.DatetimeIndex(bars.ts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = backtesting.Backtest(
            frame, Cross, cash=cases.CASH, commission=cases.FEE, finalize_trades=False
        )
        found = test.run()
    trades = found["_trades"][["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice", "PnL"]]
    return trades.to_numpy(dtype=np.float64), found["_equity_curve"]["Equity"].to_numpy()


def ours(bars, trail=None):
    accounts = Accounts(initial_capital=cases.CASH, kind="isolated", rest=1)
    terms = terms_of(bars, slippage=0.0)
    return simulate_lean(AverageCross(trail=trail), bars, terms, accounts=accounts)


def compare(bars, trail=None, found=None):
    found = found or ours(bars, trail)
    trades = found.trades()
    row = pd.Series(np.arange(len(bars)), index=pd.DatetimeIndex(bars.ts, tz="UTC"))
    count = 0
    for j, symbol in enumerate(bars.symbols):
        theirs, equity = peer(bars, j, trail)
        own = trades[(trades["symbol"] == symbol) & trades["exit_ts"].notna()]
        mine = np.stack(
            [
                row[own["entry_ts"]].to_numpy(dtype=np.float64),
                row[own["exit_ts"]].to_numpy(dtype=np.float64),
                *(own[name] for name in ("quantity", "entry_price", "exit_price", "profit")),
            ],
            axis=1,
        )
        theirs = theirs[np.argsort(theirs[:, 0], kind="stable")]
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-8)
        np.testing.assert_allclose(found.equity[:, j], equity, rtol=1e-9)
        count += len(mine)
    return count


def test_trades_and_equity_are_those_of_backtesting_py_on_real_prices():
    assert compare(real_bars()) > 200


def test_trailing_stops_leave_at_the_same_bars_and_prices():
    bars = random_bars(np.random.default_rng(8), 3_000, 2, gaps=False)
    assert compare(bars, trail=TRAIL) > 60
    assert (ours(bars, TRAIL).trades()["reason"] == "trailing_stop").sum() > 30


@pytest.mark.parametrize("market", MARKETS)
def test_trailing_stops_leave_at_the_same_bars_and_prices_of_real_bars(market):
    read, _, scale = MARKETS[market]
    bars, trail = read(), TRAIL * scale
    accounts = Accounts(initial_capital=cases.CASH, kind="isolated", rest=1)
    strategy = StoppedCross(units=cases.UNITS, exits=((TRAIL_FRACTION, trail),))
    found = simulate_lean(strategy, bars, terms_of(bars, slippage=0.0), accounts=accounts)
    assert compare(bars, trail=trail, found=found) >= 8
    assert (found.trades()["reason"] == "trailing_stop").sum() >= 3
