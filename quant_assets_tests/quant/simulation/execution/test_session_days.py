"""Days of orders and of losses are those of the exchange: Sydney's begin at 13:00 or 14:00 UTC."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.sessions import UTC_DAYS, Sessions
from quant_assets.quant.simulation.execution.clocks import session_clock
from quant_assets.quant.simulation.execution.defaults import neutral_limits
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import at, place, tell

SYDNEY = Sessions("Australia/Sydney")
NEW_YORK = Sessions("America/New_York", timedelta(hours=-7))  # from 17:00 on, as currencies


def hours(first, n, sessions, close=None):
    """Hourly bars at 100, but the last, at 90."""
    ts = np.datetime64(first, "us") + np.arange(n) * np.timedelta64(1, "h")
    prices = np.full((n, 1), 100.0) if close is None else close
    low = prices.copy()
    low[-1] = 90.0
    bars = BarPanel.from_arrays(ts, ("A",), timedelta(hours=1), close=prices, low=low)
    return bars.with_sessions(sessions)


@pytest.mark.parametrize(
    ("first", "n", "sessions", "status"),
    [
        ("2024-07-01T22", 6, SYDNEY, "filled"),  # 08:00 to 13:00 on Tuesday
        ("2024-07-01T22", 6, UTC_DAYS, "expired"),
        ("2024-07-01T11", 6, SYDNEY, "expired"),  # 21:00 to 02:00
        ("2024-07-01T11", 6, UTC_DAYS, "filled"),
        ("2024-07-01T18", 8, NEW_YORK, "expired"),  # 14:00 to 21:00
        ("2024-07-01T21", 8, NEW_YORK, "filled"),  # 17:00 to 00:00: one day, of Tuesday
        ("2024-01-01T20", 8, NEW_YORK, "expired"),  # 15:00 to 22:00, in winter
    ],
)
def test_day_orders_end_with_the_session(first, n, sessions, status):
    bars = hours(first, n, sessions)
    order = Order(symbol="A", quantity=1.0, kind="limit", limit=95.0, time_in_force="day")
    result = place(bars, {0: [order]})
    assert result.orders.status.tolist() == [status]


def test_a_daily_loss_lasts_until_the_session_is_over():
    """Lost at 21:00 in Sydney; midnight there is 14:00 UTC, the fourth bar."""
    close = np.array([100.0, 100, 90, 90, 90, 90])[:, None]
    bars = hours("2024-07-01T09", 6, SYDNEY, close)
    plan = Plan(
        sizes=EntrySizes(np.ones((1, 1)), 2), limits=neutral_limits(1)._replace(daily_loss=0.05)
    )
    result = tell(bars, Signals(entry_long=at(bars, 0, 3, 4, 5)), plan=plan)
    assert result.trades.exit_reason.tolist() == ["daily_loss"]
    assert result.vetoes.ts.tolist() == result.equity.index[[3, 4]].tolist()


def test_the_clock_is_that_of_the_wall_and_of_dates_for_daily_bars():
    """Summer time ends on 7 April 2024 at 03:00 in Sydney; no day begins twice."""
    bars = hours("2024-04-05T00", 96, SYDNEY)
    local = pd.DatetimeIndex(bars.ts, tz="UTC").tz_convert("Australia/Sydney").tz_localize(None)
    days = session_clock(bars) // 86_400_000_000
    assert days.tolist() == (local.normalize() - pd.Timestamp(0)).days.tolist()
    assert (np.diff(days) >= 0).all()
    ts = np.datetime64("2024-01-01", "us") + np.arange(3) * np.timedelta64(1, "D")
    daily = BarPanel.from_arrays(ts, ("A",), timedelta(days=1), close=np.full((3, 1), 100.0))
    assert session_clock(daily.with_sessions(NEW_YORK)).tolist() == ts.astype(np.int64).tolist()
