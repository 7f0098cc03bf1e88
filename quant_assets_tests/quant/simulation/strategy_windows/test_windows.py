"""Windows one after the other are one backtest: the same account, orders, fills and trades."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.strategy_windows.reading import execution_of, strategy_of
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    moment,
    step,
    values_of,
    walked,
    whole,
    windows_of,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

HEAD = """\
strategy: tried
version: "1.0.0"
components:
  signals:
"""
CROSSING = """\
    entry_long:
      - ma_cross_up: {fast: 3, slow: 9, average: ema}
    exit_long:
      - ma_cross_down: {fast: 3, slow: 9, average: ema}
    entry_short:
      - rsi_overbought: {period: 4, threshold: 75}
    exit_short:
      - rsi_oversold: {period: 4, threshold: 45}
"""
RISK = """\
  sizing: {type: volatility_target, params: {target: 0.2}}
  risk:
    - trailing_stop: {pct: 0.04}
    - take_profit: {pct: 0.08}
    - time_stop: {bars: 15}
    - max_position: {pct: 0.5}
    - drawdown_halt: {pct: 0.1, bars: 20}
  regime: {allowed: [bull, neutral, bear], classifier: {moving_average_trend: {fast: 5, slow: 10}}}
"""
COSTS = """\
execution:
  fill_model: {realistic_volume: {participation: 0.02, latency: 1}}
  commission_model: interactive_brokers
  slippage_model: sqrt_volume
  cash_rate: 0.03
"""
AT_CLOSE = """\
execution:
  fill_model: {next_close: {latency: 2}}
  borrow_model: {annual_rate: {rate: 0.05}}
"""
FILES = {
    "plain": HEAD + CROSSING,
    "risk": HEAD + CROSSING + RISK,
    "costs": HEAD + CROSSING + RISK + COSTS,
    "at close": HEAD + CROSSING + AT_CLOSE,
}


def one_run(text: str, bars: BarPanel, **given) -> BacktestResult:
    loaded = strategy_of(values_of(text))
    return backtest(loaded.strategy, bars, execution_of(loaded), **given)


@cache
def by_months(name: str) -> list[dict[str, pd.DataFrame]]:
    """The file of that name walked over the months of one market; nobody changes the frames."""
    bars = random_bars(rows=260, holes=0.03, seed=11)
    return walked(FILES[name], bars_frame(bars), windows_of(bars), facts=market())


def assert_same_run(found: list[dict[str, pd.DataFrame]], run: BacktestResult) -> None:
    """Every number of every frame, bit for bit."""
    equity = whole(found, "equity")
    for name in run.equity.columns:
        np.testing.assert_array_equal(equity[name], run.equity[name], err_msg=name)
    trades, open_trades = whole(found, "trades"), found[-1]["positions"]
    expected = run.trades.rename(
        columns={"trade": "trade_id", "commission": "commission_cost", "slippage": "slippage_cost"}
    ).rename(columns={"borrow": "borrowing_cost", "days_held": "hold_days"})
    closed = expected["exit_reason"] != "open"
    for rows, all_rows in ((trades, expected[closed]), (open_trades, expected[~closed])):
        mine, its = rows.sort_values("trade_id"), all_rows.sort_values("trade_id")
        shared = [name for name in its.columns if name in mine.columns]
        assert len(shared) == 35
        for name in shared:
            same(mine[name], its[name], name)
    fills = whole(found, "fills").rename(columns={"order_id": "order", "trade_id": "trade"})
    for name in ("ts", "symbol", "order", "trade", "quantity", "price", "commission", "reason"):
        same(fills[name], run.fills[name], name)
    orders = whole(found, "orders").sort_values("order_id")
    ended = run.orders[run.orders["status"] != "open"]
    plain = ("symbol", "kind", "reason", "status", "cancelled_by", "quantity", "filled")
    for name in (*plain, "decided_ts"):
        same(orders[name], ended[name], name)


def same(mine: pd.Series, its: pd.Series, name: str) -> None:
    if its.dtype.kind in "ifb" and not isinstance(its.dtype, pd.CategoricalDtype):
        np.testing.assert_array_equal(mine.to_numpy(), its.to_numpy(), err_msg=name)
        return
    left, right = (["" if v is None else str(v) for v in one] for one in (mine, its))
    assert left == right, name


@pytest.mark.parametrize("cadence", ["monthly", "weekly"])
@pytest.mark.parametrize("name", FILES)
def test_windows_make_up_the_run_over_everything(name: str, cadence: str):
    bars = random_bars(rows=260, holes=0.03, seed=11)
    run = one_run(FILES[name], bars)
    found = (
        by_months(name)
        if cadence == "monthly"
        else walked(FILES[name], bars_frame(bars), windows_of(bars, cadence), facts=market())
    )
    assert run.n_trades > 8
    assert_same_run(found, run)


def test_windows_of_the_fixture_leave_orders_and_positions_open_at_their_ends():
    found = by_months("costs")
    open_orders = [int((one["state"]["part"] == "codes").sum()) for one in found]
    assert sum(n > 0 for n in open_orders) >= 2
    assert sum(len(one["positions"]) > 0 for one in found) >= 4


@pytest.mark.parametrize("name", ["risk", "at close"])
def test_positions_are_worth_what_the_account_says_that_they_are(name: str):
    """Cash and market values are the equity; marks are closes, the last ones before a gap."""
    bars = random_bars(rows=260, holes=0.03, seed=11)
    found = by_months(name)
    closes = pd.DataFrame(bars.close, index=bars.ts, columns=list(bars.symbols)).ffill()
    bought: dict[int, float] = {}  # by trade, less what a limit has cut back
    held = 0
    for one in found:
        last, positions = one["equity"].iloc[-1], one["positions"]
        for trade, quantity in one["fills"].groupby("trade_id")["quantity"].sum().items():
            bought[trade] = bought.get(trade, 0.0) + quantity
        held += len(positions)
        values = positions["market_value"]
        assert last["cash"] + values.sum() == pytest.approx(last["equity"], rel=1e-12)
        np.testing.assert_allclose(positions["weight"], values / last["equity"], rtol=1e-12)
        quantities = positions["trade_id"].map(bought)
        sides = np.where(positions["direction"] == "long", 1.0, -1.0)
        assert (np.sign(quantities) == sides).all()
        np.testing.assert_allclose(quantities.abs(), positions["shares"], rtol=1e-9)
        at = closes.loc[last["ts"].tz_localize(None)]
        np.testing.assert_array_equal(positions["mark_price"], at[positions["symbol"]])
        np.testing.assert_allclose(values, quantities * positions["mark_price"], rtol=1e-9)
    assert held >= 4


def test_windows_pay_funding_as_the_run_over_everything():
    bars = random_bars(rows=24 * 75, symbols=("AAA/USDT:USDT", "BBB/USDT:USDT"), days=1 / 24)
    due = pd.date_range(bars.ts[0], bars.ts[-1], freq="8h", tz="UTC").as_unit("us")
    rng = np.random.default_rng(5)
    rows = {
        "ts": due.repeat(2),
        "available_at": due.repeat(2),
        "symbol": pd.array(list(bars.symbols) * len(due), dtype="str"),
        "event_id": pd.array([str(i) for i in range(2 * len(due))], dtype="str"),
        "rate": rng.normal(1e-4, 3e-4, 2 * len(due)),
        "mark_price": np.full(2 * len(due), np.nan),
    }
    funding = pd.DataFrame(rows)
    facts = market(asset_class="crypto_perpetual", bar_length="1h", funding="required")
    for name in ("plain", "risk"):
        run = one_run(FILES[name], bars, funding=funding)
        found = walked(
            FILES[name], bars_frame(bars), windows_of(bars), facts=facts, funding=funding
        )
        assert (run.equity["funding"] != 0.0).sum() > 20
        assert_same_run(found, run)


def test_windows_with_bars_that_are_known_late_fill_when_the_whole_run_fills():
    plain = random_bars(rows=260, seed=4)
    bars = replace(plain, available_at=plain.available_at + np.timedelta64(30, "h"))
    found = walked(FILES["plain"], bars_frame(bars), windows_of(bars), facts=market())
    run = one_run(FILES["plain"], bars)
    assert run.n_trades > 8
    assert_same_run(found, run)


def test_windows_from_other_chunks_give_the_same_state():
    """The last state does not depend on where the run was cut."""
    bars = random_bars(rows=200, seed=9)
    frame, months = bars_frame(bars), windows_of(bars)
    found = walked(FILES["risk"], frame, months, facts=market())[-1]["state"]
    weeks = windows_of(bars, "weekly")
    other = walked(FILES["risk"], frame, weeks, facts=market())[-1]["state"]
    pd.testing.assert_frame_equal(found, other)


def test_windows_of_mode_independent_start_with_the_initial_capital():
    bars = random_bars(rows=200, seed=9)
    found = walked(
        FILES["plain"], bars_frame(bars), windows_of(bars), facts=market(), mode="independent"
    )
    for one in found:
        first = one["equity"].iloc[0]
        assert first["equity"] == pytest.approx(100_000.0, rel=1e-2)
        assert first["returns"] == pytest.approx(first["equity"] / 100_000.0 - 1.0, abs=1e-15)
        assert one["fills"].empty or one["fills"]["order_id"].min() == 1


def test_windows_without_bars_hand_the_state_on():
    bars = random_bars(rows=120, seed=9)
    frame = bars_frame(bars)
    gap = (frame["ts"] >= moment(2022, 3, 1)) & (frame["ts"] < moment(2022, 4, 1))
    cut = frame[~gap].reset_index(drop=True)
    left = BarPanel.from_frame(cut.drop(columns="is_gap"), bar_length=timedelta(days=1))
    found = walked(FILES["plain"], cut, windows_of(bars), facts=market())
    assert found[2]["equity"].empty
    assert len(found[2]["state"]) == len(found[1]["state"])
    assert_same_run(found, one_run(FILES["plain"], left))


def test_windows_obey_the_days_and_symbols_of_the_file():
    bars = random_bars(rows=200, seed=9)
    text = FILES["plain"] + (
        'backtest: {start_date: "2022-02-10", end_date: "2022-05-20", initial_capital: 5000.0, '
        "universe: [A, C]}\n"
    )
    found = walked(text, bars_frame(bars), windows_of(bars), facts=market())
    last = int(np.searchsorted(bars.ts, np.datetime64("2022-05-20")))
    part = bars.select(["A", "C"]).rows(slice(0, last + 1))
    run = one_run(text, part, initial_capital=5_000.0, start=moment(2022, 2, 10))
    assert [one["equity"].empty for one in found] == [True, *[False] * 4, *[True] * 2]
    assert_same_run([one for one in found if len(one["equity"])], run)


def test_windows_of_a_listed_universe_have_room_for_what_is_listed_later():
    bars = random_bars(rows=200, seed=9)
    late = bars_frame(bars)
    late = late[(late["symbol"] != "B") | (late["ts"] >= moment(2022, 4, 10))]
    late = late.reset_index(drop=True)
    text = FILES["plain"] + "backtest: {universe: [A, B, C]}\n"
    run = one_run(
        text, BarPanel.from_frame(late.drop(columns="is_gap"), bar_length=timedelta(days=1))
    )
    assert set(run.trades["symbol"]) == {"A", "B", "C"}
    assert_same_run(walked(text, late, windows_of(bars), facts=market()), run)


def test_state_refuses_bars_that_do_not_fit():
    bars = random_bars(rows=120, seed=9)
    frame, windows = bars_frame(bars), windows_of(bars)
    state = walked(FILES["plain"], frame, windows[:2], facts=market())[-1]["state"]
    with pytest.raises(DataError, match="stands at bar 57, the window begins at bar 56"):
        step(FILES["plain"], frame[frame["ts"] != frame["ts"].iloc[0]], windows[2], state, market())


def test_symbols_without_bars_any_more_stay_in_the_account_at_their_last_price():
    bars = random_bars(rows=120, seed=9)
    frame, windows = bars_frame(bars), windows_of(bars)
    state = walked(FILES["plain"], frame, windows[:2], facts=market())[-1]["state"]
    left = frame[(frame["symbol"] != "B") | (frame["ts"] < windows[2].start)]
    given = (windows[2], state, market())
    found, read = (step(FILES["plain"], rows, *given) for rows in (left, frame))
    held = state[(state["part"] == "held")]["symbol"].tolist()
    assert "B" in held
    assert "B" in found["positions"]["symbol"].tolist()
    last = frame[(frame["symbol"] == "B") & (frame["ts"] < windows[2].start)]["close"].iloc[-1]
    mark = found["positions"].set_index("symbol").loc["B", "mark_price"]
    assert mark == last
    assert read["equity"]["equity"].iloc[-1] != found["equity"]["equity"].iloc[-1]


def test_signals_are_those_of_the_strategy_after_its_warm_up():
    bars = random_bars(rows=260, holes=0.03, seed=11)
    found = whole(by_months("risk"), "signals")
    strategy = strategy_of(values_of(FILES["risk"])).strategy
    signals, plan = strategy.decide(bars)
    rows = pd.Index(bars.ts).get_indexer(found["ts"].dt.tz_localize(None))
    columns = pd.Index(bars.symbols).get_indexer(found["symbol"])
    for name in ("entry_long", "exit_long", "entry_short", "exit_short"):
        flags = getattr(signals, name).copy()
        flags[: strategy.warm_up] = False
        assert int(found[name].sum()) == int(flags.sum())
        np.testing.assert_array_equal(found[name], flags[rows, columns], err_msg=name)
    enters = (found["entry_long"] | found["entry_short"]).to_numpy()
    sizes = plan.sizes.size[rows, columns]
    np.testing.assert_array_equal(found["size"].to_numpy()[enters], sizes[enters])
    assert set(found["reason"]) == {"", *plan.labels["entry_signal"][rows, columns][enters]}
