"""Truth table: one position, a stop at 95 and a target at 110, and what one bar does to it."""

import numpy as np
import pytest

from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.terms import DetailBars
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    at,
    exits,
    flat_bars,
    hand_bars,
    place,
    tell,
    units,
)

QUIET = (100.0, 100.0, 100.0, 100.0)

# open, high, low, close of the bar -> exit price, reason (long from 100, stop 95, target 110)
LONG_SHAPES = {
    "inside": ((100, 105, 96, 101), None, "open"),
    "touches the stop": ((100, 104, 95, 99), 95.0, "stop_loss"),
    "through the stop": ((100, 104, 90, 99), 95.0, "stop_loss"),
    "gap below the stop": ((92, 96, 90, 93), 92.0, "stop_loss"),
    "opens at the stop": ((95, 99, 94, 98), 95.0, "stop_loss"),
    "touches the target": ((101, 110, 99, 105), 110.0, "take_profit"),
    "through the target": ((101, 115, 99, 112), 110.0, "take_profit"),
    "gap above the target": ((113, 116, 111, 112), 113.0, "take_profit"),
    "gap above, stop later": ((113, 116, 94, 96), 113.0, "take_profit"),
    "both, from the middle": ((100, 112, 94, 100), 95.0, "stop_loss"),
    "gap below, target later": ((93, 111, 92, 110), 93.0, "stop_loss"),
    "closes on the target": ((101, 110, 100, 110), 110.0, "take_profit"),
    "open unknown, stop": ((np.nan, 104, 80, 99), 95.0, "stop_loss"),
    "open unknown, target": ((np.nan, 111, 99, 99), 110.0, "take_profit"),
    "open unknown, both": ((np.nan, 111, 80, 99), 95.0, "stop_loss"),
    "open unknown, quiet": ((np.nan, 104, 96, 99), None, "open"),
}


def held_then(bar, *, short=False, **terms):
    bars = hand_bars(QUIET, QUIET, bar)
    entry = {"entry_short" if short else "entry_long": at(bars, 0)}
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, stop=0.05, target=0.10))
    base = frictionless(bars)
    return tell(bars, Signals(**entry), plan=plan, terms=base._replace(**terms))


@pytest.mark.parametrize("shape", LONG_SHAPES)
def test_long_bar_shapes_fill_as_the_table_says(shape):
    bar, price, reason = LONG_SHAPES[shape]
    trade = held_then(bar).trades.iloc[0]
    assert trade.exit_reason == reason
    if price is None:
        assert np.isnan(trade.exit_price)
        assert trade.pnl == pytest.approx(10 * (bar[3] - 100))
    else:
        assert trade.exit_price == pytest.approx(price, rel=1e-12)
        assert trade.pnl == pytest.approx(10 * (price - 100.0), rel=1e-12)


@pytest.mark.parametrize("shape", LONG_SHAPES)
def test_short_bar_shapes_mirror_the_long_ones(shape):
    """Mirrored around 100: the stop is at 105, the target at 90."""
    (start, high, low, close), price, reason = LONG_SHAPES[shape]
    trade = held_then((200 - start, 200 - low, 200 - high, 200 - close), short=True).trades.iloc[0]
    assert trade.exit_reason == reason
    if price is not None:
        assert trade.exit_price == pytest.approx(200 - price, rel=1e-12)


def test_optimistic_takes_the_target_first():
    fills = frictionless(hand_bars(QUIET))[0]._replace(optimistic=True)
    trade = held_then((100, 112, 94, 100), fills=fills).trades.iloc[0]
    assert (trade.exit_reason, trade.exit_price) == ("take_profit", pytest.approx(110.0))


def test_trade_through_needs_more_than_a_touch():
    fills = frictionless(hand_bars(QUIET))[0]._replace(through=True)
    assert held_then((101, 110, 99, 105), fills=fills).trades.exit_reason.iloc[0] == "open"
    beyond = held_then((101, 110.01, 99, 105), fills=fills).trades.iloc[0]
    assert beyond.exit_price == pytest.approx(110.0)


@pytest.mark.parametrize(("first", "reason"), [("up", "take_profit"), ("down", "stop_loss")])
def test_detail_bars_decide_which_came_first(first, reason):
    rise, fall = (100.0, 112.0, 99.0, 111.0), (100.0, 101.0, 94.0, 96.0)
    quiet = [QUIET] * 4
    inner = [rise, fall] if first == "up" else [fall, rise]
    o, h, low, c = (np.array(x)[:, None] for x in zip(*quiet, *inner, strict=True))
    detail = DetailBars(o, h, low, c, np.array([0, 2, 4, 6]))
    trade = held_then((100, 112, 94, 100), detail=detail).trades.iloc[0]
    assert trade.exit_reason == reason


def test_stop_lives_inside_the_entry_bar():
    bars = hand_bars(QUIET, (100, 101, 94, 100))
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, stop=0.05))
    trade = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan).trades.iloc[0]
    assert (trade.bars_held, trade.exit_price) == (0, pytest.approx(95.0))


def test_trailing_stop_uses_completed_bars_and_never_loosens():
    """High 120 of bar 2 counts from bar 3 on: 120 x 0.9 = 108, although bar 2 fell to 105."""
    rows = [QUIET, QUIET, (100, 120, 105, 118), (118, 119, 110, 112), (112, 113, 107, 109)]
    bars = hand_bars(*rows)
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, trail=0.10))
    trade = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan).trades.iloc[0]
    assert trade.exit_reason == "trailing_stop"
    assert trade.exit_price == pytest.approx(108.0)
    assert trade.bars_held == 3


def test_tightest_of_several_stops_holds():
    bars = hand_bars(QUIET, QUIET, (100, 100, 90, 91))
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, stop=0.05, stop_price=3.0, trail=0.08))
    trade = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan).trades.iloc[0]
    assert trade.exit_price == pytest.approx(97.0)


def test_time_stop_closes_after_its_bars():
    bars = hand_bars(*[QUIET] * 6)
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, after=3.0))
    trade = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan).trades.iloc[0]
    assert (trade.exit_reason, trade.bars_held) == ("time_stop", 3)


def test_a_time_stop_and_sizes_of_whole_numbers_are_those_of_floats():
    """Bought at the open of bar 1; three bars later it is over. Ten units."""
    bars = flat_bars(8)
    sizes = EntrySizes(np.full((1, 1), 10), 0)
    plan = Plan(sizes=sizes, exits=exits(bars, after=3))
    result = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan)
    assert result.fills.quantity.tolist() == [10.0, -10.0]
    assert result.trades.exit_reason.tolist() == ["time_stop"]
    assert result.trades.bars_held.tolist() == [3]


# A buy of 10 at bar 0 under these bars -> (bar, price) of its fill
ORDERS = {
    "limit touched": (
        Order(symbol="A", quantity=10, kind="limit", limit=98.0),
        [(100, 101, 98, 99)],
        (1, 98.0),
    ),
    "limit gapped": (
        Order(symbol="A", quantity=10, kind="limit", limit=98.0),
        [(97, 99, 96, 98)],
        (1, 97.0),
    ),
    "limit waits": (
        Order(symbol="A", quantity=10, kind="limit", limit=98.0),
        [(100, 101, 99, 100), (99, 99, 97, 98)],
        (2, 98.0),
    ),
    "stop touched": (
        Order(symbol="A", quantity=10, kind="stop", stop=102.0),
        [(100, 103, 99, 102)],
        (1, 102.0),
    ),
    "stop gapped": (
        Order(symbol="A", quantity=10, kind="stop", stop=102.0),
        [(104, 105, 103, 104)],
        (1, 104.0),
    ),
    "stop-limit at its stop": (
        Order(symbol="A", quantity=10, kind="stop_limit", stop=102.0, limit=103.0),
        [(100, 104, 99, 103)],
        (1, 102.0),
    ),
    "stop-limit gapped beyond, then back": (
        Order(symbol="A", quantity=10, kind="stop_limit", stop=102.0, limit=103.0),
        [(105, 106, 104, 105), (105, 105, 102, 104)],
        (2, 103.0),
    ),
    "trailing stop follows lows": (
        Order(symbol="A", quantity=10, kind="trailing_stop", trail=3.0),
        [(98, 99, 95, 96), (96, 99, 96, 97)],
        (2, 98.0),
    ),
}


@pytest.mark.parametrize("case", ORDERS)
def test_resting_orders_fill_where_the_bar_meets_them(case):
    order, rows, (bar, price) = ORDERS[case]
    result = place(hand_bars(QUIET, *rows, QUIET), {0: [order]})
    fill = result.fills.iloc[0]
    assert fill.ts == result.equity.index[bar]
    assert fill.price == pytest.approx(price, rel=1e-12)


@pytest.mark.parametrize(
    ("force", "bars", "status"),
    [
        ("gtc", None, "open"),
        ("ioc", None, "cancelled"),
        ("gtd", 2, "expired"),
        ("day", None, "expired"),
    ],
)
def test_time_in_force_ends_orders(force, bars, status):
    order = Order(symbol="A", quantity=1, kind="limit", limit=50.0, time_in_force=force, bars=bars)
    orders = place(hand_bars(*[QUIET] * 5), {0: [order]}).orders
    assert orders.status.tolist() == [status]


def test_bracket_cancels_its_other_side_and_groups_cancel_each_other():
    buy = Order(symbol="A", quantity=10, take_profit=110.0, stop_loss=95.0)
    bars = hand_bars(QUIET, QUIET, (100, 111, 99, 110), (110, 110, 90, 91))
    result = place(bars, {0: [buy]})
    assert result.trades.exit_reason.tolist() == ["take_profit"]
    assert result.orders.status.tolist() == ["filled", "cancelled", "filled"]
    pair = [
        Order(symbol="A", quantity=5, kind="limit", limit=99.0, group="x"),
        Order(symbol="A", quantity=5, kind="stop", stop=111.0, group="x"),
    ]
    grouped = place(bars, {0: pair})
    assert grouped.orders.status.tolist() == ["cancelled", "filled"] or (
        grouped.orders.status.tolist() == ["filled", "cancelled"]
    )
    assert len(grouped.fills) == 1


def test_reduce_only_never_opens():
    sell = Order(symbol="A", quantity=-10, reduce_only=True)
    result = place(hand_bars(*[QUIET] * 4), {0: [sell]})
    assert result.fills.empty
    assert result.orders.status.tolist() == ["cancelled"]
    both = place(hand_bars(*[QUIET] * 5), {0: [Order(symbol="A", quantity=4)], 2: [sell]})
    assert both.fills.quantity.tolist() == [4.0, -4.0]


def test_limit_entry_inside_a_bar_is_stopped_in_it_but_does_not_reach_its_target():
    """After a buy at 98 the low of 90 came later; the high of 112 may have come before."""
    bars = hand_bars(QUIET, (100, 112, 97, 100), (100, 101, 99, 100))
    order = Order(symbol="A", quantity=10, kind="limit", limit=98.0, take_profit=110.0)
    assert place(bars, {0: [order]}).trades.exit_reason.tolist() == ["open"]
    stopped = hand_bars(QUIET, (100, 101, 90, 95), QUIET)
    guarded = Order(symbol="A", quantity=10, kind="limit", limit=98.0, stop_loss=93.0)
    trade = place(stopped, {0: [guarded]}).trades.iloc[0]
    assert (trade.exit_price, trade.bars_held) == (pytest.approx(93.0), 0)


def test_stop_of_a_bracket_counts_for_heat():
    order = Order(symbol="A", quantity=10.0, stop_loss=95.0)
    result = place(hand_bars(*[QUIET] * 3), {0: [order]}, initial_capital=10_000.0)
    assert result.equity.heat.tolist() == pytest.approx([0.0, 0.005, 0.005])


def test_a_resting_order_that_filled_in_part_stays_good_till_cancelled():
    bars = hand_bars(QUIET, *[(100, 101, 98, 100)] * 6, volume=[10.0] * 7)
    terms = frictionless(bars)
    terms = terms._replace(fills=terms.fills._replace(participation=0.5, time_to_live=1))
    order = Order(symbol="A", quantity=20.0, kind="limit", limit=99.0)
    assert place(bars, {0: [order]}, terms=terms).fills.quantity.tolist() == [5.0] * 4
    at_market = Order(symbol="A", quantity=20.0)
    assert place(bars, {0: [at_market]}, terms=terms).fills.quantity.tolist() == [5.0] * 2
