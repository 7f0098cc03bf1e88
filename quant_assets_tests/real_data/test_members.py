"""The most traded US stocks of each month, 2015 to 2017, those that were delisted among them."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.modern.short_term_reversal import ShortTermReversal
from quant_assets_tests.adapters.real_files import real_file

pytestmark = pytest.mark.slow

N_MEMBERS, LOOKBACK = 40, 20
STRATEGY = ShortTermReversal(lookback=5, share=0.2)


@pytest.fixture(scope="module")
def bars() -> BarPanel:
    frame = pd.read_parquet(real_file("us_equities/pystock/ohlcv_1d_vintages.parquet"))
    frame = frame.drop_duplicates(["ts", "symbol"], keep="last").astype({"symbol": "str"})
    frame = frame[["ts", "symbol", "close", "volume"]].astype({"volume": "float64"})
    return BarPanel.from_frame(frame, bar_length=timedelta(days=1))


@pytest.fixture(scope="module")
def snapshots(bars: BarPanel) -> pd.DataFrame:
    """At the start of each month, the most traded of the days before, of those that still trade."""
    table = pd.DataFrame(bars.close * bars.volume, index=bars.ts, columns=list(bars.symbols))
    parts = []
    for month in pd.date_range("2015-05-01", "2017-03-01", freq="MS"):
        past = table[table.index < month].tail(LOOKBACK)
        alive = past.columns[past.tail(5).notna().any()]
        top = past[alive].mean().nlargest(N_MEMBERS).index
        parts.append(pd.DataFrame({"decided_at": month, "symbol": top}))
    return pd.concat(parts, ignore_index=True)


def test_only_members_are_bought_and_what_leaves_is_sold_at_the_next_bar(
    bars: BarPanel, snapshots: pd.DataFrame
):
    run = backtest(STRATEGY, bars, universe=snapshots)
    by_month = snapshots.groupby("decided_at")["symbol"].agg(set)
    days = pd.DatetimeIndex(bars.ts)

    def members_at(day: pd.Timestamp) -> set[str]:
        known = by_month[by_month.index <= day]
        return known.iloc[-1] if len(known) else set()

    trades = run.trades
    assert len(trades) > 300
    for trade in trades.itertuples():
        assert trade.symbol in members_at(trade.decided_ts.tz_localize(None))
    left = run.orders[run.orders["reason"] == "left_universe"]
    assert len(left) > 10
    for order in left.itertuples():
        decided = order.decided_ts.tz_localize(None)
        before = days[days.get_loc(decided) - 1]
        assert order.symbol in members_at(before)
        assert order.symbol not in members_at(decided)
    again = backtest(STRATEGY, bars, universe=snapshots, form="bar")
    assert again.hash() == run.hash()


def test_members_of_the_last_month_in_the_past_are_another_result(
    bars: BarPanel, snapshots: pd.DataFrame
):
    """The planted mistake: it holds no stock that was delisted, and the doubts say what it is."""
    run = backtest(STRATEGY, bars, universe=snapshots)
    known = np.isfinite(bars.close)
    ended = {s for s, one in zip(bars.symbols, known[-5:].any(axis=0), strict=True) if not one}
    assert ended & set(run.trades["symbol"])
    last = snapshots[snapshots["decided_at"] == snapshots["decided_at"].max()]
    today = last.assign(entered="2015-01-01", left=pd.NaT)[["symbol", "entered", "left"]]
    wrong = backtest(STRATEGY, bars, universe=today)
    assert not ended & set(wrong.trades["symbol"])
    assert wrong.final_equity != run.final_equity
    assert any("are they those of today?" in line for line in wrong.doubts)
    assert not any("are they those of today?" in line for line in run.doubts)
    assert any(line.startswith("UNIVERSE: none") for line in backtest(STRATEGY, bars).doubts)
