"""Every schedule against examples of its source, or numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.commissions.base import (
    COMMISSIONS,
    CommissionModel,
    charge,
)


def cost(spelling, quantity, price, **order):
    return charge(plug_in(COMMISSIONS, CommissionModel, spelling).terms(), quantity, price, **order)


def brokers(plan, **parameters):
    return {"interactive_brokers": {"plan": plan, **parameters}}


@pytest.mark.parametrize(
    ("shares", "price", "dollars"),
    [
        (100, 25.0, 1.00),  # the three examples that stand on Interactive Brokers' page
        (1_000, 25.0, 5.00),
        (1_000, 0.25, 2.50),
        (10, 0.20, 0.02),  # its footnote: the maximum holds against the minimum
        (200_000, 5.0, 1_000.00),  # "fixed vs. tiered comparison": 1,015.27 less 8.00 and 7.27
    ],
)
def test_interactive_brokers_fixed_reproduces_the_published_examples(shares, price, dollars):
    assert round(cost(brokers("fixed"), shares, price), 2) == dollars
    assert cost("interactive_brokers", shares, price) == cost(brokers("fixed"), shares, price)


# The rates in force in 2023, with which the broker's comparison of its plans is computed.
OF_2023 = {
    "sell_rate": 0.000008,
    "sell_fee": 0.000145,
    "sell_fee_most": 7.27,
    "audit_fee": 0.0,
    "passed_through": 0.000175 + 0.00056,
}
ALONE = dict.fromkeys(
    ("clearing_fee", "take_fee", "give_fee", "passed_through"), 0.0
) | dict.fromkeys(("sell_rate", "sell_fee", "audit_fee"), 0.0)


@pytest.mark.parametrize(
    ("shares", "order", "dollars"),
    [
        (-30_000_000, {"maker": True}, -13_811.90),
        (-30_000_000, {}, 139_188.10),
        (-200_000, {}, 1_355.78),
    ],
)
def test_interactive_brokers_tiered_reproduces_the_published_comparison(shares, order, dollars):
    assert round(cost(brokers("tiered", **OF_2023), shares, 5.0, **order), 2) == dollars


def test_interactive_brokers_fixed_reproduces_the_published_comparison():
    assert round(cost(brokers("fixed", **OF_2023), -200_000, 5.0), 2) == 1_015.27
    assert round(cost(brokers("fixed", **OF_2023), -30_000_000, 5.0), 2) == 151_207.27


@pytest.mark.parametrize(
    ("shares", "before", "dollars"),
    [
        (200_000, 0, 700.00),  # the broker's own part of the examples above
        (30_000_000, 0, 1_050.00 + 5_400.00 + 25_500.00 + 10_000.00),
        (100_000, 300_000, 200.00),
        (400_000, 0, 1_250.00),
        (200_000, 200_000, 350.00 + 200.00),
        (1_000_000, 100_000_000, 500.00),
        (10, 0, 0.35),
    ],
)
def test_interactive_brokers_tiers_of_the_month_are_marginal(shares, before, dollars):
    found = cost(brokers("tiered", **ALONE), shares, 5.0, month_units=before)
    assert round(found, 2) == dollars


@pytest.mark.parametrize(
    ("shares", "price", "order", "cents"),
    [
        # the least, NYSE and FINRA 0.0003, clearing 2 cents, audit trail 0.72, NASDAQ 30 or -21
        (100, 25.0, {}, 35.0258 + 2.0 + 0.72 + 30.0),
        (100, 25.0, {"maker": True}, 35.0258 + 2.0 + 0.72 - 21.0),
        # a sale: 27.80 USD per million of 2,500 USD, and 0.000166 a share
        (-100, 25.0, {}, 67.7458 + 6.95 + 1.66),
        # 1 % of 10 USD holds against the least
        (100, 0.10, {}, 10.0 * 1.000738 + 32.72),
        # 100,000 shares sold would be 16.60 USD of FINRA's fee: 8.30 is the most
        (-100_000, 25.0, {}, 35_025.83 + 100_000 * 0.3272 + 6_950.0 + 830.0),
    ],
)
def test_interactive_brokers_tiered_by_hand_to_the_cent(shares, price, order, cents):
    assert cost(brokers("tiered"), shares, price, **order) == pytest.approx(cents / 100, abs=5e-5)


def test_interactive_brokers_passes_the_fee_of_sales_on():
    plan = brokers("fixed", sell_rate=0.000008)
    assert cost(brokers("fixed"), -200_000, 5.0) == 1_000.00
    assert round(cost(plan, -200_000, 5.0), 2) == 1_000.00 + 8.00  # as in the same comparison
    assert cost(plan, 200_000, 5.0) == 1_000.00


@pytest.mark.parametrize(
    ("spelling", "quantity", "price", "order", "money"),
    [
        ("none", 5, 100.0, {}, 0.0),
        ({"flat": {"amount": 4.95}}, -7, 3.0, {}, 4.95),
        ({"per_share": {"rate": 0.01, "minimum": 2.0}}, 100, 50.0, {}, 2.0),
        ({"per_share": {"rate": 0.01, "maximum": 0.005}}, 1_000, 1.0, {}, 5.0),
        ({"maker_taker": {"maker_bps": 2, "taker_bps": 5}}, 2, 10_000.0, {}, 10.0),
        ({"maker_taker": {"maker_bps": 2}}, 2, 10_000.0, {"maker": True}, 4.0),
        ({"maker_taker": {"maker_bps": -1}}, 2, 10_000.0, {"maker": True}, -2.0),
        ({"percent": {"bps": 10}}, 10, 100.0, {}, 1.0),
        ({"percent": {"bps": 10, "minimum": 3.0}}, 10, 100.0, {}, 3.0),
        ({"percent": {"bps": 0, "buy_tax_bps": 50}}, 10, 100.0, {}, 5.0),
        ({"percent": {"bps": 0, "buy_tax_bps": 50}}, -10, 100.0, {}, 0.0),
        ({"percent": {"bps": 10, "minimum": 3.0, "sell_tax_bps": 5}}, -10, 100.0, {}, 3.5),
        ({"tick_rounded": {"bps": 5}}, 1, 90.0, {}, 0.05),  # 0.045 is rounded up
        ({"tick_rounded": {"bps": 5}}, 1, 89.0, {}, 0.04),
        ({"tick_rounded": {"bps": 5}}, 1, 1.0, {}, 0.01),
        ({"percent": {"bps": 5, "increment": 0.25}}, 10, 100.0, {}, 0.5),
    ],
)
def test_schedule_charges_the_hand_worked_money(spelling, quantity, price, order, money):
    assert cost(spelling, quantity, price, **order) == pytest.approx(money, abs=1e-12)


@given(
    cuts=st.lists(st.floats(1.0, 5e7), min_size=1, max_size=8),
    before=st.floats(0.0, 3e8),
)
def test_tiers_are_marginal_however_an_order_is_cut(cuts, before):
    terms = plug_in(COMMISSIONS, CommissionModel, brokers("tiered")).terms()
    terms = terms._replace(minimum=0.0, maximum=np.inf)
    whole = charge(terms, sum(cuts), 10.0, month_units=before)
    parts, done = 0.0, before
    for units in cuts:
        parts += charge(terms, units, 10.0, month_units=done)
        done += units
    assert parts == pytest.approx(whole, rel=1e-6)  # a unit after 300 million has seven digits


@pytest.mark.parametrize(
    ("spelling", "parameter"),
    [
        ({"flat": {"amount": -1.0}}, "flat: amount is -1.0"),
        ({"interactive_brokers": {"plan": "lite"}}, "plan is 'lite'"),
        ({"percent": {"bps": float("nan")}}, "percent: bps is nan"),
        ({"tick_rounded": {"increment": 0.0}}, "tick_rounded: increment is 0.0"),
    ],
)
def test_schedule_with_a_wrong_parameter_is_refused(spelling, parameter):
    with pytest.raises(ConfigError, match=parameter):
        plug_in(COMMISSIONS, CommissionModel, spelling)


def test_charge_of_no_fill_is_refused():
    with pytest.raises(DataError, match=r"0\.0 units"):
        cost("none", 0.0, 1.0)
