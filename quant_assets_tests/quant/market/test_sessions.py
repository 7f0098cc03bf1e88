"""Bars of a venue whose exchange's sessions are known: holidays, half days, days of nobody."""

from datetime import timedelta

import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.contracts.quality import Quality
from quant_assets.contracts.sessions import Sessions
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.gap_ledger import gap_ledger_window
from quant_assets.quant.market.grid import outside_sessions
from quant_assets.quant.market.quality import quality_window
from quant_assets_tests.quant.market.event_frames import at
from quant_assets_tests.quant.market.frames import (
    bars_frame,
    ingestion,
    make_market,
    timestamps,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOLIDAY = "2020-02-17"  # Washington's birthday, a Monday


def sessions(times: pd.DatetimeIndex, step: timedelta = DAY) -> pd.DataFrame:
    """Sessions with bars at these times."""
    ts = timestamps(times)
    frame = pd.DataFrame({"ts": ts, "available_at": ts + step, "session": ts.dt.floor("D")})
    return Sessions.check_frame(frame, where="the test's sessions")


def weekdays(first: str, last: str) -> pd.DataFrame:
    """Weekdays without the holiday."""
    days = pd.bdate_range(first, last, tz="UTC")
    return sessions(days[days != pd.Timestamp(HOLIDAY, tz="UTC")])


FEBRUARY = weekdays("2020-02-03", "2020-02-28")


def daily(days: dict[str, list[str]]) -> pd.DataFrame:
    """Bars of symbols on these days, of February where no more is said."""
    dates = {
        name: {at(day if len(day) > 2 else f"2020-02-{day}") for day in own}
        for name, own in days.items()
    }
    everything = sorted(set().union(*dates.values()))
    span = pd.date_range(everything[0], everything[-1], tz="UTC")
    closes = {name: [1.0 if day in own else None for day in span] for name, own in dates.items()}
    return bars_frame(closes, start=everything[0].tz_localize(None))


def cleaned(raw: pd.DataFrame, known: pd.DataFrame | None = FEBRUARY) -> pd.DataFrame:
    frame = clean_bars(ingestion(), NullTelemetry(), raw_bars=raw, sessions=known)
    return Bars.check_frame(frame, where="bars")


def gaps(frame: pd.DataFrame) -> list[tuple[str, int]]:
    missing = frame[frame["is_gap"]]
    return list(zip(missing["symbol"], missing["ts"].dt.day, strict=True))


def ledger(bars: pd.DataFrame, known: pd.DataFrame, *, partial: bool = False) -> list[tuple]:
    frame = gap_ledger_window(
        ingestion(partial=partial),
        NullTelemetry(),
        bars=bars,
        raw_doubts=Doubts.empty(),
        sessions=known,
    )
    GapLedger.check_frame(frame, where="ledger")
    days = (frame[name].dt.strftime("%m-%d") for name in ("begun_at", "ts", "until"))
    return list(
        zip(
            frame["symbol"], *days, frame["bars"], frame["cause"], frame["open_at_end"], strict=True
        )
    )


def test_a_holiday_is_no_gap_and_a_day_that_nobody_delivered_is_one():
    raw = daily({"A": ["13", "14", "18", "20"], "B": ["13", "18", "20"]})
    assert gaps(cleaned(raw)) == [("B", 14), ("A", 19), ("B", 19)]
    assert gaps(cleaned(raw, None)) == [("B", 14)]
    assert gaps(cleaned(raw, Sessions.empty())) == [("B", 14)]


def test_a_bar_on_a_holiday_stays_and_no_other_symbol_misses_it():
    raw = daily({"A": ["13", "14", "17", "18"], "B": ["13", "14", "18"]})
    frame = cleaned(raw)
    assert len(frame) == len(raw)
    assert gaps(frame) == []
    assert gaps(cleaned(raw, None)) == [("B", 17)]
    again = cleaned(frame)
    pd.testing.assert_frame_equal(again, frame)


def test_a_bar_outside_of_the_sessions_is_a_doubt_and_a_gap_row_is_none():
    raw = daily({"A": ["13", "14", "17", "18", "20"], "B": ["13", "14", "18", "20"]})
    doubts = outside_sessions(make_market(), cleaned(raw), FEBRUARY)
    (row,) = Doubts.check_frame(doubts, where="doubts").itertuples()
    assert (row.symbol, row.ts, row.reason) == ("A", at(HOLIDAY), "outside sessions")
    assert row.available_at == at("18")
    assert outside_sessions(make_market(), cleaned(raw), Sessions.empty()).empty
    assert outside_sessions(make_market(calendar="24/7"), cleaned(raw), FEBRUARY).empty


def test_a_source_that_stamps_at_other_times_is_observed_as_before():
    raw = bars_frame({"A": [1.0, 1.0, 1.0]}, start="2020-02-10 14:30")
    assert gaps(cleaned(raw)) == []
    assert outside_sessions(make_market(), raw, FEBRUARY).empty


def test_a_half_day_has_its_own_number_of_bars():
    """Hours from 14:30; the second day closes three hours early, and B stops at its early close."""
    full = pd.date_range("2020-02-10 14:30", periods=7, freq="h", tz="UTC")
    half = pd.date_range("2020-02-11 14:30", periods=4, freq="h", tz="UTC")
    last = pd.date_range("2020-02-12 14:30", periods=7, freq="h", tz="UTC")
    known = sessions(full.append(half).append(last), HOUR)
    ts = full.append(half[:3]).append(last)
    raw = bars_frame({"A": [1.0]}, step=HOUR).iloc[[0] * len(ts)].reset_index(drop=True)
    raw = raw.assign(ts=timestamps(ts), available_at=timestamps(ts + HOUR))
    context = ingestion(bar_length=HOUR, partial=True)
    bars = clean_bars(context, NullTelemetry(), raw_bars=raw, sessions=known)
    assert bars.loc[bars["is_gap"], "ts"].tolist() == [half[3]]
    quality = quality_window(
        context, NullTelemetry(), bars=bars, doubts=Doubts.empty(), sessions=known
    )
    Quality.check_frame(quality, where="quality")
    assert quality["expected"].tolist() == [7, 4, 7]
    assert quality["present"].tolist() == [7, 3, 7]


def test_a_day_of_nobody_at_the_windows_edges_is_a_gap_of_the_whole_venue():
    known = pd.concat([weekdays("2020-01-27", "2020-01-31"), FEBRUARY], ignore_index=True)
    january = ["2020-01-29", "2020-01-30"]
    february = [f"{day:02d}" for day in range(4, 27) if day not in {8, 9, 15, 16, 17, 22, 23}]
    raw = daily({"A": [*january, *february], "B": [*january, *february]})
    expected = [
        ("A", "01-31", "02-03", "02-04", 1, "whole venue", False),
        ("B", "01-31", "02-03", "02-04", 1, "whole venue", False),
        ("A", "02-27", "02-27", "02-29", 2, "whole venue", True),
        ("B", "02-27", "02-27", "02-29", 2, "whole venue", True),
    ]
    assert ledger(raw, known) == expected
    assert ledger(raw, known, partial=True) == expected[:2]
    assert ledger(raw, Sessions.empty()) == []


def test_a_window_of_nobody_is_missing_as_a_whole_and_a_holiday_at_its_start_is_not():
    known = pd.concat([weekdays("2020-01-27", "2020-01-31"), FEBRUARY], ignore_index=True)
    raw = daily({"A": ["2020-01-30", "2020-01-31"]})
    assert ledger(raw, known) == [("A", "02-03", "02-03", "02-29", 19, "unknown", True)]
    assert ledger(raw, known, partial=True) == []
    two = daily({"A": ["2020-01-30", "2020-01-31"], "B": ["2020-01-30", "2020-01-31"]})
    assert [row[4:6] for row in ledger(two, known)] == [(19, "whole venue")] * 2
    assert ledger(two, known, partial=True) == []


@pytest.mark.parametrize(
    ("calendar", "known", "grid"),
    [
        ("24/7", Sessions.empty(), "always open"),
        ("XNYS", FEBRUARY, "sessions"),
        ("XNYS", Sessions.empty(), "observed"),
        ("FX", None, "observed"),
    ],
)
def test_quality_is_stamped_with_how_the_grid_is_known(calendar, known, grid):
    frame = quality_window(
        ingestion(calendar=calendar, partial=True),
        NullTelemetry(),
        bars=daily({"A": ["13", "14"]}),
        doubts=Doubts.empty(),
        sessions=known,
    )
    assert Quality.check_frame(frame, where="quality")["grid"].unique().tolist() == [grid]
