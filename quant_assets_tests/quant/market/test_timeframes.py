"""Alignment by `available_at` against pandas, and everything that must not be expressible."""

import inspect
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market import timeframes
from quant_assets.quant.market.resample import BarLength, resample_bars
from quant_assets.quant.market.timeframes import MultiTimeframe, Timeframe, align
from quant_assets_tests.quant.market.frames import bars_frame, timestamps

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEVER_STALE = timedelta(days=999)


def five_minutes(hours=3, symbols=("A", "B"), delay=timedelta(0)):
    closes = {s: list(100.0 * k + np.arange(12.0 * hours)) for k, s in enumerate(symbols, 1)}
    return bars_frame(closes, step=5 * MINUTE, delay=delay)


def hourly(frame):
    return resample_bars(frame, BarLength(HOUR, 5 * MINUTE)).drop(columns="n_rows")


def bars(frame, bar_length=5 * MINUTE, **more):
    return Timeframe.of_bars(frame, bar_length=bar_length, **more)


def instants_frame(rng, n=60, symbols=("A", "B", "Z")):
    """Funding-like rows, some of which are published late, so that a newer row is known first."""
    ts = timestamps(pd.Timestamp("2020-02-01", tz="UTC") + pd.to_timedelta(np.arange(n) * 7, "min"))
    ts = ts.repeat(len(symbols)).reset_index(drop=True)
    late = pd.to_timedelta(rng.choice([0, 0, 5, 40], len(ts)), "min")
    frame = pd.DataFrame({"ts": ts, "available_at": timestamps(ts + late)})
    frame["symbol"] = pd.Series(list(symbols) * n, dtype="str")
    return frame.assign(rate=rng.normal(size=len(ts)))


def by_definition(source, clock, max_age):
    """Row of the source per row of the clock, by looking at all rows: the plain twin."""
    found = []
    for symbol, at in zip(clock["symbol"], clock["available_at"], strict=True):
        known = source[(source["symbol"] == symbol) & (source["available_at"] <= at)]
        latest = known.sort_values("ts").tail(1)
        fresh = len(latest) and at - latest["available_at"].iloc[0] <= max_age
        found.append(int(latest.index[0]) if fresh else -1)
    return found


def test_align_hour_first_appears_on_the_bar_that_closes_with_it():
    frame = five_minutes()
    hour = align(bars(hourly(frame), HOUR), clock=bars(frame), max_age=NEVER_STALE).column("close")
    at = frame["symbol"].eq("A")
    expected = [np.nan] * 11 + [111.0] * 12 + [123.0] * 12 + [135.0]
    np.testing.assert_array_equal(hour[at], expected)
    # what a join by ts would have shown: the close of the hour in all of its twelve bars
    naive = pd.merge_asof(frame[at], hourly(frame).query("symbol == 'A'"), on="ts")["close_y"]
    assert (naive.to_numpy()[:12] == 111.0).all()


def test_align_late_publication_moves_the_value():
    frame = five_minutes(delay=timedelta(0))
    slow = hourly(five_minutes(delay=timedelta(seconds=2)))
    hour = align(bars(slow, HOUR), clock=bars(frame), max_age=NEVER_STALE).column("close")
    assert np.isnan(hour[frame["symbol"].eq("A")][:12]).all()


@pytest.mark.parametrize("max_age", [timedelta(0), 6 * MINUTE, 25 * MINUTE, NEVER_STALE])
def test_align_equals_the_definition_for_late_rows_and_all_orders(max_age):
    source, clock = instants_frame(np.random.default_rng(3)), five_minutes(hours=4)
    clock["available_at"] = timestamps(clock["available_at"] + pd.to_timedelta([0, 9] * 48, "min"))
    expected = by_definition(source, clock, max_age)
    assert -1 in expected
    assert max(expected) > 50
    orders = [list(clock.index), list(clock.sort_values(["symbol", "ts"]).index)]
    for rows in orders:
        for shuffled in (source, source.sort_values(["symbol", "ts"], ignore_index=True)):
            on = bars(clock.loc[rows].reset_index(drop=True))
            found = align(Timeframe.of_instants(shuffled), clock=on, max_age=max_age)
            rate = np.array([source["rate"][e] if e >= 0 else np.nan for e in expected])
            np.testing.assert_array_equal(found.column("rate"), rate[rows])
            positions = found.source_rows()
            assert (positions[np.isnan(rate[rows])] == -1).all()
            known = positions >= 0
            np.testing.assert_array_equal(
                shuffled["rate"].to_numpy()[positions[known]], rate[rows][known]
            )


def test_align_equals_pandas_merge_asof():
    rng = np.random.default_rng(5)
    frame = five_minutes(hours=30)
    source = instants_frame(rng, n=250).assign(available_at=lambda f: f["ts"])
    found = align(Timeframe.of_instants(source), clock=bars(frame), max_age=6 * MINUTE)
    expected = pd.merge_asof(
        frame, source.drop(columns="ts"), on="available_at", by="symbol", tolerance=6 * MINUTE
    )
    np.testing.assert_array_equal(found.column("rate"), expected["rate"])


def test_align_gap_bars_stay_gaps_and_unknown_symbols_are_absent():
    frame = five_minutes(symbols=("A", "C"))
    gap = hourly(frame)
    gap.loc[(gap["symbol"] == "A") & (gap["ts"].dt.hour == 1), "close"] = np.nan
    gap = gap[gap["symbol"] == "A"].reset_index(drop=True)
    close = align(bars(gap, HOUR), clock=bars(frame), max_age=NEVER_STALE).column("close")
    a, c = (close[frame["symbol"].eq(s)] for s in ("A", "C"))
    assert np.isnan(a[23:35]).all()
    assert a[35] == 135.0
    assert np.isnan(c).all()


def test_align_empty_series_knows_nothing():
    frame = five_minutes()
    empty = bars(hourly(frame).iloc[:0], HOUR)
    assert np.isnan(align(empty, clock=bars(frame), max_age=DAY).column("close")).all()
    assert len(align(bars(frame), clock=empty, max_age=DAY).column("close")) == 0


def test_align_longest_age_does_not_overflow():
    frame = five_minutes()
    close = align(bars(frame), clock=bars(frame), max_age=timedelta.max).column("close")
    np.testing.assert_array_equal(close, frame["close"])


@pytest.mark.parametrize(
    "stranger", [pd.DataFrame({"ts": []}), np.zeros(3), None, {"close": [1.0]}]
)
def test_align_without_bar_length_and_available_at_is_a_type_error(stranger):
    clock = bars(five_minutes())
    with pytest.raises(TypeError, match="does not tell when its rows are known"):
        align(stranger, clock=clock, max_age=DAY)
    with pytest.raises(TypeError, match="clock is a"):
        align(clock, clock=stranger, max_age=DAY)


def test_align_has_no_default_age_and_timeframe_no_default_availability():
    with pytest.raises(TypeError, match="max_age"):
        align(bars(five_minutes()), clock=bars(five_minutes()))
    with pytest.raises(TypeError, match="available_at"):
        Timeframe(HOUR, np.array([], "M8[us]"), codes=np.array([]), symbols=(), values={})
    with pytest.raises(ConfigError, match="must not be negative"):
        align(bars(five_minutes()), clock=bars(five_minutes()), max_age=-DAY)


def test_no_public_function_joins_anything_but_timeframes():
    public = [f for n, f in inspect.getmembers(timeframes, inspect.isfunction) if n[0] != "_"]
    own = [f for f in public if f.__module__ == timeframes.__name__]
    assert [f.__name__ for f in own if inspect.signature(f).parameters] == ["align"]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda f: f.assign(available_at=f["ts"]), LookAheadError, r"row 0 \(A at 2020-02-01T00"),
        (lambda f: f.drop(columns="available_at"), DataError, r"\['available_at'\] are missing"),
        (lambda f: f.iloc[::-1], DataError, "out of order"),
        (lambda f: pd.concat([f, f.tail(1)]), DataError, r"row 6 \(B at"),
        (lambda f: f[f["ts"].dt.hour != 1], DataError, "2:00:00 apart.*put gap rows"),
    ],
)
def test_of_bars_frames_that_hide_their_clock_are_refused(spoil, error, message):
    with pytest.raises(error, match=message):
        bars(spoil(hourly(five_minutes())), HOUR)


def test_of_bars_hours_cannot_pass_as_shorter_or_longer_bars():
    with pytest.raises(DataError, match="1:00:00 apart, so they are not bars of 0:05:00"):
        bars(hourly(five_minutes()), 5 * MINUTE)
    with pytest.raises(LookAheadError, match="before its bar of 2:00:00 ends"):
        bars(hourly(five_minutes()), 2 * HOUR)
    with pytest.raises(ConfigError, match="must be positive"):
        bars(hourly(five_minutes()), timedelta(0))


def test_of_instants_bars_cannot_pass_as_instants():
    frame = hourly(five_minutes()).assign(available_at=lambda f: f["ts"])
    with pytest.raises(LookAheadError, match=r"\['close', 'high', 'low', 'open'\] belong to bars"):
        Timeframe.of_instants(frame)


def test_of_bars_days_of_clock_changes_need_their_shortest_length():
    local = pd.date_range("2024-03-08", periods=4, freq="D", tz="America/New_York")
    frame = pd.DataFrame(
        {
            "ts": timestamps(local[:3].tz_convert("UTC")),
            "available_at": timestamps(local[1:].tz_convert("UTC")),
            "symbol": pd.Series(["A"] * 3, dtype="str"),
            "close": [1.0, 2.0, 3.0],
        }
    )
    with pytest.raises(LookAheadError, match="`shortest` when sessions cut bars"):
        bars(frame, DAY)
    assert bars(frame, DAY, shortest=23 * HOUR).bar_length == DAY


def test_timeframe_columns_must_be_float_arrays_of_its_rows():
    whole = bars(hourly(five_minutes()), HOUR)
    keys = whole.ts, whole.available_at, whole.codes, whole.symbols
    with pytest.raises(DataError, match="'n'"):
        Timeframe(HOUR, *keys, {"n": np.zeros(2)})
    with pytest.raises(DataError, match="available_at"):
        Timeframe(HOUR, whole.ts, whole.available_at[1:], *keys[2:], {})
    with pytest.raises(TypeError):
        whole.values["close"] = np.zeros(6)


def multi():
    frame = five_minutes()
    series = {"5m": bars(frame), "1h": bars(hourly(frame), HOUR)}
    return frame, MultiTimeframe("5m", series, {"1h": 2 * HOUR})


def test_multi_timeframe_current_bar_is_the_latest_known():
    frame, data = multi()
    rows = np.flatnonzero(frame["symbol"].eq("B"))
    assert data.current_bar("1h", row=rows[10]) is None
    bar = data.current_bar("1h", row=rows[11])
    assert (bar.values["close"], bar.values["completeness"]) == (211.0, 1.0)
    assert bar.available_at == data.timeframes["5m"].available_at[rows[11]]
    assert data.current_bar("1h", row=rows[22]).ts == bar.ts
    assert data.current_bar("1h", row=rows[23]).values["open"] == 212.0
    assert data.current_bar("5m", row=rows[10]).values["close"] == 210.0


def test_multi_timeframe_align_to_primary_agrees_with_current_bar():
    frame, data = multi()
    columns = data.align_to_primary("1h")
    for row in range(len(frame)):
        bar = data.current_bar("1h", row=row)
        shown = {name: float(values[row]) for name, values in columns.items()}
        assert np.isnan(shown["close"]) if bar is None else shown == bar.values
    assert data.align_to_primary("5m")["close"].tolist() == frame["close"].tolist()


def test_multi_timeframe_wrong_names_and_rows_are_refused():
    _, data = multi()
    with pytest.raises(ConfigError, match="'1d'; there are"):
        data.align_to_primary("1d")
    with pytest.raises(IndexError, match="row 72 of 72 rows of 5m"):
        data.current_bar("1h", row=72)
    with pytest.raises(ConfigError, match="'1h' is none of"):
        MultiTimeframe("1h", {}, {})
    with pytest.raises(ConfigError, match=r"given for \[\], needed for \['1h'\]"):
        MultiTimeframe("5m", data.timeframes, {})


def test_bars_without_a_length_and_columns_that_are_not_there_are_refused():
    frame = five_minutes()
    with pytest.raises(ConfigError, match="bar_length 0:00:00 of bars must be positive"):
        bars(frame, timedelta(0))
    found = align(bars(frame), clock=bars(frame), max_age=NEVER_STALE)
    with pytest.raises(DataError, match="no column 'rate'; the series has"):
        found.column("rate")
