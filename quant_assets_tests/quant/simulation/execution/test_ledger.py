"""The frames of a run: what each column says, the score of fills, and that profits add up."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.earnings import returns_of
from quant_assets.quant.simulation.execution.event_kernel.loop import month_of
from quant_assets.quant.simulation.execution.event_kernel.trades import fill_quality
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    NAN,
    Told,
    at,
    daily,
    exits,
    flat_bars,
    hand_bars,
    place,
    tell,
    units,
)
from quant_assets_tests.quant.simulation.execution.random_runs import random_run

DESIGN = {
    *("symbol", "direction", "entry_ts", "entry_price", "exit_ts", "exit_price", "shares", "pnl"),
    *("pnl_pct", "commission", "slippage", "borrow", "funding", "entry_signal", "exit_reason"),
    *("bars_held", "days_held", "max_favorable_excursion", "max_adverse_excursion"),
    *("regime_at_entry", "regime_confidence", "volatility_at_entry", "volume_at_entry"),
    *("position_size_pct", "portfolio_heat", "drawdown_at_entry", "fill_quality_score"),
    *("market_impact", "spans_gap"),
}


def test_trades_have_the_columns_of_the_design():
    bars = flat_bars(3)
    trades = tell(bars, Signals(entry_long=at(bars, 0))).trades
    assert set(trades.columns) >= DESIGN
    empty = tell(bars, Signals(entry_long=at(bars))).trades
    assert len(empty) == 0
    assert list(empty.columns) == list(trades.columns)


def test_a_trade_tells_its_circumstances():
    """Second trade: 10 units at 110; the first lost 100 of 100,000 and still has its stop at 85."""
    rows = [(100, 100, 100, 100), (100, 101, 98, 99), (99, 99, 89, 90), (110, 125, 104, 120)]
    first = hand_bars(*rows)
    bars = daily(
        {n: np.hstack([first[n], first[n]]) for n in ("open", "high", "low", "close")},
        volume=np.full((4, 2), 5_000.0),
    )
    signals = Signals(
        entry_long=at(bars, 0, column=0) | at(bars, 2, column=1),
        strength=np.full((4, 2), 0.7),
    )
    labels = {
        "regime_at_entry": np.array([["bull", "bear"]] * 4, dtype=object),
        "regime_confidence": np.array([[0.9, 0.6]] * 4),
    }
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, stop=0.15), labels=labels)
    trades = tell(bars, signals, plan=plan).trades.set_index("symbol")
    one, two = trades.loc["A"], trades.loc["B"]
    assert (one.mfe, one.mae) == (pytest.approx(0.25), pytest.approx(-0.11))
    assert one.max_favorable_excursion == pytest.approx(250.0)
    assert one.max_adverse_excursion == pytest.approx(-110.0)
    assert (one.pnl, one.pnl_pct) == (pytest.approx(200.0), pytest.approx(0.2))
    assert two.regime_at_entry == "bear"
    assert (two.regime_confidence, two.strength) == (0.6, 0.7)
    # equity at the open of bar 3: 100,000 + 10 x (110 - 100)
    assert two.position_size_pct == pytest.approx(1_100 / 100_100)
    assert two.drawdown_at_entry == 0.0
    assert two.portfolio_heat == pytest.approx(10 * (90 - 85) / 100_100)
    assert two.volume_at_entry == 5_000.0
    assert (two.entry_ts, two.exit_reason) == (pd.Timestamp("2024-01-04", tz="UTC"), "open")


def test_a_debt_that_grows_is_no_gain():
    returns = returns_of(np.array([110.0, -55.0, -60.0, -50.0, 10.0]), 100.0)
    np.testing.assert_allclose(returns, [0.1, -1.5, 0.0, 0.0, 0.0], rtol=1e-12)


def test_volatility_at_entry_is_that_of_the_twenty_returns_before_the_decision():
    rng = np.random.default_rng(0)
    bars = daily({"close": 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (40, 1)), axis=0))})
    result = tell(bars, Signals(entry_long=at(bars, 5, 30), exit_long=at(bars, 20)))
    returns = bars.close[1:, 0] / bars.close[:-1, 0] - 1.0
    early, late = result.trades.volatility_at_entry
    assert np.isnan(early)
    assert late == pytest.approx(np.std(returns[10:30], ddof=1), rel=1e-12)


def test_gap_inside_a_trade_is_flagged_and_marked_at_the_level_before():
    bars = hand_bars(*[(100.0,) * 4] * 2, (104.0,) * 4, (NAN,) * 4, (90.0,) * 4)
    result = tell(bars, Signals(entry_long=at(bars, 0)))
    assert result.trades.spans_gap.tolist() == [True]
    assert result.equity.position_value.tolist() == pytest.approx([0, 1_000, 1_040, 1_040, 900])


@pytest.mark.parametrize(
    ("quantity", "volume", "price", "score"),
    [
        (1.0, 1e9, 100.0, 1.0),
        (10.0, 1_000.0, 100.0, 1.0),
        (505.0, 1_000.0, 100.0, 0.5),
        (1_000.0, 1_000.0, 100.0, 0.0),
        (1.0, NAN, 100.0, 1.0),
        (1.0, 1e9, 102.0 / (1 - 0.005), 0.5),
        (1.0, 1e9, 110.0, 0.0),
    ],
)
def test_fill_quality_score(quantity, volume, price, score):
    bars = hand_bars((100, 102, 99, 101), volume=[volume])
    market = type("M", (), {n: bars[n] for n in ("high", "low", "volume")})
    assert fill_quality.py_func(market, (0, 0), quantity, price) == pytest.approx(score, abs=1e-12)


def test_liquid_tiny_order_scores_one_and_a_whole_bar_nothing():
    bars = flat_bars(4, symbols=2, volume=np.full((4, 2), 1_000.0))
    orders = [Order(symbol="A", quantity=1.0), Order(symbol="B", quantity=1_000.0)]
    assert place(bars, {0: orders}).trades.fill_quality_score.tolist() == [1.0, 0.0]


def test_equity_frame_adds_up():
    result_of = random_run(7)
    told = Told(decisions=result_of.signals, goes_with=result_of.plan)
    result = backtest(told, result_of.bars, result_of.terms)
    equity = result.equity
    np.testing.assert_allclose(equity.cash + equity.position_value, equity.equity, rtol=1e-12)
    np.testing.assert_allclose(100_000 * (1 + equity.returns).cumprod(), equity.equity, rtol=1e-10)
    assert result.costs.amount.sum() == pytest.approx(result.final_equity - 100_000, abs=1e-6)
    assert result.by_symbol.pnl.sum() == pytest.approx(result.trades.pnl.sum(), abs=1e-6)
    assert equity.commission.sum() == pytest.approx(result.fills.commission.sum())
    assert result.metrics["total_return"] == pytest.approx(result.total_return, rel=1e-10)
    assert result.metrics["max_drawdown"] == pytest.approx(-equity.drawdown.max(), rel=1e-10)


def test_hash_is_the_same_again_and_another_for_another_run():
    runs = [random_run(seed) for seed in (7, 7, 8)]
    hashes = [
        backtest(Told(decisions=r.signals, goes_with=r.plan), r.bars, r.terms).hash() for r in runs
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_long_frame_gives_what_its_panel_gives():
    run = random_run(11)
    bars = BarPanel.from_frame(run.bars.frame(), bar_length=run.bars.bar_length)
    told = Told(decisions=Signals(entry_long=at(bars, 3, 20), exit_long=at(bars, 9)))
    panel, frame = (backtest(told, given) for given in (bars, bars.frame()))
    assert panel.hash() == frame.hash()


def test_terms_models_settings_and_presets_are_taken():
    bars = flat_bars(4)
    told = Told(decisions=Signals(entry_long=at(bars, 0)))
    free = backtest(told, bars, frictionless(bars)).costs.amount["commission"]
    assert free == 0.0
    default = backtest(told, bars).costs.amount["commission"]
    assert default < 0.0
    assert backtest(told, bars, "default").hash() == backtest(told, bars).hash()
    settings = {"fill_model": "same_close", "commission_model": "none"}
    stamped = backtest(told, bars, settings)
    assert stamped.costs.amount["commission"] == 0.0
    assert any("close that decided" in line for line in stamped.assumptions)


def test_months_are_those_of_the_calendar():
    days = np.arange(-200_000, 200_000, 13)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    counted = np.array([month_of.py_func(int(day)) for day in days])
    assert (np.diff(counted) == np.diff(months)).all()


def test_a_result_tells_what_its_bars_hide():
    """A symbol that rests too often is named."""
    close = np.full((30, 2), 100.0)
    close[np.arange(30) % 7 >= 5, 1] = np.nan
    bars = daily({"close": close})
    signals = Signals(entry_long=at(bars, 8))
    waits = Told(decisions=signals, warm_up_bars=8)
    (line,) = backtest(waits, bars, frictionless(bars)).doubts
    assert line.startswith("GAPS: B: never more than 5 bars in a row")
    assert tell(bars, signals).doubts == ()
