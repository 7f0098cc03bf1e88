"""Borrow and funding: what a position costs while it stands."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.borrow.base import BORROW, BorrowModel
from quant_assets.quant.simulation.execution.funding.base import FUNDING, FundingModel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets_tests.quant.simulation.execution.bar_samples import DAY, HOUR, flat_bars

PERP = "BTC/USDT:USDT"


def settlements(times, symbol=PERP, rate=1e-4):
    return pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(times, tz="UTC").as_unit("us"),
            "symbol": symbol,
            "rate": rate,
            "mark_price": 100.0,
        }
    )


def every_eight_hours(start, end):
    return settlements(pd.date_range(start, end, freq="8h", inclusive="left"))


def funding(spelling="settlements"):
    return plug_in(FUNDING, FundingModel, spelling)


def test_a_short_of_one_year_at_three_percent_costs_three_percent():
    bars = flat_bars(366, start="2023-01-01")
    carry = ExecutionModel(borrow_model={"annual_rate": {"rate": 0.03}}).terms(bars).carry
    paid = sum(100.0 * carry.borrow[0] * days / 365.0 for days in carry.days)
    assert paid == pytest.approx(3.00, rel=1e-12)


def test_days_are_those_of_the_calendar_whatever_bars_are_missing():
    bars = flat_bars(10).rows(np.array([0, 1, 4, 9]))
    np.testing.assert_array_equal(ExecutionModel().terms(bars).carry.days, [0, 1, 3, 5])
    hours = ExecutionModel().terms(flat_bars(3, length=HOUR)).carry.days
    np.testing.assert_allclose(hours, [0, 1 / 24, 1 / 24])


def test_borrow_rates_are_those_named_and_nothing_for_perpetuals():
    rates = plug_in(BORROW, BorrowModel, {"annual_rate": {"rate": 0.01, "rates_of": {"GME": 0.8}}})
    np.testing.assert_array_equal(rates.rates(("AAPL", PERP, "GME")), [0.01, 0.0, 0.8])
    np.testing.assert_array_equal(plug_in(BORROW, BorrowModel, "none").rates(("A",)), [0.0])


def test_borrow_of_a_symbol_that_is_not_traded_is_refused():
    rates = plug_in(BORROW, BorrowModel, {"annual_rate": {"rates_of": {"GEM": 0.8}}})
    with pytest.raises(ConfigError, match="GEM"):
        rates.rates(("GME",))


def test_daily_bars_settle_three_times_a_day():
    bars = flat_bars(4, (PERP,))
    found = funding().events(bars, every_eight_hours("2024-01-01", "2024-01-05"))
    assert np.bincount(found.bar, minlength=4).tolist() == [3, 3, 3, 3]
    np.testing.assert_array_equal(found.rate, 1e-4)


def test_settlements_outside_of_the_bars_and_of_spot_are_left_out():
    bars = flat_bars(2, ("BTC/USDT", PERP), length=HOUR * 8)
    frame = pd.concat(
        [
            every_eight_hours("2023-12-30", "2024-01-09"),
            settlements(["2024-01-01 08:00"], "BTC/USDT"),
        ]
    )
    found = funding().events(bars, frame)
    assert found.symbol.tolist() == [1, 1]
    assert found.bar.tolist() == [0, 1]


def test_missing_funding_is_an_error_or_stated():
    bars = flat_bars(3, ("ETH", PERP))
    for frame in (None, every_eight_hours("2024-01-01", "2024-01-04").assign(symbol="X/USDT:USDT")):
        with pytest.raises(DataError, match="assume_zero"):
            funding().events(bars, frame)
    assert len(funding("assume_zero").events(bars, None).bar) == 0
    stated = ExecutionModel(funding_model="assume_zero")
    assert stated.assumptions() == ("funding is assumed to be zero",)


def test_a_perpetual_of_less_than_eight_hours_may_have_no_funding():
    assert len(funding().events(flat_bars(7, (PERP,), length=HOUR), None).bar) == 0
    with pytest.raises(DataError, match="BTC"):
        funding().events(flat_bars(8, (PERP,), length=HOUR), None)


def test_bars_without_perpetuals_need_no_funding():
    assert len(funding().events(flat_bars(3, ("A",), length=DAY), None).bar) == 0


@pytest.mark.parametrize(
    ("missing", "hole"),
    [
        ([16], "2024-01-01T08:00:00.000000 and 2024-01-02T00:00:00.000000"),
        ([8], "2024-01-01T00:00:00.000000 and 2024-01-01T16:00:00.000000"),
        ([40], "2024-01-02T08:00:00.000000 and 2024-01-03T00:00:00.000000"),
        ([8, 16, 24], "2024-01-01T00:00:00.000000 and 2024-01-02T08:00:00.000000"),
    ],
)
@pytest.mark.parametrize("length", [HOUR, 4 * HOUR, DAY])
def test_a_settlement_that_is_missing_among_others_is_an_error(missing, hole, length):
    bars = flat_bars(48 * HOUR // length, ("ETH", PERP), length=length)
    whole = every_eight_hours("2024-01-01", "2024-01-03")
    hours = (whole["ts"] - whole["ts"].iloc[0]) / pd.Timedelta("1h")
    assert len(funding().events(bars, whole).bar) == 6
    with pytest.raises(DataError, match=rf"no funding of {PERP} between {hole} UTC"):
        funding().events(bars, whole[~hours.isin(missing)])
    assert len(funding("assume_zero").events(bars, whole[~hours.isin(missing)]).bar) == 0


def test_no_settlement_is_missing_where_there_are_no_prices_or_intervals_are_shorter():
    bars = flat_bars(48, (PERP,), length=HOUR)
    whole = every_eight_hours("2024-01-01", "2024-01-03")
    late = whole.assign(ts=whole["ts"] + pd.Timedelta("30s"))
    assert len(funding().events(bars, late).bar) == 6
    hourly = settlements(pd.date_range("2024-01-01", periods=48, freq="h"))
    assert len(funding().events(bars, hourly).bar) == 48
    daily = settlements(pd.date_range("2024-01-01", periods=5))
    assert len(funding().events(flat_bars(5, (PERP,), length=DAY), daily).bar) == 5
    with pytest.raises(DataError, match="between 2024-01-03T00"):
        funding().events(flat_bars(5, (PERP,), length=DAY), daily.drop(index=3))
    close = bars.close.copy()
    close[9:23] = np.nan  # a halt from 9:00 to 23:00
    halted = replace(bars, open=close, high=close, low=close, close=close)
    without = whole[whole["ts"].dt.hour != 16]
    with pytest.raises(DataError, match="between 2024-01-02T08"):
        funding().events(halted, without)
    assert len(funding().events(halted.rows(slice(0, 32)), without).bar) == 3


@pytest.mark.parametrize("rate", [np.nan, np.inf])
def test_a_rate_that_is_no_number_is_named(rate):
    bars = flat_bars(24, (PERP,), length=HOUR)
    frame = every_eight_hours("2024-01-01", "2024-01-02")
    frame.loc[1, "rate"] = rate
    with pytest.raises(DataError, match=rf"rate of {PERP} at 2024-01-01 08:00:00\+00:00 is {rate}"):
        funding().events(bars, frame)
