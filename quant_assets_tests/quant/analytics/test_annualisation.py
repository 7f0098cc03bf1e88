"""Bars a year of short samples, counted by hand."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.analytics.annualisation import check_annualisation, observed_periods
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.sessions import Sessions
from quant_assets.quant.simulation.execution.runs import observed_periods_per_year

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = "2024-01-08"


def session_bars(n_days, *, first=MONDAY, opens=14, n_bars=7):
    """Hourly bars of sessions on weekdays."""
    days = pd.bdate_range(first, periods=n_days, tz="UTC")
    return pd.DatetimeIndex([day + (opens + k) * HOUR for day in days for k in range(n_bars)])


def fx_week(n_weeks):
    """Hourly bars from Sunday 22:00 to Friday 22:00."""
    sunday = pd.Timestamp("2024-01-07 22:00", tz="UTC")
    hours = [
        sunday + week * 7 * DAY + hour * HOUR for week in range(n_weeks) for hour in range(120)
    ]
    return pd.DatetimeIndex(hours)


@pytest.mark.parametrize("first", ["2024-01-08", "2024-01-11"])
@pytest.mark.parametrize("n_days", [2, 5, 8, 60])
def test_a_short_sample_of_sessions_counts_252_of_them_a_year(n_days, first):
    assert observed_periods(session_bars(n_days, first=first), HOUR) == pytest.approx(7 * 252)


def test_a_sample_without_some_weekday_counts_it_as_the_others():
    ts = session_bars(5)
    assert observed_periods(ts[ts.day_of_week != 2], HOUR) == pytest.approx(7 * 252)


def test_sessions_over_midnight_of_utc_are_whole_days_of_their_zone():
    ts = session_bars(5, opens=-1)  # 23:00 to 06:00: Sydney in January, six days in UTC
    assert set(ts.day_of_week) == {6, 0, 1, 2, 3, 4}
    local = ts.tz_convert("Australia/Sydney")
    assert observed_periods(local, HOUR) == pytest.approx(7 * 252)


def test_a_day_of_an_exchange_is_told_by_its_sessions_alone():
    ts = session_bars(1)
    assert observed_periods(ts, HOUR) == pytest.approx(24 * 365.2425)
    assert observed_periods(ts, HOUR, exchange_days=True) == pytest.approx(7 * 252)


def test_markets_of_all_hours_have_as_many_bars_as_the_year_has_hours():
    week = pd.date_range(MONDAY, periods=168, freq="h", tz="UTC")
    for ts in (week, week[:40], week.delete([5, 6, 100])):
        plain = (len(ts) - 1) / ((ts[-1] - ts[0]) / DAY) * 365.2425
        assert observed_periods(ts, HOUR) == plain
    assert observed_periods(week, HOUR) == pytest.approx(8765.82)


def test_a_market_of_weekdays_and_sunday_evenings_has_52_weeks_of_them():
    for ts in (fx_week(2), fx_week(2).tz_convert("America/New_York")):
        assert observed_periods(ts, HOUR) == pytest.approx(120 * 365.2425 / 7)


def test_a_night_on_all_seven_days_and_weekends_alone_are_counted_between_first_and_last():
    nights = pd.DatetimeIndex(
        [hour for hour in pd.date_range(MONDAY, periods=240, freq="h", tz="UTC") if hour.hour < 12]
    )
    weekend = nights[nights.day_of_week >= 5]
    for ts in (nights, weekend):
        plain = (len(ts) - 1) / ((ts[-1] - ts[0]) / DAY) * 365.2425
        assert observed_periods(ts, HOUR) == plain


def test_days_and_a_year_of_bars_are_counted_between_first_and_last():
    days = pd.date_range("2024-01-01", periods=366, tz="UTC")
    assert observed_periods(days, DAY) == pytest.approx(365.2425)
    stocks = pd.bdate_range("2024-01-01", periods=10, tz="UTC")
    assert observed_periods(stocks, DAY) == 9 / 11 * 365.2425
    hours = session_bars(280)
    days = (hours[-1] - hours[0]) / DAY
    assert observed_periods(hours, HOUR) == (len(hours) - 1) / days * 365.2425


def test_below_two_bars_a_year_is_full_of_them():
    assert observed_periods(session_bars(1)[:1], HOUR) == pytest.approx(24 * 365.2425)


def test_a_panel_is_counted_in_the_zone_of_its_exchange():
    ts = session_bars(1).tz_localize(None).to_numpy().astype("datetime64[us]")
    bars = BarPanel.from_arrays(ts, ("A",), HOUR, close=np.full((7, 1), 100.0))
    assert observed_periods_per_year(bars) == pytest.approx(24 * 365.2425)
    listed = bars.with_sessions(Sessions("America/New_York"))
    assert observed_periods_per_year(listed) == pytest.approx(7 * 252)


@pytest.mark.parametrize("n_days", [1, 2, 5, 8, 60])
def test_the_guard_does_not_refuse_what_a_short_sample_is_counted_as(n_days):
    ts = session_bars(n_days)
    shown = check_annualisation(ts, observed_periods(ts, HOUR, exchange_days=True))
    assert np.isnan(shown) or shown == pytest.approx(7 * 252, rel=0.05)
    assert np.isnan(check_annualisation(ts[:1], 252))


@pytest.mark.parametrize("n_hours", [1, 2, 30, 9000])
def test_bars_of_a_panel_count_as_their_index_does(n_hours):
    ts = pd.date_range("2024-01-02", periods=n_hours, freq="h")
    bars = BarPanel.from_arrays(ts.to_numpy(), ["A"], HOUR, close=np.ones(n_hours))
    assert observed_periods_per_year(bars) == observed_periods(ts.tz_localize("UTC"), HOUR)
