"""Gap rows on the venue's grid."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.contracts.bars import Bars
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.bars import clean_bars, known_at, recent_bars
from quant_assets_tests.quant.market.frames import bars_frame, ingestion, random_bars, window

TELEMETRY = NullTelemetry()
HOUR = timedelta(hours=1)


def clean(raw, **market):
    frame = clean_bars(ingestion(**market), TELEMETRY, raw_bars=raw)
    return Bars.check_frame(frame, where="bars")


def rows(frame):
    return [(t.hour, s, g) for t, s, g in zip(frame.ts, frame.symbol, frame.is_gap, strict=True)]


def test_always_open_venue_missing_bars_become_gap_rows():
    raw = bars_frame(
        {"A": [1.0, None, 3.0, None, 5.0], "B": [None, 2.0, None, 4.0, None]}, step=HOUR
    )
    frame = clean(raw, calendar="24/7", bar_length=HOUR)
    assert rows(frame) == [
        (0, "A", False),
        (1, "A", True),
        (1, "B", False),
        (2, "A", False),
        (2, "B", True),
        (3, "A", True),
        (3, "B", False),
        (4, "A", False),
    ]
    gaps = frame[frame.is_gap]
    assert gaps[["open", "high", "low", "close"]].isna().all(axis=None)
    assert (gaps.volume == 0.0).all()


def test_always_open_venue_hour_without_any_bar_is_a_gap_of_all():
    raw = bars_frame({"A": [1.0, None, 3.0], "B": [4.0, None, 6.0]}, step=HOUR)
    frame = clean(raw, calendar="24/7", bar_length=HOUR)
    assert rows(frame)[2:4] == [(1, "A", True), (1, "B", True)]


def test_exchange_calendar_day_without_any_bar_is_no_gap():
    raw = bars_frame(
        {"A": [1.0, None, 3.0, None], "B": [4.0, None, None, 6.0], "C": [1, None, 1, 1]}
    )
    frame = clean(raw)
    assert frame.ts.dt.day.unique().tolist() == [1, 3, 4]
    assert frame.loc[frame.is_gap, ["ts", "symbol"]].to_numpy().tolist() == [
        [pd.Timestamp("2020-02-03", tz="UTC"), "B"]
    ]


def test_gap_row_is_available_when_its_bar_would_have_been_published():
    delay = timedelta(minutes=7)
    raw = bars_frame({"A": [1.0, None, 3.0]}, step=HOUR, delay=delay)
    frame = clean(raw, calendar="24/7", bar_length=HOUR, publication_delay=delay)
    assert (frame.available_at == frame.ts + HOUR + delay).all()


def test_present_bars_keep_their_values_bit_for_bit():
    raw = random_bars(400, 5, missing=0.2, step=HOUR)
    raw["available_at"] = raw["available_at"] + pd.Timedelta(minutes=3)
    frame = clean(raw, calendar="24/7", bar_length=HOUR)
    kept = frame[~frame.is_gap].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, raw, check_exact=True)


def test_complete_bars_come_back_equal_and_count_no_gap():
    raw, telemetry = random_bars(24, 3, step=HOUR), RecordingTelemetry()
    context = ingestion(calendar="24/7", bar_length=HOUR)
    frame = clean_bars(context, telemetry, raw_bars=raw)
    pd.testing.assert_frame_equal(frame, raw, check_exact=True)
    assert telemetry.rows == [{"kind": "metrics", "scope": "bars", "rows": 72.0, "gaps": 0.0}]


def test_clean_bars_is_idempotent_and_leaves_its_input_alone():
    raw = random_bars(60, 4, missing=0.3, step=HOUR)
    before = raw.copy(deep=True)
    once = clean(raw, calendar="24/7", bar_length=HOUR)
    twice = clean(once, calendar="24/7", bar_length=HOUR)
    pd.testing.assert_frame_equal(once, twice, check_exact=True)
    pd.testing.assert_frame_equal(raw, before, check_exact=True)


def test_no_bars_give_the_empty_contract():
    assert len(clean(Bars.empty())) == 0


def test_rows_outside_the_window_are_left_out():
    raw = bars_frame({"A": [1.0, 2.0, 3.0]}, start="2020-01-31")
    assert clean(raw).ts.dt.day.tolist() == [1, 2]


def test_bar_off_the_grid_is_refused_with_symbol_and_time():
    raw = bars_frame({"BTC/USDT": [1.0, 2.0, 3.0]}, step=timedelta(minutes=25))
    with pytest.raises(DataError, match=r"test/BTC/USDT: 2 bars .* 2020-02-01T00:25"):
        clean(raw, calendar="24/7", bar_length=HOUR)


def test_symbols_that_look_like_missing_values_survive():
    raw = bars_frame({"NA": [1.0, None, 3.0], "NULL": [1.0, 2.0, 3.0], "1INCH": [1.0, 2.0, 3.0]})
    frame = clean(raw)
    assert sorted(frame.symbol.unique()) == ["1INCH", "NA", "NULL"]
    assert frame.loc[frame.is_gap, "symbol"].tolist() == ["NA"]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=12))
def test_each_symbol_has_every_row_between_its_first_and_last(pattern):
    columns = dict(zip("ABC", zip(*pattern, strict=True), strict=True))
    raw = bars_frame(
        {s: [1.0 if seen else None for seen in v] for s, v in columns.items()}, step=HOUR
    )
    frame = clean(raw, calendar="24/7", bar_length=HOUR)
    for symbol, seen in columns.items():
        hours = np.flatnonzero(seen)
        expected = list(range(hours[0], hours[-1] + 1)) if len(hours) else []
        own = frame[frame.symbol == symbol]
        assert own.ts.dt.hour.tolist() == expected
        assert own.is_gap.tolist() == [not seen[hour] for hour in expected]


def test_recent_bars_keeps_lookback_rows_of_the_grid():
    bars = random_bars(40, 3, missing=0.3, start="2020-01-10")
    recent = recent_bars(bars, window(), lookback=5)
    before = recent[recent.ts < window().start]
    assert sorted(before.ts.unique()) == sorted(bars.ts[bars.ts < window().start].unique())[-5:]
    assert recent.ts.max() == bars.ts.max()
    assert recent_bars(bars, window(), lookback=0).ts.min() >= pd.Timestamp(window().start)
    assert len(recent_bars(bars, window(), lookback=500)) == len(bars)


def test_known_at_never_falls_and_waits_for_the_latest_symbol():
    bars = bars_frame({"A": [1.0, 2.0, 3.0], "B": [1.0, 2.0, 3.0]})
    bars.loc[1, "available_at"] = pd.Timestamp("2020-02-10", tz="UTC")
    known = known_at(bars)
    assert known.tolist() == [np.datetime64("2020-02-10", "us").item()] * 3
