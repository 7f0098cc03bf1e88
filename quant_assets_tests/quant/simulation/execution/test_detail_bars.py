"""Finer bars that show a whole bar decide inside of it; where they do not, the bar itself does."""

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.fills.base import detail_bars
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.bar_samples import DAY, HOUR, clock
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    NAN,
    at,
    exits,
    hand_bars,
    tell,
    units,
)

QUIET = (100.0, 100.0, 100.0, 100.0)
FREE = {"commission_model": "none", "slippage_model": "none"}
UP, DOWN = 2 * 24 + 2, 2 * 24 + 12  # hours of day 2: first its high, ten hours later its low
TARGET, STOP = ("take_profit", 110.0), ("stop_loss", 90.0)


def hours(high, low):
    """Four days at 100; on day 2 the price is at `high` in one hour, at `low` in a later one."""
    prices = {name: np.full((96, 1), 100.0) for name in ("open", "high", "low", "close")}
    prices["high"][UP], prices["low"][DOWN] = high, low
    return prices


def panel(prices):
    return BarPanel.from_arrays(clock(96, HOUR), ("A",), HOUR, **prices)


def halted():
    prices = hours(120.0, 80.0)
    for values in prices.values():
        values[48:72] = NAN
    return prices


def with_holes():
    """Hours without a price that hide neither the high nor the low."""
    prices = hours(120.0, 80.0)
    for values in prices.values():
        values[[48, 55, 71]] = NAN
    return prices


def rounded():
    prices = hours(120.0, 80.0)
    return {name: values.astype(np.float32) * (1.0 + 1e-7) for name, values in prices.items()}


CASES = {
    "the target came first": (hours(120.0, 80.0), TARGET),
    "32-bit prices": (rounded(), TARGET),
    "hours without a price beside the extremes": (with_holes(), TARGET),
    "no price in the bar": (halted(), STOP),
    "the high is missing": (hours(100.0, 80.0), STOP),
    "the low is missing": (hours(120.0, 100.0), STOP),
    "a high of another venue": (hours(125.0, 80.0), STOP),
}


@pytest.mark.parametrize("case", CASES)
def test_finer_bars_decide_only_where_they_span_the_bar(case):
    """Bought at 100, target 110, stop 90; the day went from 80 to 120: at worst it is the stop."""
    finer, (reason, price) = CASES[case]
    bars = hand_bars(QUIET, QUIET, (100, 120, 80, 100), QUIET)
    terms = ExecutionModel(**FREE).terms(bars, detail=panel(finer))
    plan = Plan(sizes=units(1.0, bars), exits=exits(bars, stop=0.1, target=0.1))
    trade = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=terms).trades.iloc[0]
    assert trade.exit_reason == reason
    assert trade.exit_price == pytest.approx(price, rel=1e-12)
    assert str(trade.exit_ts.date()) == "2024-01-03"


def test_the_whole_bar_stands_for_its_own_symbol_and_bar_alone():
    halves = np.array([100.0, 101.0, 102.0, 103.0])[:, None] * np.array([1.0, 2.0])
    finer = BarPanel.from_arrays(clock(4, DAY / 2), ("A", "B"), DAY / 2, close=halves)
    day = {
        "open": np.array([[99.0, 200.0], [102.0, 204.0]]),
        "high": np.array([[101.5, 202.0], [103.0, 206.0]]),  # A went higher than its halves
        "low": np.array([[99.0, 200.0], [102.0, 204.0]]),
        "close": np.array([[100.0, 202.0], [103.0, 206.0]]),
    }
    found = detail_bars(BarPanel.from_arrays(clock(2), ("A", "B"), DAY, **day), finer)
    for name, first in (("open", 99.0), ("high", 101.5), ("low", 99.0), ("close", 100.0)):
        values = getattr(found, name)
        np.testing.assert_array_equal(values[:, 0], [first, NAN, 102.0, 103.0])
        np.testing.assert_array_equal(values[:, 1], halves[:, 1])
    np.testing.assert_array_equal(finer.close, halves)  # the caller's bars are left alone


def test_finer_bars_of_other_days_belong_to_no_bar():
    bars = hand_bars(QUIET, QUIET)
    later = BarPanel.from_arrays(clock(48, HOUR, "2025-01-01"), ("A",), HOUR, close=np.ones(48))
    found = detail_bars(bars, later)
    assert found.first.tolist() == [0, 0, 0]
    assert found.open.shape == (0, 1)
