"""No fill before the moment at which its decision is known."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Places, at, tell

HOUR, MINUTE = np.timedelta64(1, "h"), np.timedelta64(1, "m")


def known_after(delay, length=timedelta(hours=1), n=6):
    """Bars that are known `delay` after their end."""
    step = np.timedelta64(length)
    ts = np.datetime64("2024-01-01", "us") + np.arange(n) * step
    return BarPanel.from_arrays(
        ts, ("A",), length, close=100.0 + np.arange(n)[:, None], available_at=ts + step + delay
    )


@pytest.mark.parametrize(
    ("delay", "bar"),
    [(0 * MINUTE, 1), (5 * MINUTE, 2), (60 * MINUTE, 2), (61 * MINUTE, 3)],
)
def test_hourly_bars_fill_at_the_first_open_at_which_their_decision_is_known(delay, bar):
    """Decided on the bar of 00:00, known at 01:00 or later."""
    bars = known_after(delay)
    assert bars.late == (delay > 0 * MINUTE)
    result = tell(bars, Signals(entry_long=at(bars, 0)))
    ordered = backtest(
        Places(orders={0: [Order(symbol="A", quantity=1.0)]}), bars, frictionless(bars)
    )
    for found in (result, ordered):
        assert found.fills.ts.tolist() == [found.equity.index[bar]]
        assert bars.ts[bar] >= bars.available_at[0]


@pytest.mark.parametrize(("hours", "bar"), [(0, 1), (10, 1), (23, 1), (24, 2), (47, 2)])
def test_days_are_labelled_by_their_start_and_may_be_known_during_the_next(hours, bar):
    """The day's session opens after the midnight that labels it: until its end nothing is late."""
    bars = known_after(hours * HOUR, timedelta(days=1))
    assert bars.late == (hours >= 24)
    result = tell(bars, Signals(entry_long=at(bars, 0)))
    assert result.fills.ts.tolist() == [result.equity.index[bar]]


def test_a_late_bar_delays_its_own_decision_and_those_that_look_back_on_it():
    """The bar of 02:00 is known at 04:30: decisions on it and after it fill at 05:00."""
    plain = known_after(0 * MINUTE)
    known = plain.available_at.copy()
    known[2] += 90 * MINUTE
    bars = BarPanel.from_arrays(
        plain.ts, plain.symbols, plain.bar_length, close=plain.close, available_at=known
    )
    orders = {t: [Order(symbol="A", quantity=1.0 + t)] for t in (1, 2, 3)}
    fills = backtest(Places(orders=orders), bars, frictionless(bars)).fills
    filled = dict(zip(fills.quantity, fills.ts, strict=True))
    index = [filled[q] for q in (2.0, 3.0, 4.0)]
    hours = [(moment.tz_localize(None).to_datetime64() - bars.ts[0]) / HOUR for moment in index]
    assert hours == [2.0, 5.0, 5.0]
