"""Days between bars: those of the clock where terms do not say them."""

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.execution.clocks import calendar_days
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.preparation import prepare
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import at, flat_bars, place


def borrowing(bars, **more):
    """Terms that cost 1 a day for a short of 1 000."""
    terms = frictionless(bars)
    return terms._replace(carry=terms.carry._replace(borrow=np.array([0.365]), **more))


def test_a_rate_put_into_neutral_terms_accrues_by_the_clock_of_the_bars():
    """10 units sold at 100 on the second bar; then gaps of 2 and of 5 days."""
    bars = flat_bars(10).rows(np.array([0, 1, 3, 8]))
    short = {0: [Order(symbol="A", quantity=-10.0)]}
    result = place(bars, short, terms=borrowing(bars))
    assert result.equity.borrow.tolist() == pytest.approx([0.0, 0.0, 2.0, 5.0])
    told = place(bars, short, terms=borrowing(bars, days=np.array([0.0, 1.0, 2.0, 5.0])))
    assert told.hash() == result.hash()


def test_days_are_the_quotient_of_times_to_the_last_bit():
    steps = np.random.default_rng(3).integers(1, 10**12, 500) * np.timedelta64(1, "us")
    ts = np.datetime64("2001-01-01", "us") + np.cumsum(steps)
    wanted = np.diff(ts, prepend=ts[:1]) / np.timedelta64(1, "D")
    np.testing.assert_array_equal(calendar_days(ts), wanted)


def test_nobody_counts_days_where_nothing_accrues():
    bars = flat_bars(4)
    signals = Signals(entry_long=at(bars, 0))
    assert prepare(bars, frictionless(bars), signals=signals).market.days.shape == (0,)
    assert prepare(bars, borrowing(bars), signals=signals).market.days.tolist() == [0, 1, 1, 1]
    with pytest.raises(DataError, match=r"days has shape \(3,\)"):
        prepare(bars, borrowing(bars, days=np.zeros(3)), signals=signals)
