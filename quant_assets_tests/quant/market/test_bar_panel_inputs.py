"""Bars as arrays: every type of number is read, and what no market has is refused by name."""

import pickle
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.sessions import UTC_DAYS, Sessions

DAY = timedelta(days=1)
TS = np.datetime64("2024-01-01", "us") + np.arange(4) * np.timedelta64(1, "D")


def long_frame() -> pd.DataFrame:
    rows = pd.MultiIndex.from_product([pd.DatetimeIndex(TS, tz="UTC"), ["AAA", "BBB"]])
    frame = pd.DataFrame({"ts": rows.get_level_values(0), "symbol": rows.get_level_values(1)})
    numbers = np.arange(8.0)
    return frame.assign(
        open=100.0 + numbers,
        high=110.0 + numbers,
        low=90.0 + numbers,
        close=101.0 + numbers,
        volume=1000.0 + numbers,
    )


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint16", "float32", "Float64", "Int64"])
def test_from_frame_reads_every_type_of_number(dtype: str) -> None:
    frame = long_frame()
    names = ["open", "high", "low", "close", "volume"]
    read = BarPanel.from_frame(frame.astype(dict.fromkeys(names, dtype)), bar_length=DAY)
    for name in names:
        np.testing.assert_array_equal(read[name].ravel(), frame[name])


def test_from_frame_reads_missing_whole_numbers_as_unknown() -> None:
    frame = long_frame().astype({"volume": "Int64"})
    frame.loc[3, "volume"] = pd.NA
    volume = BarPanel.from_frame(frame, bar_length=DAY).volume.ravel()
    assert np.flatnonzero(np.isnan(volume)).tolist() == [3]


def test_from_frame_keeps_single_precision_extras() -> None:
    frame = long_frame().assign(spread=np.float32(0.5))
    assert (BarPanel.from_frame(frame, bar_length=DAY)["spread"] == 0.5).all()


def test_from_frame_takes_times_of_any_zone_and_none_as_utc() -> None:
    frame = long_frame()
    for other in (
        frame["ts"].dt.tz_localize(None),
        frame["ts"].dt.tz_convert("America/New_York"),
        frame["ts"].astype(str),
    ):
        read = BarPanel.from_frame(frame.assign(ts=other), bar_length=DAY)
        np.testing.assert_array_equal(read.ts, TS)


WRONG_FRAMES = {
    "lack close": lambda f: f.drop(columns="close"),
    "lack symbol": lambda f: f.drop(columns="symbol"),
    "lack ts": lambda f: f.drop(columns="ts"),
    "close is .*pd.to_numeric": lambda f: f.assign(close=f["close"].astype(str)),
    "ts is int64.*unit=": lambda f: f.assign(ts=np.arange(8)),
    "ts is no column of times": lambda f: f.assign(ts="soon"),
    "row 3 has no ts": lambda f: f.assign(ts=f["ts"].where(f.index != 3)),
    "row 3 has no symbol": lambda f: f.assign(symbol=f["symbol"].where(f.index != 3)),
    "row 8 repeats ts and symbol": lambda f: pd.concat([f, f.iloc[2:3]], ignore_index=True),
    "close of BBB at 2024-01-02.* is inf; prices must be finite": lambda f: f.assign(
        close=f["close"].where(f.index != 3, np.inf)
    ),
    "open of BBB at 2024-01-02.* is -1.0; prices must be above 0": lambda f: f.assign(
        open=f["open"].where(f.index != 3, -1.0)
    ),
    "volume of BBB at 2024-01-02.* is -5.0; a volume must be finite and at least 0": lambda f: (
        f.assign(volume=f["volume"].where(f.index != 3, -5.0))
    ),
    "volume of BBB at 2024-01-02.* is inf; a volume must be finite": lambda f: f.assign(
        volume=f["volume"].where(f.index != 3, np.inf)
    ),
    "low of BBB at 2024-01-02.* is 500.0; it is above the high": lambda f: f.assign(
        low=f["low"].where(f.index != 3, 500.0)
    ),
}


@pytest.mark.parametrize("told", WRONG_FRAMES)
def test_from_frame_refuses_by_name(told: str) -> None:
    with pytest.raises(DataError, match=told):
        BarPanel.from_frame(WRONG_FRAMES[told](long_frame()), bar_length=DAY)


def test_from_arrays_refuses_symbols_and_times_by_name() -> None:
    close = np.full((4, 2), 100.0)
    for symbols, told in (
        (("AAA", "AAA"), r"symbols \['AAA'\] repeat"),
        ((1, 2), "symbol 1 is a int"),
        ("AB", r"give a list, as in \['AB'\]"),
    ):
        with pytest.raises(DataError, match=told):
            BarPanel.from_arrays(TS, symbols, DAY, close=close)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="ts are numbers"):
        BarPanel.from_arrays(np.arange(4), ("AAA", "BBB"), DAY, close=close)
    half = close.astype(np.float32)
    with pytest.raises(DataError, match=r"close is float32 \(4, 2\); it must be \(4, 2\)"):
        replace(BarPanel.from_arrays(TS, ("A", "B"), DAY, close=close), close=half)
    with pytest.raises(DataError, match="of one length"):
        replace(BarPanel.from_arrays(TS, ("A", "B"), DAY, close=close), available_at=TS[:3])
    missing = TS.copy()
    missing[2] = np.datetime64("NaT")
    with pytest.raises(DataError, match="row 2 has no time"):
        BarPanel.from_arrays(missing, ("AAA", "BBB"), DAY, close=close)


def test_bars_that_overlap_by_half_are_refused() -> None:
    hours = np.datetime64("2024-01-01", "us") + np.arange(4) * np.timedelta64(1, "h")
    with pytest.raises(
        DataError, match="bars of 1 day, 0:00:00 overlap: row 1 opens 2024-01-01T01"
    ):
        BarPanel.from_arrays(hours, ("AAA",), DAY, close=np.full(4, 100.0))


def test_a_day_of_23_hours_overlaps_nothing() -> None:
    spring = pd.date_range("2024-03-08", periods=4, tz="America/New_York").tz_convert("UTC")
    local = spring.tz_localize(None).to_numpy()
    assert len(BarPanel.from_arrays(local, ("AAA",), DAY, close=np.full(4, 100.0))) == 4


def test_prices_of_a_panel_are_read_only_and_those_of_the_caller_are_not() -> None:
    close, rate = np.full((4, 1), 100.0), np.zeros((4, 1))
    whole = BarPanel.from_arrays(TS, ("AAA",), DAY, close=close, extras={"rate": rate})
    sent = pickle.loads(pickle.dumps(whole))  # noqa: S301  # our own
    for bars in (whole, replace(whole), whole.rows(slice(0, 4)), sent):
        for name in bars.columns():
            with pytest.raises(ValueError, match="read-only"):
                bars[name][0] = 1.0
    assert whole.open is whole.close
    close[0] = rate[0] = 101.0  # theirs is written to, and the panel stays what it was
    assert (whole.close[0, 0], whole["rate"][0, 0]) == (100.0, 0.0)


@pytest.mark.parametrize(
    "changes", [{"symbols": ("A", "B")}, {"close": np.ones(3)}, {"close": np.ones((4, 2))}]
)
def test_labels_of_another_length_are_refused_at_once_with_both_lengths(changes) -> None:
    given = {"symbols": ("A",), "close": np.ones(4)} | changes
    with pytest.raises(DataError, match=r"as there are 4 times in ts and \d symbols"):
        BarPanel.from_arrays(TS, bar_length=DAY, **given)


def test_frames_of_other_libraries_come_by_way_of_arrow() -> None:
    frame = long_frame()
    read = BarPanel.from_frame(pa.Table.from_pandas(frame), bar_length=DAY)
    own = BarPanel.from_frame(frame, bar_length=DAY)
    assert read.symbols == own.symbols
    for name, values in own.columns().items():
        np.testing.assert_array_equal(read[name], values)
    with pytest.raises(DataError, match="bars are a list; give a BarPanel or a frame"):
        BarPanel.from_frame([1, 2], bar_length=DAY)


def test_frames_of_polars_give_the_same_panel() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = long_frame()
    read = BarPanel.from_frame(polars.from_arrow(pa.Table.from_pandas(frame)), bar_length=DAY)
    np.testing.assert_array_equal(read.close, BarPanel.from_frame(frame, bar_length=DAY).close)


def test_a_panel_without_rows_or_symbols_is_made() -> None:
    whole = BarPanel.from_arrays(TS, ("AAA",), DAY, close=np.full(4, 100.0))
    assert len(whole.rows(slice(0, 0))) == 0
    assert whole.select([]).symbols == ()


def test_from_arrays_reads_available_at_of_any_zone() -> None:
    known = pd.DatetimeIndex(TS, tz="UTC") + pd.Timedelta(days=1)
    bars = BarPanel.from_arrays(
        TS,
        ("AAA",),
        DAY,
        close=np.full(4, 100.0),
        available_at=known.tz_convert("Asia/Tokyo"),  # type: ignore[arg-type]
    )
    np.testing.assert_array_equal(bars.available_at, TS + np.timedelta64(1, "D"))


def test_from_arrays_refuses_extras_and_lengths_by_name() -> None:
    close = np.full(4, 100.0)
    with pytest.raises(DataError, match=r"extras are named \['close'\]"):
        BarPanel.from_arrays(TS, ("AAA",), DAY, close=close, extras={"close": 2.0 * close})
    with pytest.raises(DataError, match="bar_length is '1d'; give a timedelta"):
        BarPanel.from_arrays(TS, ("AAA",), "1d", close=close)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="bar_length is 0:00:00; it must be above 0"):
        BarPanel.from_arrays(TS, ("AAA",), timedelta(0), close=close)


def test_days_of_an_exchange_go_with_bars_that_are_cut_or_chosen() -> None:
    tokyo = Sessions("Asia/Tokyo", timedelta(hours=9))
    bars = BarPanel.from_arrays(TS, ("A", "B"), DAY, close=np.full((4, 2), 100.0))
    assert bars.sessions == UTC_DAYS
    for found in (
        bars.with_sessions(tokyo).rows(slice(1, 3)),
        bars.with_sessions(tokyo).select("B"),
    ):
        assert found.sessions == tokyo
