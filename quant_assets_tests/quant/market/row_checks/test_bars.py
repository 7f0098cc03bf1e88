"""Bars: grid, length, closes, and prices that fit each other."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.row_checks.bars import SAMPLE
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets_tests.quant.market.row_checks.raws import (
    MINUTES,
    bars,
    checked,
    grid,
    rules,
    told,
    with_cell,
)

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"close": 0.0}, "close not above zero"),
        ({"low": -1.0}, "low not above zero"),
        ({"high": 98.0}, "high below low"),
        ({"open": 101.2}, "open outside high and low"),
        ({"close": 98.8}, "close outside high and low"),
        ({"volume": -0.1}, "negative volume"),
        ({"high": np.inf}, "infinite value"),
        ({"volume": np.inf}, "infinite value"),
        ({"open": np.nan}, "missing price"),
    ],
)
def test_impossible_bar_is_set_aside_alone(values, reason):
    result = checked("bars", with_cell(bars(), 2, **values))
    assert told(result) == [(4, "quarantined", reason)]
    assert len(result.frame) == 3


def test_zero_volume_is_a_bar():
    result = checked("bars", with_cell(bars(), 2, volume=0.0))
    assert len(result.frame) == 4
    assert result.doubts.empty


def test_missing_volume_is_kept_with_a_flag_where_the_venue_offers_volume():
    frame = with_cell(bars(), 1, volume=np.nan)
    result = checked("bars", frame)
    assert told(result) == [(3, "flagged", "missing volume")]
    assert len(result.frame) == 4
    quiet = checked("bars", frame, price_fields=("open", "high", "low", "close"))
    assert quiet.doubts.empty


def test_closes_only_venue_needs_no_other_price():
    frame = bars(open=np.nan, high=np.nan, low=np.nan, volume=np.nan)
    assert checked("bars", frame, price_fields=("close",)).counts["stored"] == 4
    assert checked("bars", frame).counts["quarantined"] == 4


@pytest.mark.parametrize(("close", "stored"), [(101.1, 4), (101.2, 3)])
def test_one_decimal_place_is_the_tick_that_a_close_may_lie_outside(close, stored):
    result = checked("bars", with_cell(bars(), 2, close=close))
    assert len(result.frame) == stored


@pytest.mark.parametrize(("high", "stored"), [(98.99, 4), (98.97, 3)])
def test_high_may_lie_one_tick_below_low(high, stored):
    frame = with_cell(bars(), 1, open=99.0, high=high, low=99.0, close=high)
    assert len(checked("bars", frame).frame) == stored


@pytest.mark.parametrize(("tick", "stored"), [(0.5, 4), (0.1, 3), (0.0, 3)])
def test_given_tick_size_is_the_tolerance(tick, stored):
    result = checked("bars", with_cell(bars(), 2, close=101.5), tick_size=tick)
    assert len(result.frame) == stored


def test_whole_prices_tolerate_a_thousandth_at_most():
    frame = bars(open=100.0, high=102.0, low=99.0, close=101.0)
    assert checked("bars", with_cell(frame, 1, close=103.0)).counts["quarantined"] == 1
    large = bars(open=100000.0, high=100020.0, low=99990.0, close=100010.0)
    assert checked("bars", with_cell(large, 1, close=100021.0)).counts["quarantined"] == 0


def test_rounding_of_floats_is_no_violation():
    frame = with_cell(bars(), 1, high=0.1 + 0.2, low=0.3, open=0.3, close=0.3)
    frame = with_cell(frame, 2, high=0.3, low=0.2, open=0.2, close=0.1 + 0.2)
    assert checked("bars", frame).doubts.empty
    assert checked("bars", frame, tick_size=0.0).doubts.empty


def test_bar_off_the_grid_is_set_aside_and_many_refuse():
    moments = grid(120)
    moments[7] += timedelta(seconds=2)
    result = checked("bars", bars(120, ts=moments))
    assert told(result) == [(9, "quarantined", "off the grid")]
    assert result.doubts.value.tolist() == [2.0]
    moved = [moment + timedelta(seconds=2) for moment in grid(120)]
    with pytest.raises(DataError, match=r"120 of 120 rows do not lie on the grid of 0:05:00"):
        check_rows("bars", bars(120, ts=moved), rules())


def test_weeks_begin_on_monday_and_sessions_have_no_grid():
    monday = datetime(2024, 3, 4, tzinfo=UTC)
    weeks = [monday + row * timedelta(days=7) for row in range(4)]
    week = timedelta(days=7)
    assert checked("bars", bars(4, ts=weeks), bar_length=week).doubts.empty
    sessions = [moment + timedelta(hours=14, minutes=30) for moment in grid(4, DAY)]
    day = {"bar_length": DAY, "calendar": "XNYS"}
    assert checked("bars", bars(4, ts=sessions), **day).doubts.empty


def test_longer_bars_than_the_venues_refuse_before_they_are_known_too_early():
    hours = grid(24, timedelta(hours=1))
    with pytest.raises(DataError, match=r"multiples of 1:00:00 apart, but the bars .* last 0:05"):
        check_rows("bars", bars(24, ts=hours), rules())
    with_gaps = [moment for row, moment in enumerate(grid(60)) if row % 7]
    assert checked("bars", bars(len(with_gaps), ts=with_gaps)).doubts.empty


def test_longer_bars_of_very_many_symbols_refuse_too():
    n_symbols = SAMPLE + 1
    frame = bars(
        24 * n_symbols,
        ts=np.repeat(grid(24, timedelta(hours=1)), n_symbols),
        symbol=[f"S{column}" for column in range(n_symbols)] * 24,
    )
    with pytest.raises(DataError, match=r"24 times of the file are multiples of 1:00:00 apart"):
        check_rows("bars", frame, rules())


def test_bars_that_close_when_they_open_refuse_as_stamped_at_the_close():
    moments = grid(30)
    with pytest.raises(DataError, match=r"close 0:00:00 after their ts, not 0:05:00.*stamped at"):
        check_rows("bars", bars(30, ts=moments, closes_at=moments), rules())


def test_close_times_of_another_length_refuse_and_single_ones_are_set_aside():
    closes = [moment + MINUTES - timedelta(milliseconds=1) for moment in grid(30)]
    assert checked("bars", bars(30, closes_at=closes)).doubts.empty
    closes[4] += timedelta(hours=2)
    result = checked("bars", bars(30, closes_at=closes))
    assert told(result) == [(6, "quarantined", "closes at an odd time")]
    for length, words in ((timedelta(hours=1), "1:00:00"), (timedelta(minutes=1), "0:01:00")):
        other = [moment + length for moment in grid(30)]
        with pytest.raises(DataError, match=f"close {words} after their ts"):
            check_rows("bars", bars(30, closes_at=other), rules())


def test_input_is_left_as_it_was():
    frame = with_cell(bars(), 1, volume=-0.0)
    before = frame.copy(deep=True)
    check_rows("bars", frame, rules())
    assert np.signbit(frame.volume[1])
    assert frame.equals(before)


@pytest.mark.slow
def test_a_million_clean_rows_take_under_half_a_second():
    import time

    n_rows, n_symbols = 20_000, 50
    frame = bars(
        n_rows * n_symbols,
        ts=np.repeat(grid(n_rows, timedelta(minutes=1)), n_symbols),
        symbol=[f"S{column:02d}" for column in range(n_symbols)] * n_rows,
    )
    short = rules(bar_length=timedelta(minutes=1))
    spent = []
    for _ in range(3):
        begin = time.process_time()
        result = check_rows("bars", frame, short)
        spent.append(time.process_time() - begin)
    assert result.counts["stored"] == n_rows * n_symbols
    assert min(spent) < 0.5
