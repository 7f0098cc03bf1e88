"""Longer bars of a panel against pandas, by hand, and by recomputing every shorter history."""

from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.core.venues import FX_SESSIONS, Market
from quant_assets.quant.leaks.functions import check_function
from quant_assets.quant.market import longer_bars as longer
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
from quant_assets.quant.market.sessions import Sessions, sessions_of
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


def with_extras(bars, *, known=0.4, seed=5):
    """Funding on some rows, open interest on others, a spread on all."""
    rng = np.random.default_rng(seed)
    shape = bars.close.shape
    extras = {
        "funding_rate": np.where(rng.random(shape) < known / 8, rng.normal(0, 1e-4, shape), np.nan),
        "open_interest": np.where(rng.random(shape) < known, rng.lognormal(5, 1, shape), np.nan),
        "spread": rng.uniform(1e-4, 1e-3, shape),
        "mood": rng.normal(size=shape),
    }
    return replace(bars, extras=extras)


def test_extras_of_longer_bars_by_hand():
    bars = panel(24)
    rate, interest = np.full((24, 2), np.nan), np.full((24, 2), np.nan)
    rate[[3, 11, 12], 0] = 0.1, 0.2, 0.7
    interest[[0, 5, 13], 0] = 4.0, 5.0, 6.0
    bars = replace(bars, extras={"funding_rate": rate, "open_interest": interest})
    longer = longer_bars(bars, "1h")
    np.testing.assert_allclose(longer.bars["funding_rate"], [[0.3, np.nan], [0.7, np.nan]])
    np.testing.assert_array_equal(longer.bars["open_interest"], [[5.0, np.nan], [6.0, np.nan]])
    shown = longer.on_primary(longer.bars["funding_rate"])[:, 0]
    np.testing.assert_allclose(shown[10:24], [np.nan, *[0.3] * 12, 0.7])
    names = (*FIELDS, "funding_rate", "open_interest", "ts", "available_at")
    columns = timeframe_columns(bars, "1h")
    assert columns.keys() == {f"1h.{name}" for name in names}
    *_, window = replay(bars, columns)
    assert current_bar(window, "1h")["open_interest"][0] == 6.0


AS_OF = """
    with own as (
        select *, time_bucket(to_minutes($minutes), ts) as bar from rows),
    counted as (
        select *, count(*) over (partition by symbol, bar) as n from own),
    longer as (
        select symbol, bar, sum(funding_rate) as funding_rate,
            last(open_interest order by ts) filter (open_interest is not null) as open_interest,
            avg(spread) as spread, max(available_at) as known, any_value(n) as n
        from counted group by symbol, bar),
    told as (
        select * replace (
            case when n = $minutes // 5 then known else bar + to_minutes($minutes) end as known)
        from longer where bar >= (select min(ts) from rows))
    select r.ts, r.symbol, t.funding_rate, t.open_interest, t.spread
    from rows r asof left join told t on r.symbol = t.symbol and r.available_at >= t.known
    order by r.ts, r.symbol
"""


@pytest.mark.slow
@pytest.mark.parametrize(("timeframe", "minutes"), [("1h", 60), ("4h", 240), ("1d", 1440)])
def test_extras_are_those_of_a_query_over_what_was_known(timeframe, minutes):
    """DuckDB joins each bar with the latest longer one whose rows were all known by then."""
    bars = with_extras(panel(700, absent=0.05))
    found = longer_bars(bars, timeframe).columns()
    rows = bars.frame()[["ts", "available_at", "symbol", "funding_rate", "open_interest", "spread"]]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("rows", pa.Table.from_pandas(rows, preserve_index=False))
        expected = connection.execute(AS_OF, {"minutes": minutes}).fetchnumpy()
    for name in ("funding_rate", "open_interest", "spread"):
        table = np.ma.filled(expected[name], np.nan).reshape(-1, len(bars.symbols))
        np.testing.assert_allclose(found[name], table, rtol=1e-12)
        assert np.isfinite(found[name]).any()
    assert "mood" not in found


def test_further_extras_are_made_longer_as_it_is_said():
    bars = with_extras(panel(48))
    longer = longer_bars(bars, "1h", extras={"mood": "mean"}).bars
    np.testing.assert_allclose(longer["mood"], bars["mood"].reshape(4, 12, 2).mean(axis=1))
    assert list(longer.extras) == ["mood"]
    with pytest.raises(ConfigError, match="'mood' is made longer by 'median'; known: sum, mean"):
        longer_bars(bars, "1h", extras={"mood": "median"})
    with pytest.raises(DataError, match="'nothing'"):
        longer_bars(bars, "1h", extras={"nothing": "sum"})


@pytest.mark.slow
def test_extras_of_longer_bars_look_at_no_later_row():
    bars = with_extras(panel(300, holes=0.05, absent=0.05))
    report = check_function(lambda b: longer_bars(b, "1h").columns(), bars)
    assert report.trusted, str(report)
    assert not report.failed


NEW_YORK = Sessions("America/New_York")


def test_days_of_an_exchange_are_its_own():
    """Hours from 20:00 to 02:00 UTC: one evening in New York, two days in Greenwich."""
    start = np.datetime64("2024-03-04T05:00", "us")  # midnight in New York
    bars = panel(72, 60, start=start)
    own = longer_bars(bars.with_sessions(NEW_YORK), "1d").bars
    assert own.ts.tolist() == [start.item() + timedelta(days=d) for d in range(3)]
    np.testing.assert_array_equal(own.close, bars.close[23::24])
    assert own.sessions == NEW_YORK
    utc = longer_bars(bars, "1d").bars
    np.testing.assert_array_equal(utc.close, bars.close[[42, 66]])  # ends at 00:00 UTC
    fours = longer_bars(bars.with_sessions(NEW_YORK), "4h").bars
    assert fours.ts[0] == start
    np.testing.assert_array_equal(fours.close, bars.close[3::4])


def test_day_of_a_changed_clock_has_one_hour_less():
    start = np.datetime64("2024-03-09T05:00", "us")  # clocks go forward on the next day
    bars = panel(60, 60, start=start).with_sessions(NEW_YORK)
    longer = longer_bars(bars, "1d")
    assert np.diff(longer.bars.ts).tolist() == [timedelta(hours=24)]
    np.testing.assert_array_equal(longer.bars.close, bars.close[[23, 46]])
    assert np.flatnonzero(np.diff(longer.rows)).tolist() == [22, 45]


def test_session_of_seven_hours_is_over_when_the_next_one_begins():
    """Seven hours a day: the eighth could still come, unless it is said that there are seven."""
    hours = [np.datetime64(f"2024-03-0{d}T14:30", "us") + np.timedelta64(h, "h")
             for d in (4, 5, 6) for h in range(7)]  # fmt: skip
    close = 100.0 + np.arange(21.0)
    bars = BarPanel.from_arrays(np.array(hours), ["A"], HOUR, close=close).with_sessions(NEW_YORK)
    whole = BarLength(timedelta(days=1), HOUR, time_zone="America/New_York", rows_per_bar=7)
    early = BarLength(timedelta(days=1), HOUR, time_zone="America/New_York")
    first_day = bars.rows(slice(0, 7))
    assert longer_bars(bars, "1d").rows.tolist() == longer_bars(bars, early).rows.tolist()
    assert len(longer_bars(first_day, "1d").bars) == 0  # it began before the data did
    told = longer_bars(bars, whole)
    assert told.rows.tolist() == [-1] * 13 + [0] * 7 + [1]
    assert longer_bars(bars, "1d").rows.tolist() == [-1] * 14 + [0] * 7


def test_dates_of_daily_bars_make_weeks_wherever_the_exchange_is():
    bars = panel(21, 1440).with_sessions(NEW_YORK)  # stamped with their dates at midnight UTC
    weeks = longer_bars(bars, "7d").bars
    np.testing.assert_array_equal(weeks.close, bars.close[6::7])


def test_sessions_of_a_venue():
    def of(**market):
        return sessions_of(Market.model_construct(**market))

    assert of(calendar="XNYS", time_zone="America/New_York") == NEW_YORK
    assert of(calendar="24/7", time_zone="UTC") == Sessions()
    assert of(calendar=FX_SESSIONS, time_zone="UTC") == Sessions(
        "America/New_York", timedelta(hours=-7)
    )


def test_no_bars_have_no_sums_and_no_means():
    nothing = np.empty((0, 2)), np.empty(0, dtype=np.int64)
    assert longer._summed(*nothing).shape == (0, 2)
    assert longer._averaged(*nothing).shape == (0, 2)
