"""What an account shows of the orders that wait, by hand."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.quant.simulation import execution
from quant_assets.quant.simulation.execution import book
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.event_kernel import fields
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Cancel, OpenOrder, Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import daily, hand_bars

NAN = float("nan")
QUIET = (100, 101, 99, 100)


@dataclass(frozen=True, kw_only=True)
class Watches(BarStrategy):
    """Notes the open orders of each bar before it decides."""

    name = "watches"
    given: dict
    seen: list = field(default_factory=list)

    def on_bar(self, window, account):
        self.seen.append(account.open_orders)
        return self.given.get(len(window) - 1)


def watched(bars, given, **terms):
    strategy, own = Watches(given=given), frictionless(bars)
    own = own._replace(fills=own.fills._replace(**terms))
    backtest(strategy, bars, own)
    return strategy.seen


def same(found, *wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, nan_ok=True)


def test_waiting_orders_are_shown_until_they_fill_or_go():
    limit = Order(symbol="A", quantity=3.0, kind="limit", limit=95.0, tag="low")
    both = Order(symbol="A", quantity=-2.0, kind="stop_limit", stop=98.0, limit=97.5)
    seen = watched(hand_bars(*[QUIET] * 4), {0: [limit, both], 1: [Cancel(tag="low")]})
    shown = OpenOrder("A", -2.0, "stop_limit", 97.5, 98.0, "", "order")
    same(seen[0])
    same(seen[1], OpenOrder("A", 3.0, "limit", 95.0, NAN, "low", "order"), shown)
    same(seen[2], shown)


def test_what_is_left_of_a_fill_and_its_bracket_is_shown():
    """Half of a volume of 10 fills on each bar."""
    bars = hand_bars(*[QUIET] * 3, volume=[10.0] * 3)
    order = Order(symbol="A", quantity=8.0, tag="in", stop_loss=90.0, take_profit=110.0)
    seen = watched(bars, {0: [order]}, participation=0.5)
    stop = OpenOrder("A", -5.0, "stop", NAN, 90.0, "in", "stop_loss")
    target = OpenOrder("A", -5.0, "limit", 110.0, NAN, "in", "take_profit")
    same(seen[1], OpenOrder("A", 3.0, "market", NAN, NAN, "in", "order"), stop, target)
    same(seen[2], stop._replace(quantity=-8.0), target._replace(quantity=-8.0))


def test_a_trailing_stop_stands_where_the_highest_price_says():
    """5 below the close of 100, then 5 % and 5 below the high of 110."""
    bars = hand_bars(QUIET, (100, 110, 99, 108), (108, 109, 107, 108))
    trails = [
        Order(symbol="A", quantity=-1.0, kind="trailing_stop", trail=5.0, tag="money"),
        Order(symbol="A", quantity=-1.0, kind="trailing_stop", trail=0.05, trail_fraction=True),
    ]
    seen = watched(bars, {0: trails})
    assert [one.stop for one in seen[1]] == pytest.approx([105.0, 104.5])


def test_entries_of_signals_have_no_size_yet_and_columns_their_own_names():
    """The kernel sorts its columns by name; the order of B is shown as that of B."""
    plain = daily({"close": np.full((3, 2), 50.0)})
    bars = type(plain).from_arrays(plain.ts, ("B", "A"), plain.bar_length, close=plain.close)
    entry = Signals(entry_long=np.array([True, False]), limit=np.array([45.0, NAN]))
    seen = watched(bars, {0: entry})
    same(seen[1], OpenOrder("B", NAN, "limit", 45.0, NAN, "", "entry"))


def test_places_of_fields_have_one_home():
    """Who reads the kernel's arrays takes the places from `event_kernel.fields`."""
    for file in sorted(Path(execution.__path__[0]).rglob("*.py")):
        assigned = {
            name.id
            for statement in ast.parse(file.read_text("utf-8")).body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name) and name.id[:2] in {"C_", "N_", "O_", "R_", "T_"}
        }
        at_home = file.name in {"fields.py", "book.py", "ledger.py"}  # lengths of rows and logs
        assert assigned == set() or at_home, file
    lengths = {name for name in vars(book) if name.startswith("N_")}
    assert not lengths & set(vars(fields))
