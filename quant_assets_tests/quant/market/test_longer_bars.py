"""Longer bars of a panel against pandas, by hand, and by recomputing every shorter history."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.data_window import Replay
from quant_assets.quant.market.longer_bars import (
    current_bar,
    longer_bars,
    timeframe_columns,
    timeframe_length,
)
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.resample import BarLength
from quant_assets.quant.market.timeframes import align

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = np.datetime64("2024-03-04T00:00:00", "us")
AGGREGATES = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def panel(n, minutes=5, *, seed=1, symbols=("A", "B"), holes=0.0, absent=0.0, start=START):
    """Random bars; a share of `holes` has no close, a share of `absent` rows does not exist."""
    rng = np.random.default_rng(seed)
    shape = (n, len(symbols))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    opened = close * np.exp(rng.normal(0.0, 0.002, shape))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * 1.01,
        "low": np.minimum(opened, close) * 0.99,
        "close": close,
        "volume": rng.integers(1, 100, shape).astype(float),
    }
    gone = rng.random(shape) < holes
    for name, values in fields.items():
        values[gone] = 0.0 if name == "volume" else np.nan
    kept = rng.random(n) >= absent
    ts = start + np.arange(n) * np.timedelta64(minutes, "m")
    cut = {name: values[kept] for name, values in fields.items()}
    return BarPanel.from_arrays(ts[kept], symbols, minutes * MINUTE, **cut)


def by_pandas(bars, timeframe, name):
    """A field of the longer bars on the primary clock: resampled to right labels, then as-of."""
    ends = bars.ts + np.timedelta64(bars.bar_length)
    step = pd.Timedelta(timeframe.upper() if timeframe == "1d" else timeframe)
    columns = []
    for column in range(len(bars.symbols)):
        frame = pd.DataFrame({n: bars[n][:, column] for n in FIELDS}, index=bars.ts)
        grouped = frame.resample(step, label="right", closed="left", origin="start_day")
        longer = grouped.agg(AGGREGATES)[grouped.size() > 0]
        begins = longer.index - step
        longer = longer[(longer.index <= ends[-1]) & (begins >= bars.ts[0])]
        at = longer.index.searchsorted(ends, side="right") - 1
        values = np.append(longer[name].to_numpy(), np.nan)  # -1, none, is the last
        columns.append(values[at])
    return np.stack(columns, axis=1)


def replay(bars, computed):
    index = pd.DatetimeIndex(bars.ts).tz_localize("UTC")
    panels = {name: Panel(bars[name], index, bars.symbols) for name in FIELDS}
    known = bars.available_at
    return Replay(panels, available_at=known, decided_at=known, cross_sections=computed)


def test_hour_first_appears_on_the_five_minute_bar_that_closes_with_it():
    closes = np.arange(1.0, 31.0)  # bar 0 closes at 1, the first hour at 12, the second at 24
    ts = START + np.arange(30) * np.timedelta64(5, "m")
    bars = BarPanel.from_arrays(ts, ("A",), 5 * MINUTE, close=closes)
    longer = longer_bars(bars, "1h")
    expected = np.array([np.nan] * 11 + [12.0] * 12 + [24.0] * 7)[:, None]
    np.testing.assert_array_equal(longer.on_primary(longer.bars.close), expected)
    assert longer.bars.close[:, 0].tolist() == [12.0, 24.0]  # the open hour is not there
    np.testing.assert_array_equal(longer.bars.available_at, START + np.array([1, 2], "m8[h]"))
    # an as-of by open time shows the close of each hour in all of its twelve bars
    naive = pd.merge_asof(
        pd.DataFrame({"ts": ts}), pd.DataFrame({"ts": longer.bars.ts, "c": [12.0, 24.0]}), on="ts"
    )["c"].to_numpy()
    assert (naive[:12] == 12.0).all()
    assert (naive[:11] != expected[:11, 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("holes", "absent"), [(0.0, 0.0), (0.2, 0.0), (0.1, 0.3)])
@pytest.mark.parametrize(
    ("minutes", "timeframe"),
    [
        (1, "5m"), (1, "15m"), (1, "1h"), (1, "4h"), (1, "1d"), (5, "15m"), (5, "1h"),
        (5, "4h"), (5, "1d"), (15, "1h"), (15, "4h"), (60, "4h"), (60, "1d"), (240, "1d"),
        (5, "5m"),
    ],
)  # fmt: skip
def test_longer_bars_equal_pandas(minutes, timeframe, holes, absent):
    bars = panel(3_000 if minutes == 1 else 700, minutes, holes=holes, absent=absent)
    found = longer_bars(bars, timeframe).columns()
    for name in FIELDS:
        expected = by_pandas(bars, timeframe, name)
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, err_msg=name)
    assert np.isfinite(found["close"]).any()


@pytest.mark.slow
@pytest.mark.parametrize("late", [0, 4, 30])
def test_row_sees_the_same_longer_bars_when_nothing_comes_after_it(late):
    whole = panel(160, holes=0.1, absent=0.2)
    delays = np.random.default_rng(5).integers(0, late + 1, len(whole)) * np.timedelta64(1, "m")
    bars = BarPanel.from_arrays(
        whole.ts,
        whole.symbols,
        whole.bar_length,
        available_at=whole.available_at + delays,
        **{name: whole[name] for name in FIELDS},
    )
    full = longer_bars(bars, "1h").columns()
    for row in range(len(bars)):
        cut = longer_bars(bars.rows(slice(0, row + 1)), "1h").columns()
        for name, values in full.items():
            np.testing.assert_array_equal(cut[name], values[: row + 1], err_msg=f"{name} {row}")


@pytest.mark.parametrize("lag", [0, 3])
def test_row_never_sees_a_bar_before_it_was_known(lag):
    whole = panel(300, absent=0.3)
    known = whole.available_at + np.timedelta64(lag, "m")
    bars = BarPanel.from_arrays(
        whole.ts, whole.symbols, whole.bar_length, available_at=known, close=whole.close
    )
    columns = longer_bars(bars, "1h").columns()
    seen = np.isfinite(columns["ts"][:, 0])
    ends = columns["ts"][seen, 0] + 3600e6
    assert (ends <= (bars.ts + np.timedelta64(5, "m"))[seen].astype(np.int64)).all()
    assert (columns["available_at"][seen, 0] <= known[seen].astype(np.int64)).all()


def test_bar_that_began_before_the_data_is_left_out():
    bars = panel(40, start=START + np.timedelta64(25, "m"))
    longer = longer_bars(bars, "1h")
    assert longer.bars.ts[0] == START + np.timedelta64(1, "h")
    assert (longer.rows[:18] == -1).all()
    assert longer.rows[18] == 0


def test_sessions_end_their_bars_and_a_whole_day_is_known_at_its_close():
    # two sessions in New York, 9:30 to 16:00, of half hours; 13 rows each
    opens = [np.datetime64(f"2024-03-{day}T13:30", "us") for day in (12, 13)]
    ts = np.concatenate([one + np.arange(13) * np.timedelta64(30, "m") for one in opens])
    closes = np.arange(1.0, 27.0)
    bars = BarPanel.from_arrays(ts, ("SPY",), 30 * MINUTE, close=closes)
    new_york = {"time_zone": "America/New_York", "anchor": 9 * HOUR + 30 * MINUTE}
    day = BarLength(timedelta(days=1), 30 * MINUTE, **new_york, rows_per_bar=13)
    longer = longer_bars(bars, day)
    assert longer.bars.close[:, 0].tolist() == [13.0, 26.0]
    assert longer.rows.tolist() == [-1] * 12 + [0] * 13 + [1]
    # in UTC nothing says that the day is over before midnight: it appears on the next bar
    assert longer_bars(bars, "1d").rows.tolist() == [-1] * 26  # the first began before the data
    hours = longer_bars(bars, BarLength(HOUR, 30 * MINUTE, **new_york))
    assert hours.bars.close[:7, 0].tolist() == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 13.0]
    # the last hour of a session has one row; another might have come until 16:30
    assert hours.rows[12] == 5
    assert hours.rows[13] == 6
    with pytest.raises(DataError, match="has 13 rows; rows_per_bar is 12"):
        longer_bars(bars, BarLength(timedelta(days=1), 30 * MINUTE, **new_york, rows_per_bar=12))


def test_max_age_forgets_old_bars():
    bars = panel(40)
    rows = longer_bars(bars, "1h", max_age=10 * MINUTE).rows
    assert rows.tolist() == [-1] * 11 + [0] * 3 + [-1] * 9 + [1] * 3 + [-1] * 9 + [2] * 3 + [-1] * 2


def test_too_few_bars_give_no_longer_one():
    columns = longer_bars(panel(3), "1h").columns()
    assert all(np.isnan(values).all() and values.shape == (3, 2) for values in columns.values())


def test_join_by_open_time_cannot_be_written():
    bars = panel(30)
    hours = longer_bars(bars, "1h")
    with pytest.raises(TypeError, match="source is a BarPanel"):
        align(hours.bars, clock=bars, max_age=HOUR)
    early = BarPanel.from_arrays(
        bars.ts, bars.symbols, bars.bar_length, available_at=bars.ts, close=bars.close
    )
    with pytest.raises(LookAheadError, match=r"row 0 .* before its bar of 0:05:00 ends"):
        longer_bars(early, "1h")
    with pytest.raises(DataError, match=r"shape \(30, 2\); it must be \(2, 2\)"):
        hours.on_primary(bars.close)
    window = replay(bars, timeframe_columns(bars, "1h")).window(15)
    with pytest.raises(LookAheadError, match="row 23 was asked for"):
        window["1h.close", 23]


@pytest.mark.parametrize(
    ("timeframe", "message"),
    [
        ("1H", "'1H' is not a duration; write for example"),
        ("hourly", "is not a duration"),
        ("0h", "timeframe '0h' is none"),
        (60, "timeframe 60 is none"),
        ("1m", "timeframe 1m is shorter than the bars of 5m"),
        ("7m", "timeframe 7m is no whole multiple of the bars of 5m"),
        ("35m", "neither divide a day nor are whole days"),
    ],
)
def test_timeframes_that_do_not_fit_are_refused(timeframe, message):
    with pytest.raises(ConfigError, match=message):
        timeframe_length(timeframe, primary=5 * MINUTE)
    with pytest.raises(ConfigError, match=message):
        longer_bars(panel(5), timeframe)
    with pytest.raises(ConfigError, match="not of 0:01:00 as the timeframe says"):
        longer_bars(panel(5), BarLength(HOUR, MINUTE))


@pytest.mark.slow
def test_current_bar_is_the_last_whole_one_at_every_decision():
    bars = panel(300, holes=0.1)
    windows = replay(bars, timeframe_columns(bars, "1h", "4h"))
    for row, window in enumerate(windows):
        for timeframe, n in (("1h", 12), ("4h", 48)):
            found, after = current_bar(window, timeframe), (row + 1) // n * n
            if after == 0:
                assert found is None
                continue
            assert found.ts == bars.ts[after - n]
            assert found.available_at == bars.available_at[after - 1]
            part = bars.close[after - n : after, 0]
            assert found["close"][0] == part[np.isfinite(part)][-1]
            assert found["high"][0] == np.nanmax(bars.high[after - n : after, 0])
    with pytest.raises(DataError, match=r"no bars of '1d' \(of 1h, 4h\): return"):
        current_bar(window, "1d")
    with pytest.raises(DataError, match="a bar has no 'vwap'; it has open"):
        current_bar(window, "1h")["vwap"]
