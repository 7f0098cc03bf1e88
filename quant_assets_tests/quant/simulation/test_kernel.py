"""The exact cost equation, lots and average-cost booking, by hand and against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from quant_assets.quant.simulation import kernel, rebalancing_kernel
from quant_assets.quant.simulation.state import BOOK_FIELDS, FILL_FIELDS, Rules
from quant_assets_tests.quant.simulation.ledger import Costs, equity_after_costs

pytestmark = pytest.mark.slow

FEE, SLIPPAGE = 0.01, 0.02
COST = (SLIPPAGE + FEE * (1 + SLIPPAGE), SLIPPAGE + FEE * (1 - SLIPPAGE))  # 0.0302, 0.0298


def rules(fee=FEE, slippage=SLIPPAGE, lot=0.0):
    return Rules(fee, slippage, lot, 0.0, True, 0)


def after_costs(equity, value, weight, cost=COST, traded=None):
    value, weight = np.array(value, dtype=float), np.array(weight, dtype=float)
    traded = np.ones(len(value), dtype=bool) if traded is None else np.array(traded)
    return rebalancing_kernel.post_cost_equity(equity, value, weight, traded, cost)


def test_field_names_match_the_kernel_columns():
    assert len(BOOK_FIELDS) == kernel.N_BOOK_FIELDS
    assert len(FILL_FIELDS) == kernel.N_FILL_FIELDS
    assert BOOK_FIELDS[kernel.TURNOVER] == "turnover"
    assert BOOK_FIELDS[kernel.GROSS] == "gross_returns"
    assert FILL_FIELDS[7:9] == ("slippage", "closed")


def test_unit_costs_by_hand():
    assert rebalancing_kernel.unit_costs(rules()) == pytest.approx((0.0302, 0.0298), abs=1e-15)


def test_post_cost_equity_purchases_from_cash_closed_form():
    # x + 0.0302 * 0.9 x = 1000
    assert after_costs(1000.0, [0, 0], [0.6, 0.3]) == pytest.approx(1000 / 1.02718, rel=1e-15)


def test_post_cost_equity_sale_and_purchase_by_hand():
    # x + 0.0298 (600 - 0.3 x) + 0.0302 (0.6 x - 300) = 1000  ->  x = 991.18 / 1.00918
    found = after_costs(1000.0, [600, 300], [0.3, 0.6])
    assert found == pytest.approx(991.18 / 1.00918, rel=1e-15)


def test_post_cost_equity_unchanged_weights_costs_nothing():
    assert after_costs(1000.0, [600, 400], [0.6, 0.4]) == 1000.0


def test_post_cost_equity_order_that_turns_into_a_sale_by_its_own_costs():
    # B alone costs so much that A, which fits at x = 1000, must be sold: two segments
    found = after_costs(1000.0, [500, 0], [0.5, 0.5], cost=(0.5, 0.5))
    # x + 0.5 (500 - 0.5 x) + 0.5 * 0.5 x = 1000  ->  x = 750
    assert found == pytest.approx(750.0, rel=1e-15)


def test_post_cost_equity_untraded_symbols_cost_nothing():
    assert after_costs(1000.0, [0, 0], [0.5, 0.5], traded=[True, False]) == pytest.approx(
        1000 / (1 + 0.5 * COST[0]), rel=1e-15
    )


def test_post_cost_equity_costs_above_equity_are_nan():
    assert np.isnan(after_costs(10.0, [1000, -990], [0.0, 0.0], cost=(0.1, 0.1)))


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    n=st.integers(1, 8),
    scale=st.sampled_from([1e-6, 1.0, 1e3, 1e9]),
    fee=st.floats(0, 0.02),
    slippage=st.floats(0, 0.02),
)
def test_post_cost_equity_equals_brentq_and_breakpoints(data, n, scale, fee, slippage):
    cells = st.floats(-1, 1).map(lambda x: round(x, 6))
    weight = np.array(data.draw(st.lists(cells, min_size=n, max_size=n))) / n
    value = np.array(data.draw(st.lists(cells, min_size=n, max_size=n))) * scale / n
    equity = scale * data.draw(st.floats(0.5, 2))
    cost = (slippage + fee * (1 + slippage), slippage + fee * (1 - slippage))
    found = after_costs(equity, value, weight, cost=cost)

    def excess(x):
        order = weight * x - value
        return x + np.where(order > 0, cost[0] * order, -cost[1] * order).sum() - equity

    oracle = brentq(excess, 0.0, 2 * equity, xtol=1e-14 * equity, rtol=1e-14)
    assert found == pytest.approx(oracle, rel=1e-12)
    assert found == pytest.approx(
        equity_after_costs(equity, value, weight, Costs(fee, slippage)), rel=1e-12
    )
    assert abs(excess(found)) <= 1e-13 * equity


@pytest.mark.parametrize(
    ("quantity", "lot", "expected"),
    [(2.7, 1.0, 2.0), (-2.7, 1.0, -2.0), (0.3, 0.1, 0.3), (0.29, 0.1, 0.2), (5.3, 0.0, 5.3)],
)
def test_floor_to_lot_rounds_toward_zero(quantity, lot, expected):
    assert rebalancing_kernel.floor_to_lot(quantity, lot) == pytest.approx(expected, abs=1e-12)


def test_book_fill_increase_averages_the_price():
    # 10 held at 100; buy 5 at 120 * 1.02 = 122.4: average (1000 + 612) / 15
    row, held, average = kernel.book_fill(5.0, 10.0, 100.0, 120.0, rules())
    assert (held, average) == (15.0, pytest.approx(1612 / 15, rel=1e-15))
    assert row[3:8] == pytest.approx([5.0, 120.0, 122.4, 6.12, 12.0], rel=1e-15)
    assert row[8:12].tolist() == [0.0, 0.0, 0.0, 0.0]


def test_book_fill_reduction_keeps_the_average_and_realises_profit():
    # sell 4 of 10 (average 100) at 120 * 0.98 = 117.6, fee 4.704: pnl 4 * 17.6 - 4.704
    row, held, average = kernel.book_fill(-4.0, 10.0, 100.0, 120.0, rules())
    assert (held, average) == (6.0, 100.0)
    assert row[8:12] == pytest.approx([4.0, 100.0, 65.696, 4.704], rel=1e-14)


def test_book_fill_flip_closes_then_opens_at_the_fill_price():
    # short 4 at 100; buy 10 at 80 * 1.02 = 81.6: closes -4, opens +6; fee 8.16, 4/10 of it closes
    row, held, average = kernel.book_fill(10.0, -4.0, 100.0, 80.0, rules())
    assert (held, average) == (6.0, pytest.approx(81.6))
    assert row[8:12] == pytest.approx([-4.0, 100.0, -4 * (81.6 - 100) - 3.264, 3.264], rel=1e-14)
