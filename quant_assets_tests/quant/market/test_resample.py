"""Longer bars against numbers worked by hand, a plain loop and pandas."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.resample import (
    DAY,
    FIELDS,
    WEEK,
    BarArrays,
    BarLength,
    resample_bars,
    resample_panel,
    resample_rows,
)
from quant_assets_tests.quant.market.frames import bars_frame

pytestmark = pytest.mark.slow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIVE = BarLength(5 * MINUTE, MINUTE)
RESULT = ("ts", "available_at", *FIELDS, "codes", "n_rows", "completeness")


def moments(start, count, step=MINUTE):
    return np.datetime64(start, "us") + np.arange(count) * np.timedelta64(step)


def arrays(ts, fields, delay=MINUTE):
    return BarArrays(ts, ts + np.timedelta64(delay), **fields)


def random_fields(shape, *, seed=0, gaps=0.2):
    """Prices where a share of rows are gaps, and single fields are absent beside a close."""
    g = np.random.default_rng(seed)
    close = 100.0 + g.normal(size=shape).cumsum(axis=0)
    fields = {"close": close, "open": close + g.normal(size=shape)}
    fields["high"] = np.maximum(close, fields["open"]) + 1.0
    fields["low"] = np.minimum(close, fields["open"]) - 1.0
    fields["volume"] = np.round(g.exponential(100.0, shape))
    for name in ("open", "high", "low", "volume"):
        fields[name][g.random(shape) < 0.1] = np.nan
    gap = g.random(shape) < gaps
    for name in FIELDS:
        fields[name][gap] = 0.0 if name == "volume" else np.nan
    return {name: fields[name] for name in FIELDS}


def random_rows(n_times=300, n_symbols=3, *, absent=0.2, **how):
    """Long rows sorted by (ts, code) with some absent, and publication that is sometimes late."""
    g = np.random.default_rng(7)
    rows, codes = np.nonzero(g.random((n_times, n_symbols)) >= absent)
    ts = moments("2024-03-09T22:13", n_times)[rows]
    late = np.where(g.random(len(ts)) < 0.05, 600, 1) * np.timedelta64(MINUTE)
    return BarArrays(ts, ts + late, **random_fields(len(ts), **how)), codes


def permuted(bars, order):
    return BarArrays(
        **{name: getattr(bars, name)[order] for name in ("ts", "available_at", *FIELDS)}
    )


def local_begin(ts, length):
    """Begin and end of the bar of `ts`, by counting in wall-clock days: the oracle of sessions."""
    zone = ZoneInfo(length.time_zone)
    day = pd.Timestamp(ts, tz="UTC").tz_convert(zone).normalize().tz_localize(None)

    def session(day):
        local = day + length.anchor
        return local.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert(
            "UTC"
        )

    moment = pd.Timestamp(ts, tz="UTC")
    days = max(length.bars // DAY, 1)
    day += DAY
    while session(day) > moment or (days == 7 and day.weekday() != 0):
        day -= DAY
    begin, after = session(day), session(day + days * DAY)
    while length.bars < DAY and begin + length.bars <= moment:
        begin += length.bars
    return begin, min(begin + length.bars, after) if length.bars < DAY else after


def first(values):
    return values[0] if len(values) else np.nan


def twin(bars, codes, length):
    """Bars of rows by grouping them, one dictionary per bar: the plain twin of the kernels."""
    groups = {}
    for row, (ts, code) in enumerate(zip(bars.ts, codes, strict=True)):
        groups.setdefault((*local_begin(ts, length), code), []).append(row)
    found = []
    for (begin, end, code), rows in groups.items():
        real = {f: getattr(bars, f)[rows][~np.isnan(bars.close[rows])] for f in FIELDS}
        n_rows = len(real["close"])
        known = {f: values[~np.isnan(values)] for f, values in real.items()}
        expected = length.rows_per_bar or round((end - begin) / length.rows)
        latest = pd.Timestamp(bars.available_at[rows].max(), tz="UTC")
        found.append(
            {
                "ts": begin,
                "available_at": latest if len(rows) >= expected else max(latest, end),
                "open": first(known["open"]),
                "high": known["high"].max(initial=-np.inf) if len(known["high"]) else np.nan,
                "low": known["low"].min(initial=np.inf) if len(known["low"]) else np.nan,
                "close": first(known["close"][::-1]),
                "volume": known["volume"].sum() if len(known["volume"]) or not n_rows else np.nan,
                "codes": code,
                "n_rows": n_rows,
                "completeness": n_rows / expected,
            }
        )
    return pd.DataFrame(found)


def table(longer):
    frame = pd.DataFrame({name: getattr(longer, name) for name in RESULT})
    return frame.assign(**{n: frame[n].dt.tz_localize("UTC") for n in ("ts", "available_at")})


def same(found, expected, *, order=("ts", "codes")):
    expected = expected.sort_values(list(order), ignore_index=True)
    for name in ("ts", "available_at"):
        expected[name] = expected[name].astype("datetime64[us, UTC]")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, check_dtype=False)


def test_resample_by_hand_two_bars_with_gap_and_missing_row():
    nan = np.nan
    ts = moments("2024-01-01T10:00", 9)[[0, 1, 2, 3, 4, 5, 6, 8]]  # 10:07 is missing
    fields = {
        "open": [10, nan, 12, 13, 14, nan, 21, 23],
        "high": [11, nan, 19, 14, 15, nan, 22, 24],
        "low": [9, nan, 11, 5, 13, nan, 20, 22],
        "close": [10.5, nan, 12.5, 13.5, 14.5, nan, 21.5, 23.5],
        "volume": [1, 0, 2, 3, 4, 0, nan, 6],
    }
    fields = {name: np.array(values, dtype=float) for name, values in fields.items()}
    longer = resample_panel(arrays(ts, fields, delay=MINUTE + timedelta(seconds=2)), FIVE)
    assert longer.ts.tolist() == moments("2024-01-01T10:00", 2, 5 * MINUTE).tolist()
    # all five minutes were seen; of the second bar 10:07 and 10:09 may still come until 10:10
    assert longer.available_at.astype(str).tolist() == [
        "2024-01-01T10:05:02.000000",
        "2024-01-01T10:10:00.000000",
    ]
    assert [getattr(longer, n).tolist() for n in FIELDS] == [
        [10, 21],
        [19, 24],
        [5, 20],
        [14.5, 23.5],
        [10, 6],
    ]
    assert longer.n_rows.tolist() == [4, 2]
    assert longer.completeness.tolist() == [0.8, 0.4]
    assert longer.is_gap.tolist() == [False, False]


def test_resample_bar_of_gaps_only_is_a_gap():
    absent = {name: np.full(5, np.nan) for name in FIELDS} | {"volume": np.zeros(5)}
    longer = resample_panel(arrays(moments("2024-01-01", 5), absent), FIVE)
    assert longer.is_gap.tolist() == [True]
    assert np.isnan([longer.open, longer.high, longer.low, longer.close]).all()
    assert (longer.volume[0], longer.n_rows[0], longer.completeness[0]) == (0.0, 0, 0.0)
    assert longer.available_at.tolist() == moments("2024-01-01T00:05", 1).tolist()


def test_resample_volume_that_no_row_knows_stays_unknown():
    fields = random_fields(5, gaps=0) | {"volume": np.full(5, np.nan)}
    longer = resample_panel(arrays(moments("2024-01-01", 5), fields), FIVE)
    assert np.isnan(longer.volume).all()


@pytest.mark.parametrize("length", [FIVE, BarLength(HOUR, MINUTE), BarLength(DAY, MINUTE)])
def test_resample_rows_both_orders_equal_the_twin(length):
    bars, codes = random_rows()
    expected = twin(bars, codes, length)
    same(table(resample_rows(bars, codes, length)), expected)
    order = np.lexsort((bars.ts, codes))
    by_symbol = resample_rows(permuted(bars, order), codes[order].astype(np.int32), length)
    same(table(by_symbol), expected, order=("codes", "ts"))


@pytest.mark.parametrize(
    ("bars", "frequency"), [(5 * MINUTE, "5min"), (4 * HOUR, "4h"), (DAY, "D"), (WEEK, "W-MON")]
)
def test_resample_panel_equals_pandas(bars, frequency):
    ts = moments("2024-02-27T21:00", 800, 15 * MINUTE if bars > 5 * MINUTE else MINUTE)
    step = timedelta(microseconds=int(np.diff(ts)[0].astype(int)))
    fields = random_fields((800, 2))
    longer = resample_panel(arrays(ts, fields, step), BarLength(bars, step))
    rules = {"open": "first", "high": "max", "low": "min", "close": "last"}
    for column in range(2):
        frame = pd.DataFrame({n: fields[n][:, column] for n in FIELDS}, index=pd.DatetimeIndex(ts))
        bins = frame.resample(frequency, label="left", closed="left")
        expected = bins.agg(rules).assign(volume=bins["volume"].sum(min_count=1))
        assert longer.ts.tolist() == expected.index.to_numpy("M8[us]").tolist()
        for name in FIELDS:
            np.testing.assert_allclose(getattr(longer, name)[:, column], expected[name], rtol=1e-12)
        assert longer.n_rows[:, column].tolist() == bins["close"].count().tolist()


def test_resample_panel_equals_its_columns_and_its_long_rows():
    fields = random_fields((300, 3))
    ts = moments("2024-03-10T00:03", 300)
    panel = resample_panel(arrays(ts, fields), FIVE)
    codes = np.tile(np.arange(3), 300)
    long = resample_rows(
        arrays(ts.repeat(3), {n: values.ravel() for n, values in fields.items()}), codes, FIVE
    )
    for column in range(3):
        alone = resample_panel(arrays(ts, {n: v[:, column] for n, v in fields.items()}), FIVE)
        for name in (*FIELDS, "n_rows", "completeness"):
            values = getattr(panel, name)[:, column]
            np.testing.assert_array_equal(values, getattr(alone, name))
            np.testing.assert_array_equal(values, getattr(long, name)[column::3])
        np.testing.assert_array_equal(panel.available_at, alone.available_at)


def test_resample_in_two_steps_equals_one():
    ts, fields = moments("2024-01-01", 3000), random_fields(3000)
    once = resample_panel(arrays(ts, fields), BarLength(HOUR, MINUTE))
    half = resample_panel(arrays(ts, fields), BarLength(5 * MINUTE, MINUTE))
    twice = resample_panel(half, BarLength(HOUR, 5 * MINUTE))
    for name in (*FIELDS, "ts", "available_at"):
        np.testing.assert_allclose(
            getattr(once, name).astype(float), getattr(twice, name).astype(float), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("zone", "anchor", "bars"),
    [
        ("America/New_York", timedelta(0), DAY),
        ("America/New_York", -7 * HOUR, WEEK),
        ("America/New_York", 9.5 * HOUR, 4 * HOUR),
        ("Europe/Berlin", timedelta(0), 4 * HOUR),
        ("Europe/Berlin", 2.5 * HOUR, DAY),  # does not exist on one day, comes twice on another
        ("Asia/Kolkata", 9.5 * HOUR, DAY),
    ],
)
def test_resample_local_sessions_equal_wall_clock_counting(zone, anchor, bars):
    length = BarLength(bars, timedelta(minutes=30), time_zone=zone, anchor=anchor)
    for day in ("2024-03-08", "2024-03-30", "2024-10-26", "2024-11-02"):
        ts = moments(day, 130, timedelta(minutes=30))
        rows = arrays(ts, random_fields(130), timedelta(minutes=30))
        codes = np.zeros(130, dtype=np.int64)
        same(table(resample_rows(rows, codes, length)), twin(rows, codes, length))


def test_resample_days_of_clock_changes_have_23_and_25_hours():
    length = BarLength(DAY, HOUR, time_zone="America/New_York")
    for day, hours in (("2024-03-10T05:00", 23), ("2024-11-03T04:00", 25)):
        ts = moments(day, 49, HOUR)  # from local midnight
        longer = resample_panel(arrays(ts, random_fields(49, gaps=0), HOUR), length)
        assert longer.n_rows.tolist()[0] == hours
        assert longer.completeness[0] == 1.0
        assert longer.ts[1] - longer.ts[0] == np.timedelta64(hours, "h")


def test_resample_weeks_begin_on_monday():
    longer = resample_panel(
        arrays(moments("2024-01-01", 60, DAY), random_fields(60), DAY), BarLength(WEEK, DAY)
    )
    assert {pd.Timestamp(t).day_name() for t in longer.ts} == {"Monday"}
    assert longer.ts[0] == np.datetime64("2024-01-01")


def test_resample_daily_rows_of_a_local_calendar_fit_their_week():
    local = pd.date_range("2024-03-04", periods=14, freq="D", tz="America/New_York")
    ts = local.tz_convert("UTC").tz_localize(None).to_numpy("M8[us]")  # one day has 23 hours
    length = BarLength(WEEK, DAY, time_zone="America/New_York")
    longer = resample_panel(arrays(ts, random_fields(14, gaps=0), DAY), length)
    assert longer.completeness.tolist() == [1.0, 1.0]


def test_resample_rows_per_bar_counts_the_trading_session():
    ts = moments("2024-01-02T14:30", 390)
    length = BarLength(DAY, MINUTE, time_zone="America/New_York", rows_per_bar=390)
    longer = resample_panel(arrays(ts, random_fields(390, gaps=0)), length)
    assert longer.completeness.tolist() == [1.0]
    assert longer.available_at.tolist() == moments("2024-01-02T21:00", 1).tolist()
    short = resample_panel(arrays(ts[:389], random_fields(389, gaps=0)), length)
    assert short.available_at.tolist() == moments("2024-01-03T05:00", 1).tolist()


def test_resample_bars_frame_keeps_the_contract():
    closes = {"A": [1.0, 2.0, np.nan, 4.0, 5.0, 6.0], "NA": [None, np.nan, np.nan, 7.0, 8.0, 9.0]}
    frame = resample_bars(
        bars_frame(closes, step=MINUTE, delay=MINUTE), BarLength(3 * MINUTE, MINUTE)
    )
    Bars.check_frame(frame.drop(columns=["n_rows", "completeness"]), where="longer bars")
    assert frame["symbol"].tolist() == ["A", "NA", "A", "NA"]
    assert frame["n_rows"].tolist() == [2, 0, 3, 3]
    assert frame["is_gap"].tolist() == [False, True, False, False]
    assert frame["close"].tolist()[2:] == [6.0, 9.0]
    assert frame["available_at"].dt.minute.tolist() == [4, 4, 7, 7]


def test_resample_bars_empty_frame_stays_empty():
    frame = resample_bars(Bars.empty(), FIVE)
    Bars.check_frame(frame.drop(columns=["n_rows", "completeness"]), where="longer bars")
    assert len(frame) == 0


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 1, 1, 2], "row 2 at 2024-01-01T00:01:00.000000 UTC comes after one at"),
        ([2, 0, 1, 3], "unique and sorted"),
    ],
)
def test_resample_rows_repeated_or_unsorted_are_refused_with_row(order, message):
    bars, _ = permuted(arrays(moments("2024-01-01", 4), random_fields(4)), order), None
    with pytest.raises(DataError, match=message):
        resample_rows(bars, np.zeros(4, dtype=np.int64), FIVE)


def test_resample_rows_in_any_disorder_are_refused():
    rng = np.random.default_rng(0)
    ts = moments("2024-01-01", 60, timedelta(days=11))
    codes = np.repeat(np.arange(3), 20)
    bars = arrays(ts, random_fields(60), DAY)
    for length in (BarLength(DAY, HOUR), BarLength(WEEK, DAY), FIVE):
        for _ in range(50):
            order = rng.permutation(60)
            with pytest.raises(DataError, match=r"row \d+"):
                resample_rows(permuted(bars, order), rng.permutation(codes), length)


def test_resample_row_across_the_end_of_its_bar_is_refused():
    bars = arrays(moments("2024-01-01T13:00", 4, HOUR), random_fields(4))
    length = BarLength(DAY, HOUR, time_zone="America/New_York", anchor=9.5 * HOUR)
    with pytest.raises(DataError, match=r"row 1 begins at 2024-01-01T14:00.*beyond the end"):
        resample_panel(bars, length)


@pytest.mark.parametrize(
    ("bars", "rows", "more", "message"),
    [
        (5 * MINUTE, 2 * MINUTE, {}, "whole multiple"),
        (MINUTE, 5 * MINUTE, {}, "whole multiple"),
        (7 * MINUTE, MINUTE, {}, "neither divide a day"),
        (30 * HOUR, HOUR, {}, "neither divide a day"),
        (DAY, HOUR, {"anchor": DAY}, "a day or more away"),
        (DAY, HOUR, {"time_zone": "Mars/Base"}, "'Mars/Base' is unknown"),
        (DAY, HOUR, {"rows_per_bar": 0}, "at least 1"),
    ],
)
def test_bar_length_wrong_settings_are_refused(bars, rows, more, message):
    with pytest.raises(ConfigError, match=message):
        BarLength(bars, rows, **more)


def test_microseconds_other_units_are_refused():
    with pytest.raises(DataError, match=r"datetime64\[ns\]"):
        microseconds(np.array(["2024-01-01"], dtype="M8[ns]"))


def test_bar_arrays_shapes_must_agree():
    fields = random_fields(4)
    with pytest.raises(DataError, match="available_at has shape"):
        BarArrays(moments("2024-01-01", 4), moments("2024-01-01", 3), **fields)
    with pytest.raises(DataError, match="low is float64"):
        arrays(moments("2024-01-01", 4), fields | {"low": fields["low"][:3]})


def test_resample_more_bars_than_one_block_equal_the_panel():
    n = 5 * 70_000
    bars = arrays(moments("2024-01-01", n), random_fields(n))
    panel = resample_panel(bars, FIVE)
    rows = resample_rows(bars, np.zeros(n, dtype=np.int64), FIVE)
    assert len(rows.ts) == 70_000
    for name in (*FIELDS, "ts", "available_at", "n_rows"):
        np.testing.assert_array_equal(getattr(panel, name), getattr(rows, name))
