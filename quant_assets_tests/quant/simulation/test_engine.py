"""The stage by hand arithmetic: fills, costs, marks, trades, and who takes part."""

from datetime import timedelta

import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets_tests.quant.simulation.markets import (
    DAY,
    START,
    bars,
    cash_of,
    context,
    holdings,
    quantities,
    simulate,
    weights,
)

NAN = float("nan")
COSTS = {"fee_bps": 100.0, "slippage_bps": 200.0}


def test_two_assets_three_bars_with_fees_and_slippage_by_hand():
    """Everything worked on paper.

    Before: cash 100, A 60 x 10 (average 8), B 15 x 20 (average 25): equity 1000. Wanted: A 30 %,
    B 60 %.
    Fee 1 %, slippage 2 %: a sale costs 0.02 + 0.01 * 0.98 = 0.0298 of its reference notional, a
    purchase 0.02 + 0.01 * 1.02 = 0.0302. At the first open A = 10, B = 20:
        x + 0.0298 (600 - 0.3 x) + 0.0302 (0.6 x - 300) = 1000  ->  x = 991.18 / 1.00918.
    """
    x = 991.18 / 1.00918
    quantity_a, quantity_b = 0.03 * x, 0.03 * x  # 0.3 x / 10 and 0.6 x / 20
    sold, bought = 60 - quantity_a, quantity_b - 15
    fees = 0.01 * (sold * 9.8 + bought * 20.4)
    slippage = 0.2 * sold + 0.4 * bought
    cash = 100 + sold * 9.8 - bought * 20.4 - fees
    before = holdings({"e": {"USDT": (100, 1, 1), "A": (60, 8, 10), "B": (15, 25, 20)}})
    prices = bars({"A": [10, 11, 12], "B": [20, 21, 19]}, {"A": [11, 12, 12], "B": [21, 19, 18]})

    result = simulate(context(**COSTS), weights({"e": {"A": 0.3, "B": 0.6}}), prices, before=before)

    equity = result["equity"]
    marked = [cash + quantity_a * a + quantity_b * b for a, b in [(11, 21), (12, 19), (12, 18)]]
    assert equity["equity"].tolist() == pytest.approx(marked, rel=1e-14)
    assert cash == pytest.approx(0.1 * x, rel=1e-12)
    assert equity["cash"].tolist() == pytest.approx([cash] * 3, rel=1e-12)
    returns = [marked[0] / 1000 - 1, marked[1] / marked[0] - 1, marked[2] / marked[1] - 1]
    assert equity["returns"].tolist() == pytest.approx(returns, rel=1e-11)
    gross = (marked[0] + fees + slippage) / 1000 - 1
    assert equity["gross_returns"].tolist() == pytest.approx([gross, *returns[1:]], rel=1e-11)
    assert equity["fees"].tolist() == pytest.approx([fees, 0, 0], rel=1e-12)
    assert equity["slippage"].tolist() == pytest.approx([slippage, 0, 0], rel=1e-12)
    traded = sold * 10 + bought * 20
    assert equity["turnover"].tolist() == pytest.approx([traded / 1000, 0, 0], rel=1e-12)

    fills = result["fills"].set_index("symbol")
    assert fills["quantity"].to_dict() == pytest.approx({"A": -sold, "B": bought}, rel=1e-12)
    assert fills["price"].to_dict() == pytest.approx({"A": 9.8, "B": 20.4})
    assert fills["reference_price"].to_dict() == {"A": 10.0, "B": 20.0}
    assert fills["fill_id"].to_dict() == {
        "A": "20240101T0000-e-A",
        "B": "20240101T0000-e-B",
    }
    trade = result["trades"].iloc[0]
    assert len(result["trades"]) == 1
    assert (trade["symbol"], trade["entry_price"]) == ("A", 8.0)
    assert trade["quantity"] == pytest.approx(sold)
    assert trade["pnl"] == pytest.approx(sold * 1.8 - 0.01 * sold * 9.8, rel=1e-12)
    held = result["final_holdings"].set_index("symbol")
    average_b = (15 * 25 + bought * 20.4) / quantity_b
    assert held["average_price"].to_dict() == pytest.approx({"USDT": 1, "A": 8, "B": average_b})
    assert held["mark_price"].to_dict() == {"USDT": 1.0, "A": 12.0, "B": 18.0}


def test_single_full_investment_buys_cash_over_price_times_one_plus_fee():
    prices = bars({"A": [50, 55, 60]})
    result = simulate(context(fee_bps=100.0), weights({"e": {"A": 1.0}}), prices)
    assert quantities(result)["A"] == pytest.approx(1000 / (50 * 1.01), rel=1e-15)
    assert cash_of(result) == pytest.approx(0.0, abs=1e-10)


def test_buy_and_hold_equals_price_ratio_minus_entry_costs():
    path = [100.0, 103.0, 99.0, 120.0]
    result = simulate(context(**COSTS), weights({"e": {"A": 1.0}}), bars({"A": path}))
    expected = [1000 / 1.0302 * price / 100 for price in path]
    assert result["equity"]["equity"].tolist() == pytest.approx(expected, rel=1e-13)
    assert result["trades"].empty


def test_short_sale_gains_when_the_price_falls():
    result = simulate(context(), weights({"e": {"A": -0.5}}), bars({"A": [10, 8]}))
    assert quantities(result) == {"A": -50.0}
    assert result["equity"]["equity"].tolist() == [1000.0, 1100.0]
    assert result["equity"]["position_value"].tolist() == [-500.0, -400.0]


def test_next_close_earns_the_bar_with_the_old_holdings_first():
    before = holdings({"e": {"USDT": (0, 1, 1), "A": (100, 10, 10)}})
    prices = bars({"A": [10, 12], "B": [5, 4]}, {"A": [12, 24], "B": [4, 6]})
    result = simulate(
        context(fill="next_close"), weights({"e": {"A": 0.0, "B": 1.0}}), prices, before=before
    )
    # bar 0: A 10 -> 12 earned, then all into B at 4: 300 B; bar 1: 300 x 6
    assert result["equity"]["equity"].tolist() == pytest.approx([1200.0, 1800.0])
    assert result["fills"]["reference_price"].tolist() == [12.0, 4.0]


def test_orders_fill_at_the_first_bar_at_or_after_the_decision():
    late = START + timedelta(days=1, hours=3)
    prices = bars({"A": [10, 11, 20, 30]})
    result = simulate(context(decided_at=late), weights({"e": {"A": 1.0}}, late), prices)
    assert result["fills"]["ts"].tolist() == [START + 2 * DAY]
    assert result["fills"]["decided_at"].tolist() == [late]
    assert result["equity"]["equity"].tolist() == [1000.0, 1000.0, 1000.0, 1500.0]


def test_orders_never_fill_on_a_bar_without_a_trade():
    """The bar at 11 has volume 0: it values holdings, but the order waits for the one at 20."""
    prices = bars({"A": [11, 20, 30]})
    prices.loc[0, "volume"] = 0.0
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    assert result["fills"]["ts"].tolist() == [START + DAY]
    assert result["fills"]["price"].tolist() == [20.0]
    held = simulate(context(fill="next_close"), weights({"e": {"A": 1.0}}), prices)
    assert held["fills"]["ts"].tolist() == [START + DAY]


def test_volume_that_nobody_knows_counts_as_traded():
    prices = bars({"A": [10, 20]}).assign(volume=NAN)
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    assert result["fills"]["ts"].tolist() == [START]


def test_decision_after_the_last_bar_leaves_the_holdings_alone():
    late = START + 10 * DAY
    before = holdings({"e": {"USDT": (500, 1, 1), "A": (50, 10, 10)}})
    result = simulate(
        context(decided_at=late), weights({"e": {"A": 0.0}}), bars({"A": [11, 12]}), before=before
    )
    assert result["fills"].empty
    assert quantities(result) == {"A": 50.0}
    assert result["equity"]["equity"].tolist() == [1050.0, 1100.0]


def test_held_symbol_without_a_weight_row_is_sold():
    before = holdings({"e": {"USDT": (0, 1, 1), "OLD": (100, 10, 10)}})
    prices = bars({"NEW": [5, 5], "OLD": [10, 10]})
    result = simulate(context(), weights({"e": {"NEW": 1.0}}), prices, before=before)
    assert quantities(result) == {"NEW": 200.0}


def test_lot_size_floors_toward_zero_on_both_sides():
    prices = bars({"A": [30, 30], "B": [70, 70]})
    decided = weights({"e": {"A": 0.5, "B": -0.5}})
    result = simulate(context(lot_size=1.0), decided, prices)
    assert quantities(result) == {"A": 16.0, "B": -7.0}  # 16.67 and -7.14
    assert cash_of(result) == pytest.approx(1000 - 480 + 490)


def test_flip_closes_then_opens_and_books_one_trade():
    before = holdings({"e": {"USDT": (0, 1, 1), "A": (100, 8, 10)}})
    result = simulate(context(), weights({"e": {"A": -0.5}}), bars({"A": [10, 10]}), before=before)
    fill, trade = result["fills"].iloc[0], result["trades"].iloc[0]
    assert (fill["quantity"], trade["quantity"], trade["pnl"]) == (-150.0, 100.0, 200.0)
    position = result["final_holdings"].iloc[1]
    assert (position["quantity"], position["average_price"]) == (-50.0, 10.0)


def test_cash_rate_accrues_geometrically_per_bar():
    result = simulate(
        context(cash_rate=0.05), weights({"e": {"A": 0.5}}), bars({"A": [10, 10, 10]})
    )
    growth = 1.05 ** (1 / 365)
    expected = [500 + 500 * growth**k for k in (1, 2, 3)]
    assert result["equity"]["equity"].tolist() == pytest.approx(expected, rel=1e-14)


def test_unwanted_dust_is_sold_to_the_last_unit():
    before = holdings({"e": {"USDT": (1000, 1, 1), "A": (1e-15, 10, 10)}})
    result = simulate(context(), weights({"e": {"A": 0.0}}), bars({"A": [10]}), before=before)
    assert result["fills"]["quantity"].tolist() == [-1e-15]
    assert quantities(result) == {}


def test_rounding_noise_is_not_traded():
    before = holdings({"e": {"USDT": (500, 1, 1), "A": (50 + 1e-13, 10, 10)}})
    result = simulate(context(), weights({"e": {"A": 0.5}}), bars({"A": [10]}), before=before)
    assert result["fills"].empty


def test_removed_entrant_is_dropped_and_told_to_telemetry():
    before = holdings({"gone": {"USDT": (7, 1, 1), "A": (2, 8, 10)}, "e": {"USDT": (50, 1, 1)}})
    telemetry = RecordingTelemetry()
    result = simulate(
        context(), weights({"e": {"A": 1.0}}), bars({"A": [10]}), before=before, telemetry=telemetry
    )
    assert result["equity"]["entrant"].unique().tolist() == ["e"]
    assert result["final_holdings"]["entrant"].unique().tolist() == ["e"]
    assert telemetry.rows[0] == {
        "kind": "metrics",
        "scope": "simulation/gone",
        "dropped": 1.0,
        "equity": 27.0,
    }


def test_new_entrant_starts_with_initial_equity_in_cash():
    before = holdings({"old": {"USDT": (50, 1, 1)}})
    decided = weights({"new": {"A": 0.5}, "old": {"A": 0.5}})
    result = simulate(context(), decided, bars({"A": [10]}), before=before)
    assert result["equity"].set_index("entrant")["equity"].to_dict() == {"new": 1000.0, "old": 50.0}


def test_independent_mode_starts_every_window_flat():
    before = holdings({"e": {"USDT": (50, 1, 1), "A": (5, 10, 10)}})
    result = simulate(
        context(mode="independent"), weights({"e": {"A": 1.0}}), bars({"A": [10]}), before=before
    )
    assert result["equity"]["equity"].tolist() == [1000.0]
    assert result["trades"].empty


def test_no_bars_hand_the_holdings_on_unchanged():
    before = holdings({"e": {"USDT": (50, 1, 1), "A": (5, 10, 10)}})
    result = simulate(context(), weights({"e": {"A": 1.0}}), Bars.empty(), before=before)
    pd.testing.assert_frame_equal(result["final_holdings"], before)
    assert all(result[name].empty for name in ("fills", "trades", "equity"))


def test_no_weights_give_empty_frames():
    result = simulate(context(), PortfolioWeights.empty(), bars({"A": [10]}))
    assert all(frame.empty for frame in result.values())


def test_orphan_position_without_cash_row_is_a_data_error():
    before = holdings({"e": {"USDT": (50, 1, 1), "A": (5, 10, 10)}})
    before = before[before["kind"] == "position"].reset_index(drop=True)
    with pytest.raises(DataError, match=r"no cash row for the entrants \['e'\]"):
        simulate(context(), weights({"e": {"A": 1.0}}), bars({"A": [10]}), before=before)


def test_ruined_account_is_a_data_error_with_place_and_number():
    with pytest.raises(DataError, match=r"'e' at 2024-01-02.*equity -500 is not positive"):
        simulate(context(), weights({"e": {"A": -1.0}}), bars({"A": [10, 25]}))


def test_costs_above_the_equity_are_a_data_error():
    before = holdings({"e": {"USDT": (-990, 1, 1), "A": (100, 10, 10)}})
    with pytest.raises(DataError, match="costs of the rebalance exceed the equity"):
        simulate(context(**COSTS), weights({"e": {"A": 0.0}}), bars({"A": [10]}), before=before)


def test_inverse_contract_is_refused():
    with pytest.raises(DataError, match=r"inverse contracts.*BTC/USD:BTC"):
        simulate(context(), weights({"e": {"BTC/USD:BTC": 1.0}}), bars({"BTC/USD:BTC": [10]}))


def test_same_input_gives_the_same_bytes_and_leaves_the_input_alone():
    before = holdings({"e": {"USDT": (50, 1, 1), "A": (5, 10, 10)}})
    decided, prices = weights({"e": {"A": 0.5, "B": 0.5}}), bars({"A": [10, 11], "B": [3, 4]})
    copies = decided.copy(deep=True), prices.copy(deep=True), before.copy(deep=True)
    first = simulate(context(**COSTS), decided, prices, before=before)
    second = simulate(context(**COSTS), decided, prices, before=before)
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name], check_exact=True)
    for frame, copy in zip((decided, prices, before), copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_available_at_is_the_latest_of_the_bar():
    prices = bars({"A": [10, 11], "B": [3, 4]})
    delay = pd.to_timedelta([0, 2, 0, 0], unit="h").as_unit("us")
    prices["available_at"] = prices["available_at"] + delay
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    expected = [START + DAY + timedelta(hours=2), START + 2 * DAY]
    assert result["equity"]["available_at"].tolist() == expected
    assert result["final_holdings"]["available_at"].unique().tolist() == expected[1:]


def test_final_holdings_chain_into_the_next_window():
    first = simulate(context(), weights({"e": {"A": 1.0}}), bars({"A": [10, 12]}))
    later = START + 2 * DAY
    second = simulate(
        context(start=later),
        weights({"e": {"A": 1.0}}, later),
        bars({"A": [15, 18]}, start=later),
        before=first["final_holdings"],
    )
    # the gap from 12 to 15 belongs to the second window's first bar
    assert second["equity"]["returns"].tolist() == pytest.approx([1500 / 1200 - 1, 0.2])
    assert FinalHoldings.check_frame(second["final_holdings"], where="chain") is not None


def test_days_without_any_bar_are_no_gaps():
    prices = bars({"A": [10, 11, 12, 13, 14]})
    prices = prices[prices["ts"].dt.day.isin([1, 2, 5])].reset_index(drop=True)
    result = simulate(context(), weights({"e": {"A": 1.0}}), prices)
    assert result["equity"]["equity"].tolist() == pytest.approx([1000.0, 1100.0, 1400.0])
