"""Metrics of one window by hand; drift gap against the simulation."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.equity import Equity
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.analytics.window_metrics import is_partial, window_metrics_window
from quant_assets_tests.quant.analytics import accounts
from quant_assets_tests.quant.analytics.accounts import DAY, FEBRUARY, JANUARY, references
from quant_assets_tests.quant.simulation import markets

NAN = float("nan")


def measure(stage, equity, *, held=None, decided=None, prices=None, reference=None):
    frame = window_metrics_window(
        stage,
        NullTelemetry(),
        equity=equity,
        final_holdings=FinalHoldings.empty() if held is None else held,
        portfolio_weights=PortfolioWeights.empty() if decided is None else decided,
        bars=Bars.empty() if prices is None else prices,
        reference_returns=references({}) if reference is None else reference,
    )
    return WindowMetrics.check_frame(frame, where="window_metrics")


def test_window_metrics_by_hand():
    equity = accounts.equity(
        {"b": [0.1, -0.2, 0.0], "a": [0.0, 0.0, 0.0]}, cost=0.01, turnover=0.25
    )
    reference = references({"benchmark": [0.1, 0.1, 0.0], "risk_free": [0.0, 0.0, 0.01]})
    table = measure(accounts.context(), equity, reference=reference)
    assert table["entrant"].tolist() == ["a", "b"]
    assert table["ts"].tolist() == [JANUARY] * 2
    assert table["available_at"].tolist() == [JANUARY + 3 * DAY] * 2
    assert table["n_bars"].tolist() == [3, 3]
    row = table.iloc[1]
    assert row["net_return"] == pytest.approx(1.1 * 0.8 - 1)
    assert row["gross_return"] == pytest.approx(1.11 * 0.81 * 1.01 - 1)
    assert row["benchmark_return"] == pytest.approx(0.21)
    assert row["risk_free_return"] == pytest.approx(0.01)
    assert row["annual_volatility"] == pytest.approx(np.std([0.1, -0.2, 0], ddof=1) * 365**0.5)
    assert row["max_drawdown"] == pytest.approx(-0.2)
    sums = row[["turnover", "fees", "slippage", "funding"]]
    assert sums.tolist() == pytest.approx([0.75, 6.0, 9.0, -3.0])
    assert table["annual_volatility"].iloc[0] == 0.0


def test_references_that_are_absent_or_incomplete_are_nan():
    equity = accounts.equity({"a": [0.1, 0.1, 0.1]})
    reference = references({"benchmark": [0.1, NAN, 0.1]})
    row = measure(accounts.context(), equity, reference=reference).iloc[0]
    assert np.isnan(row["benchmark_return"])
    assert np.isnan(row["risk_free_return"])
    short = references({"benchmark": [0.1, 0.1]})
    assert np.isnan(measure(accounts.context(), equity, reference=short)["benchmark_return"][0])


def test_one_bar_has_no_volatility():
    row = measure(accounts.context(), accounts.equity({"a": [0.1]})).iloc[0]
    assert row["n_bars"] == 1
    assert np.isnan(row["annual_volatility"])


def test_empty_equity_gives_an_empty_frame():
    assert measure(accounts.context(), Equity.empty()).empty


@pytest.mark.parametrize(
    ("calendar", "last_day", "told", "expected"),
    [
        ("24/7", 31, False, False),
        ("24/7", 30, False, True),
        ("24/7", 31, True, True),
        ("XNYS", 31, False, False),
        ("XNYS", 26, False, False),
        ("XNYS", 25, False, True),
        ("XNYS", 31, True, True),
    ],
)
def test_window_is_partial_when_the_data_end_inside(calendar, last_day, told, expected):
    stage = accounts.context(calendar=calendar, partial=told)
    last = pd.Timestamp(JANUARY + (last_day - 1) * DAY)
    assert is_partial(stage, last) is expected


@pytest.mark.parametrize(("n_bars", "expected"), [(30, True), (31, False)])
def test_partial_looks_at_the_last_bar(n_bars, expected):
    table = measure(accounts.context(), accounts.equity({"a": [0.01] * n_bars}))
    assert table["partial"].tolist() == [expected]


def simulated(stage_options, decided, prices, **costs):
    stage = markets.context(market=markets.market(), **costs)
    result = markets.simulate(stage, decided, prices)
    table = measure(
        accounts.context(end=FEBRUARY, **stage_options),
        result["equity"],
        held=result["final_holdings"],
        decided=decided,
        prices=prices,
    )
    return table, result


PRICES = {"A": [10, 11, 14], "B": [20, 19, 18]}, {"A": [11, 12, 15], "B": [21, 19, 17]}
DECIDED = {"e": {"A": 0.5, "B": 0.3}, "f": {"A": -0.4, "B": 0.9}}


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_drift_gap_without_frictions_is_zero(fill):
    decided, prices = markets.weights(DECIDED), markets.bars(*PRICES)
    table, _ = simulated({"fill": fill}, decided, prices, fill=fill)
    assert table["drift_gap"].tolist() == pytest.approx([0.0, 0.0], abs=1e-14)


def test_drift_gap_by_hand_with_a_gap_and_lots():
    # 1000 in cash, lots of 30: A 0.5 -> 50 wanted, 30 held (300); B has no price at all
    decided = markets.weights({"e": {"A": 0.5, "B": 0.5}})
    prices = markets.bars({"A": [10, 10], "B": [NAN, NAN]}, {"A": [10, 20], "B": [NAN, NAN]})
    table, _ = simulated({}, decided, prices, lot_size=30.0)
    # held: 30 x 20 = 600 of 1300. Drifted: A 0.5 x 2 = 1, B 0.5 -> 1 / 1.5 and 0.5 / 1.5
    expected = abs(600 / 1300 - 1 / 1.5) + 0.5 / 1.5
    assert table["drift_gap"].tolist() == pytest.approx([expected])


def test_drift_starts_at_the_first_price_after_the_decision():
    late = JANUARY + timedelta(days=1)
    decided = markets.weights({"e": {"A": 1.0}}, late)
    prices = markets.bars({"A": [5, 10, 20]})
    stage = markets.context(decided_at=late, market=markets.market())
    result = markets.simulate(stage, decided, prices)
    table = measure(
        accounts.context(decided_at=late),
        result["equity"],
        held=result["final_holdings"],
        decided=decided,
        prices=prices,
    )
    assert table["drift_gap"].tolist() == pytest.approx([0.0], abs=1e-14)


def test_costs_and_turnover_are_those_of_the_fills():
    decided, prices = markets.weights(DECIDED), markets.bars(*PRICES)
    table, result = simulated({}, decided, prices, fee_bps=10.0, slippage_bps=20.0)
    fills = result["fills"].groupby("entrant")[["fee", "slippage"]].sum()
    assert table["fees"].tolist() == pytest.approx(fills["fee"].tolist())
    assert table["slippage"].tolist() == pytest.approx(fills["slippage"].tolist())
    assert (table["gross_return"] > table["net_return"]).all()
    assert table["turnover"].tolist() == pytest.approx([0.8, 1.3], rel=1e-2)
