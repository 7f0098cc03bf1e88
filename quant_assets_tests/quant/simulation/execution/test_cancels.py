"""Cancels of a bar strategy against bars whose fills are derived by hand."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    Places,
    exits,
    flat_bars,
    hand_bars,
    place,
    units,
)

QUIET, DEEP = (100, 101, 99, 100), (100, 101, 90, 95)


def limit(**more):
    return Order(symbol="A", quantity=10.0, kind="limit", limit=95.0, **more)


def bracket(**more):
    return Order(symbol="A", quantity=10.0, stop_loss=95.0, take_profit=110.0, **more)


def day(n):
    return pd.Timestamp(f"2024-01-0{n}", tz="UTC")


def fates(result):
    orders = result.orders
    return list(zip(orders.status, orders.cancelled_by, strict=True))


GONE, OPEN, FILLED = ("cancelled", "strategy"), ("open", ""), ("filled", "")


def test_a_cancelled_order_does_not_fill_and_says_who_cancelled_it():
    """Without the cancel at the close of the second bar, the low of 90 fills it at 95."""
    bars = hand_bars(QUIET, QUIET, DEEP)
    assert place(bars, {0: [limit()]}).fills.price.tolist() == [95.0]
    result = place(bars, {0: [limit()], 1: [Cancel()]})
    assert result.fills.empty
    order = result.orders.iloc[0]
    assert (order.reason, order.status, order.cancelled_by) == ("order", *GONE)
    assert (order.decided_ts, order.finished_ts) == (day(1), day(2))
    assert result.final_equity == 1_000_000.0


def test_a_cancel_after_the_fill_does_nothing():
    result = place(hand_bars(QUIET, DEEP, QUIET), {0: [limit()], 1: [Cancel()]})
    assert fates(result) == [FILLED]


@pytest.mark.parametrize(
    ("cancel", "gone"),
    [
        (Cancel(), [0, 1, 2, 3]),
        (Cancel(tag="one"), [0, 3]),
        (Cancel(tag=""), [2]),
        (Cancel(group="pair"), [0, 1]),
        (Cancel(symbol="B"), [3]),
        (Cancel(tag="one", symbol="A"), [0]),
        (Cancel(tag="one", group="pair", symbol="B"), []),
        (Cancel(tag="never used"), []),
        (Cancel(group="never used"), []),
        (Cancel(part="orders"), [0, 1, 2, 3]),
        (Cancel(part="brackets"), []),
    ],
)
def test_a_cancel_takes_the_orders_that_have_all_it_names(cancel, gone):
    orders = [
        limit(tag="one", group="pair"),
        limit(tag="two", group="pair"),
        limit(),
        Order(symbol="B", quantity=1.0, kind="stop", stop=120.0, tag="one"),
    ]
    found = fates(place(flat_bars(3, symbols=2), {0: orders, 1: [cancel]}))
    assert [i for i, fate in enumerate(found) if fate == GONE] == gone
    assert found.count(OPEN) == 4 - len(gone)


def test_cancels_come_before_the_orders_of_their_bar_wherever_they_stand():
    replaced = [limit(tag="mine"), Cancel(tag="mine"), limit(tag="mine")]
    result = place(hand_bars(QUIET, QUIET, DEEP), {0: [limit(tag="mine")], 1: replaced})
    assert fates(result) == [GONE, FILLED, FILLED]


def test_no_bracket_comes_of_a_parent_that_was_cancelled():
    bars = hand_bars(QUIET, QUIET, DEEP, DEEP)
    parent = limit(stop_loss=92.0, take_profit=110.0)
    result = place(bars, {0: [parent], 1: [Cancel()]})
    assert fates(result) == [GONE]


@pytest.mark.parametrize("cancel", [Cancel(), Cancel(tag="mine"), Cancel(part="brackets")])
def test_a_cancelled_bracket_protects_no_more(cancel):
    """Bought at 100; the low of 90 would sell at 95, the high of 111 at 110."""
    bars = hand_bars(QUIET, QUIET, DEEP, (100, 111, 99, 100))
    kept = place(bars, {0: [bracket(tag="mine")]})
    assert kept.trades.exit_price.tolist() == [95.0]
    assert fates(kept) == [FILLED, FILLED, ("cancelled", "nothing_left")]
    result = place(bars, {0: [bracket(tag="mine")], 1: [cancel]})
    assert result.trades.exit_reason.tolist() == ["open"]
    assert fates(result) == [FILLED, GONE, GONE]
    assert result.orders.reason.tolist() == ["order", "stop_loss", "take_profit"]


@pytest.mark.parametrize(
    ("cancel", "gone"),
    [
        (Cancel(group="g"), True),
        (Cancel(group="g", part="brackets"), True),
        (Cancel(group="g", tag="mine", symbol="A"), True),
        (Cancel(group="g", part="orders"), False),
        (Cancel(group="other"), False),
        (Cancel(group="g", tag="yours"), False),
    ],
)
def test_a_group_takes_the_brackets_of_its_filled_orders_along(cancel, gone):
    """Bought at the second open, the parent is gone; the low of 90 would sell at 95."""
    bars = hand_bars(QUIET, QUIET, DEEP)
    pair = [bracket(tag="mine", group="g"), limit(group="g"), bracket(tag="yours", group="other")]
    result = place(bars, {0: pair, 1: [cancel]})
    mine = result.orders[result.orders.tag == "mine"]
    found = list(zip(mine.reason, mine.status, mine.cancelled_by, strict=True))
    stopped = ("cancelled", "strategy") if gone else ("filled", "")

    assert found[0] == ("order", "filled", "")
    assert found[1] == ("stop_loss", *stopped)
    assert found[2][:2] == ("take_profit", "cancelled")


def test_a_bracket_can_be_replaced_by_tighter_orders():
    tighter = Order(symbol="A", quantity=-10.0, kind="stop", stop=98.0, reduce_only=True)
    bars = hand_bars(QUIET, QUIET, DEEP)
    change = [Cancel(tag="mine", part="brackets"), tighter]
    result = place(bars, {0: [bracket(tag="mine")], 1: change})
    assert result.trades.exit_price.tolist() == [98.0]


def test_heat_of_a_position_whose_bracket_was_cancelled_is_all_of_it():
    """10 units at 100 of 10 000: 50 at the stop of 95, 1 000 without; another stop at 90: 100."""
    bars = hand_bars(*[QUIET] * 5)
    own = {"initial_capital": 10_000.0}
    alone = place(bars, {0: [bracket()], 2: [Cancel()]}, **own)
    assert alone.equity.heat.tolist() == pytest.approx([0.0, 0.005, 0.005, 0.1, 0.1])
    second = Order(symbol="A", quantity=10.0, stop_loss=90.0, tag="wide")
    both = place(bars, {0: [second, bracket(tag="near")], 2: [Cancel(tag="near")]}, **own)
    assert both.equity.heat.tolist() == pytest.approx([0.0, 0.01, 0.01, 0.02, 0.02])


@pytest.mark.parametrize(
    ("cancel", "sold"),
    [
        (Cancel(group="g"), []),
        (Cancel(tag="mine"), []),
        (Cancel(group="g", part="orders"), [-5.0]),
        (Cancel(part="orders"), [-5.0]),
    ],
)
def test_a_parent_filled_in_part_takes_its_bracket_along_unless_told_not_to(cancel, sold):
    """5 of 10 units fill at the open of the second bar; the stop of 95 would sell them."""
    bars = hand_bars(QUIET, QUIET, DEEP, QUIET, volume=[10.0] * 4)
    terms = frictionless(bars)
    terms = terms._replace(fills=terms.fills._replace(participation=0.5))
    order = bracket(tag="mine", group="g")
    result = place(bars, {0: [order], 1: [cancel]}, terms=terms)
    assert result.fills.quantity.tolist() == [5.0, *sold]
    assert fates(result)[0] == GONE
    assert result.orders.filled[0] == 5.0
    uncancelled = place(bars, {0: [order]}, terms=terms).fills.quantity.tolist()
    assert uncancelled[:2] == [5.0, 5.0]


def test_one_of_a_group_can_go_and_the_other_stays():
    """The stop at 111 is never met; the limit at 95 fills and has nobody left to cancel."""
    pair = [
        limit(group="x", tag="below"),
        Order(symbol="A", quantity=5.0, kind="stop", stop=111.0, group="x", tag="above"),
    ]
    bars = hand_bars(QUIET, QUIET, DEEP)
    assert fates(place(bars, {0: pair})) == [FILLED, ("cancelled", "group")]
    result = place(bars, {0: pair, 1: [Cancel(tag="above")]})
    assert fates(result) == [FILLED, GONE]
    assert fates(place(bars, {0: pair, 1: [Cancel(tag="below")]})) == [GONE, OPEN]


def test_with_latency_an_order_can_fill_before_its_cancel_arrives():
    """One bar of latency: a cancel decided at the second close holds from the fourth bar on."""
    quiet, early = hand_bars(*[QUIET] * 3, DEEP), hand_bars(*[QUIET] * 2, DEEP, QUIET)
    plans = {0: [limit()], 1: [Cancel()]}
    for bars, fate, ended in ((quiet, GONE, 3), (early, FILLED, 3)):
        terms = frictionless(bars)
        terms = terms._replace(fills=terms.fills._replace(latency=1))
        result = place(bars, plans, terms=terms)
        assert fates(result) == [fate]
        assert result.orders.finished_ts[0] == day(ended)


def test_a_cancel_of_a_late_bar_reaches_no_bar_before_it_was_known():
    """The second bar is known two days late, before the open of the fifth: the fourth fills."""
    for deep, fate in ((3, FILLED), (4, GONE)):
        rows = [QUIET] * 6
        rows[deep] = DEEP
        plain = hand_bars(*rows)
        known = plain.available_at.copy()
        known[1] += np.timedelta64(2, "D")
        prices = {name: plain[name] for name in ("open", "high", "low", "close")}
        bars = BarPanel.from_arrays(
            plain.ts, plain.symbols, plain.bar_length, available_at=known, **prices
        )
        assert fates(place(bars, {0: [limit()], 1: [Cancel()]})) == [fate]


@pytest.mark.parametrize(("latency", "filled"), [(1, 0), (2, 0)])
def test_at_the_same_close_a_cancel_overtakes_no_order(latency, filled):
    """Decided at the first close, it fills `latency` closes later; so does what cancels it."""
    bars = flat_bars(5)
    terms = frictionless(bars)
    terms = terms._replace(fills=terms.fills._replace(model=3, latency=latency))
    order = Order(symbol="A", quantity=1.0)
    ended = place(bars, {0: [order], 1: [Cancel()]}, terms=terms)
    assert ended.fills.ts.tolist() == [day(1 + latency)]
    assert fates(place(bars, {0: [order, Cancel()]}, terms=terms)) == [FILLED]


@dataclass(frozen=True, kw_only=True)
class Decides(BarStrategy):
    """Gives what a test says, of any kind."""

    name = "decides"
    given: dict
    goes_with: Plan = field(default_factory=Plan)

    def plan(self, bars):
        return self.goes_with

    def on_bar(self, window, account):
        return self.given.get(len(window) - 1)


def enter(**more):
    return Signals(entry_long=np.array([True]), **more)


def test_a_resting_entry_of_signals_is_cancelled():
    bars = hand_bars(QUIET, QUIET, DEEP)
    plan = Plan(sizes=units(10.0, bars))
    given = {0: enter(limit=np.array([95.0])), 1: [Cancel()]}
    result = backtest(Decides(given=given, goes_with=plan), bars, frictionless(bars))
    assert fates(result) == [GONE]
    assert result.orders.reason.tolist() == ["entry"]


def test_exits_of_the_account_are_not_for_the_strategy_to_cancel():
    """A time stop after one bar, and a halt after a fall of 20 %, both against cancels."""
    bars = flat_bars(5)
    plan = Plan(sizes=units(10.0, bars), exits=exits(bars, after=1.0))
    given = {0: enter(), 1: [Cancel()], 2: [Cancel()]}
    timed = backtest(Decides(given=given, goes_with=plan), bars, frictionless(bars))
    assert timed.trades.exit_reason.tolist() == ["time_stop"]
    falling = hand_bars(QUIET, QUIET, (100, 100, 80, 80), (80, 80, 80, 80), (80, 80, 80, 80))
    halting = neutral_limits(1)._replace(halt_drawdown=0.1)
    plan = Plan(sizes=units(10.0, falling), limits=halting)
    given = {0: enter(), **{t: [Cancel()] for t in range(1, 5)}}
    halted = backtest(
        Decides(given=given, goes_with=plan),
        falling,
        frictionless(falling),
        initial_capital=1_000.0,
    )
    assert halted.trades.exit_reason.tolist() == ["drawdown_halt"]


def test_other_causes_are_named():
    bars = hand_bars(*[QUIET] * 4)
    sell = Order(symbol="A", quantity=-10.0, reduce_only=True)
    assert fates(place(bars, {0: [sell]})) == [("cancelled", "nothing_left")]
    fleeting = limit(time_in_force="ioc")
    assert fates(place(bars, {0: [fleeting]})) == [("cancelled", "time_in_force")]
    plan = Plan(sizes=units(10.0, bars))
    given = {0: enter(limit=np.array([95.0])), 1: Signals(exit_long=np.array([True]))}
    result = backtest(Decides(given=given, goes_with=plan), bars, frictionless(bars))
    assert fates(result) == [("cancelled", "decision")]


def test_a_cancel_on_its_way_is_carried_into_the_next_window():
    """Two bars of latency: decided at the second close, it holds from the fifth bar on."""
    bars = hand_bars(*[QUIET] * 4, DEEP, QUIET)

    def run(given, part, **more):
        terms = frictionless(part)
        terms = terms._replace(fills=terms.fills._replace(latency=2))
        return backtest(Places(orders=given), part, terms, **more)

    whole = run({0: [limit(tag="mine")], 1: [Cancel(tag="mine")]}, bars)
    assert fates(whole) == [GONE]
    first = run({0: [limit(tag="mine")], 1: [Cancel(tag="mine")]}, bars.rows(slice(0, 3)))
    assert fates(first) == [OPEN]
    second = run({}, bars.rows(slice(0, 6)), carried=first.carried())
    assert fates(second) == [GONE]
    assert second.orders.finished_ts.tolist() == whole.orders.finished_ts.tolist() == [day(4)]
    untold = run({0: [limit(tag="mine")]}, bars.rows(slice(0, 3)))
    later = run({5: []}, bars.rows(slice(0, 6)), carried=untold.carried())
    assert fates(later) == [FILLED]


def test_a_tag_of_the_window_before_can_be_cancelled():
    bars = hand_bars(*[QUIET] * 4, DEEP)
    first = place(bars.rows(slice(0, 2)), {0: [limit(tag="old", group="g")]}).carried()
    for cancel in (Cancel(tag="old"), Cancel(group="g")):
        second = place(bars, {2: [cancel]}, carried=first)
        assert fates(second) == [GONE]


def test_cancels_that_cannot_be_meant_are_refused():
    with pytest.raises(ConfigError, match="part 'some'"):
        Cancel(part="some")
    with pytest.raises(ConfigError, match="'Z'"):
        place(flat_bars(2), {0: [Cancel(symbol="Z")]})
