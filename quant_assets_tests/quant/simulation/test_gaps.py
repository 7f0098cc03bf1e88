"""Bars that are missing, by hand: orders wait for them, cash is kept for orders, marks stay."""

import pytest

from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets_tests.quant.simulation.markets import (
    DAY,
    START,
    bars,
    cash_of,
    context,
    holdings,
    market,
    quantities,
    simulate,
    weights,
)

NAN = float("nan")


def test_gap_at_the_fill_bar_carries_the_order_to_the_next_priced_bar():
    prices = bars({"A": [10, 10, 10], "B": [NAN, NAN, 5]})
    telemetry = RecordingTelemetry()
    result = simulate(context(), weights({"e": {"A": 0.5, "B": 0.5}}), prices, telemetry=telemetry)
    fills = result["fills"]
    assert fills["symbol"].tolist() == ["A", "B"]
    assert fills["ts"].tolist() == [START, START + 2 * DAY]
    assert quantities(result) == {"A": 50.0, "B": 100.0}
    assert telemetry.rows[-1]["expired_orders"] == 0.0


def test_gap_until_the_window_ends_expires_the_order_and_keeps_the_last_mark():
    before = holdings({"e": {"USDT": (0, 1, 1), "A": (100, 8, 10)}})
    prices = bars({"A": [NAN, NAN], "B": [5, 10]})
    telemetry = RecordingTelemetry()
    result = simulate(
        context(), weights({"e": {"B": 1.0}}), prices, before=before, telemetry=telemetry
    )
    # A cannot be sold, so there is no cash for B: nothing happens, nothing is borrowed
    assert result["fills"].empty
    assert result["equity"]["equity"].tolist() == [1000.0, 1000.0]
    assert result["final_holdings"]["mark_price"].tolist() == [1.0, 10.0]
    assert telemetry.rows[-1]["expired_orders"] == 2.0


def test_blocked_sale_limits_the_purchase_and_completes_it_later():
    # half in A (blocked at the first bar), half cash; all is wanted in B
    before = holdings({"e": {"USDT": (500, 1, 1), "A": (50, 8, 10)}})
    prices = bars({"A": [NAN, 12, 12], "B": [5, 5, 5]}, {"A": [NAN, 12, 12], "B": [5, 5, 5]})
    result = simulate(context(), weights({"e": {"B": 1.0}}), prices, before=before)
    fills = result["fills"]
    assert fills["symbol"].tolist() == ["B", "A", "B"]
    assert fills["quantity"].tolist() == pytest.approx([100.0, -50.0, 120.0])
    assert fills["fill_id"].tolist() == [
        "20240101T0000-e-B",
        "20240101T0000-e-A",
        "20240101T0000-e-B-2",
    ]
    assert result["equity"]["equity"].tolist() == pytest.approx([1000.0, 1100.0, 1100.0])


def test_carried_purchase_does_not_borrow_when_the_rest_has_risen():
    prices = bars({"A": [10, 20], "B": [NAN, 5]}, {"A": [15, 20], "B": [NAN, 5]})
    result = simulate(context(), weights({"e": {"A": 0.5, "B": 0.5}}), prices)
    # equity 1500 asks for 750 of B, but only 500 were kept for it
    assert quantities(result) == {"A": 50.0, "B": 100.0}
    assert cash_of(result) == pytest.approx(0.0, abs=1e-9)


def test_sale_pays_for_a_purchase_at_the_same_bar_while_another_order_is_blocked():
    # A (500) is blocked; C (500) is sold and pays for B, which wants all 1000
    before = holdings({"e": {"USDT": (0, 1, 1), "A": (50, 8, 10), "C": (100, 5, 5)}})
    prices = bars({"A": [NAN, NAN], "B": [4, 4], "C": [5, 5]})
    result = simulate(context(), weights({"e": {"B": 1.0}}), prices, before=before)
    assert quantities(result) == pytest.approx({"A": 50.0, "B": 125.0})
    assert result["fills"]["ts"].tolist() == [START] * 2
    assert cash_of(result) == pytest.approx(0.0, abs=1e-9)


def test_limited_purchase_does_not_trickle_while_the_order_stays_blocked():
    before = holdings({"e": {"USDT": (500, 1, 1), "A": (50, 8, 10)}})
    prices = bars({"A": [NAN] * 5, "B": [5, 4, 3, 4, 5]})
    stage = context(cash_rate=0.5, market=market(bars_per_year=10))
    result = simulate(stage, weights({"e": {"B": 1.0}}), prices, before=before)
    assert result["fills"]["ts"].tolist() == [START]
    assert quantities(result) == pytest.approx({"A": 50.0, "B": 100.0})


def test_planned_borrowing_is_allowed_for_a_carried_purchase():
    prices = bars({"A": [10, 10], "B": [NAN, 5]})
    result = simulate(context(), weights({"e": {"A": 0.9, "B": 0.6}}), prices)
    assert quantities(result) == pytest.approx({"A": 90.0, "B": 120.0})
    assert cash_of(result) == pytest.approx(-500.0)


def test_carried_orders_of_two_entrants_come_in_order_of_time():
    prices = bars({"A": [10, 10], "B": [NAN, 5]})
    decided = weights({"e": {"A": 0.5, "B": 0.5}, "f": {"A": 0.2, "B": 0.8}})
    fills = simulate(context(), decided, prices)["fills"]
    assert fills["entrant"].tolist() == ["e", "f", "e", "f"]
    assert fills["symbol"].tolist() == ["A", "A", "B", "B"]


def test_bar_with_an_open_and_no_close_is_marked_at_its_open():
    prices = bars({"A": [10, 12]}, {"A": [NAN, 12]})
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    assert result["equity"]["equity"].tolist() == pytest.approx([1000.0, 1200.0])


def test_gap_inside_the_window_marks_at_the_last_close():
    prices = bars({"A": [10, NAN, 12]}, {"A": [11, NAN, 12]})
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    assert result["equity"]["equity"].tolist() == pytest.approx([1100.0, 1100.0, 1200.0])


def test_symbol_without_any_bar_is_never_bought():
    result = simulate(context(), weights({"e": {"A": 0.5, "Z": 0.5}}), bars({"A": [10, 11]}))
    assert quantities(result) == {"A": 50.0}
    assert cash_of(result) == 500.0
