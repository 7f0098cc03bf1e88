"""Runs of missing bars, by hand: where, how many, why."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.gap_ledger import gap_ledger_window
from quant_assets_tests.quant.market.event_frames import at, doubts
from quant_assets_tests.quant.market.frames import bars_frame, ingestion, window

HOUR = timedelta(hours=1)
CLOSES = {
    "A": [1.0, None, None, 1.0, None, 1.0, None, 1.0],
    "B": [1.0, 1.0, None, 1.0, None, 1.0, 1.0, None],
    "C": [None, None, None, None, None, None, 1.0, 1.0],
}


def ledger(closes=None, *, about: pd.DataFrame | None = None, telemetry=None) -> pd.DataFrame:
    context = ingestion(calendar="24/7", bar_length=HOUR, partial=True)
    bars = clean_bars(context, NullTelemetry(), raw_bars=bars_frame(closes or CLOSES, step=HOUR))
    raw_doubts = Doubts.empty() if about is None else about
    frame = gap_ledger_window(
        context, telemetry or NullTelemetry(), bars=bars, raw_doubts=raw_doubts
    )
    return GapLedger.check_frame(frame, where="ledger")


def rows(frame: pd.DataFrame) -> list[tuple]:
    hours = zip(frame["ts"].dt.hour, frame["until"].dt.hour, strict=True)
    return [
        (s, *h, n, c)
        for s, h, n, c in zip(frame["symbol"], hours, frame["bars"], frame["cause"], strict=True)
    ]


def test_gap_ledger_has_one_row_per_run_with_its_length_and_cause():
    telemetry = RecordingTelemetry()
    frame = ledger(telemetry=telemetry)
    assert rows(frame) == [
        ("A", 1, 3, 2, "unknown"),
        ("B", 2, 3, 1, "whole venue"),
        ("A", 4, 5, 1, "whole venue"),
        ("B", 4, 5, 1, "whole venue"),
        ("A", 6, 7, 1, "unknown"),
        ("B", 7, 8, 1, "unknown"),
    ]
    assert frame["open_at_end"].tolist() == [False] * 5 + [True]
    assert (frame["begun_at"] == frame["ts"]).all()
    assert telemetry.rows[0]["runs"] == 6.0
    assert telemetry.rows[0]["bars"] == 7.0


def test_gap_ledger_run_is_known_when_the_bar_after_it_is():
    frame = ledger()
    closed = frame[~frame["open_at_end"]]
    assert (closed["available_at"] == closed["until"] + HOUR).all()


def test_gap_ledger_quarantined_bar_in_the_run_is_its_cause():
    about = doubts(
        ("01 01:30", "A", "flagged", "odd"),
        ("01 02:00", "B", "quarantined", "high < low"),
        ("01 03:00", "A", "quarantined", "in no run: 03:00 is there"),
        ("01 06:59", "A", "quarantined", "off the grid"),
        ("01 06:59", "Z", "quarantined", "another symbol"),
    )
    causes = {(r[0], r[1]): r[4] for r in rows(ledger(about=about))}
    assert causes == {
        ("A", 1): "unknown",
        ("B", 2): "quarantined",
        ("A", 4): "whole venue",
        ("B", 4): "whole venue",
        ("A", 6): "quarantined",
        ("B", 7): "unknown",
    }


def test_gap_ledger_quarantined_rows_of_another_dataset_are_no_cause():
    about = doubts(("01 02:00", "B", "quarantined", "rate"), dataset="funding")
    assert rows(ledger(about=about)) == rows(ledger())


def test_gap_ledger_of_one_symbol_alone_blames_no_venue():
    assert rows(ledger({"A": [1.0, None, 1.0]})) == [("A", 1, 2, 1, "unknown")]


def test_gap_ledger_without_gaps_is_empty():
    assert ledger({"A": [1.0, 1.0]}).empty


def test_gap_ledger_run_without_a_bar_after_it_is_open_and_ends_with_its_last_missing_bar():
    bars = bars_frame({"A": [1.0, float("nan"), float("nan")]})
    frame = gap_ledger_window(ingestion(), NullTelemetry(), bars=bars, raw_doubts=Doubts.empty())
    (row,) = GapLedger.check_frame(frame, where="ledger").itertuples()
    assert (row.bars, row.until, row.open_at_end) == (2, at("04"), True)
    assert row.available_at == at("04")


def across(closes: dict, *, calendar: str = "24/7", partial: bool = False) -> pd.DataFrame:
    """Ledger of February out of daily bars from 30 January on."""
    context = ingestion(calendar=calendar, partial=partial)
    bars = bars_frame(closes, start="2020-01-30")
    frame = gap_ledger_window(context, NullTelemetry(), bars=bars, raw_doubts=Doubts.empty())
    return GapLedger.check_frame(frame, where="ledger")


def edges(frame: pd.DataFrame) -> list[tuple]:
    days = (frame[name].dt.strftime("%m-%d") for name in ("begun_at", "ts", "until"))
    return list(zip(frame["symbol"], *days, frame["bars"], frame["open_at_end"], strict=True))


def test_gap_ledger_goes_on_across_the_windows_edge():
    """A is silent from 31 January to 2 February, B from the start of February, C is new."""
    closes = {"A": [1.0, None, None, None] + [1.0] * 27, "B": [1.0, 1.0, None, *[1.0] * 28]}
    frame = across(closes | {"C": [None] * 5 + [1.0] * 26})
    assert edges(frame) == [
        ("A", "01-31", "02-01", "02-03", 2, False),
        ("B", "02-01", "02-01", "02-02", 1, False),
    ]
    assert frame["cause"].tolist() == ["unknown", "whole venue"]
    assert frame["available_at"].tolist() == [at("04"), at("03")]


def test_gap_ledger_symbol_that_falls_silent_is_open_to_the_windows_end():
    closes = {"A": [1.0] * 31, "B": [1.0] * 5}
    assert edges(across(closes)) == [("B", "02-04", "02-04", "03-01", 26, True)]


def test_gap_ledger_symbol_that_is_silent_in_the_whole_window_misses_all_of_it():
    closes = {"A": [1.0] * 31, "B": [1.0]}
    assert edges(across(closes)) == [("B", "01-31", "02-01", "03-01", 29, True)]
    only = {"A": [1.0, 1.0]}
    assert edges(across(only)) == [("A", "02-01", "02-01", "03-01", 29, True)]


def test_gap_ledger_of_unfinished_data_ends_with_the_newest_bar_of_the_venue():
    closes = {"A": [1.0] * 6, "B": [1.0] * 3}
    assert edges(across(closes, partial=True)) == [("B", "02-02", "02-02", "02-05", 3, True)]
    assert across({"A": [1.0, 1.0], "B": [1.0, 1.0]}, partial=True).empty
    assert across({"A": [1.0, 1.0], "B": [1.0, 1.0]}, calendar="XNYS").empty


def test_gap_ledger_on_an_observed_grid_knows_the_days_that_somebody_has():
    """1 and 2 February are a weekend: A, silent on Friday, misses Friday and Monday."""
    weekend = [1.0, 1.0, None, None, 1.0, 1.0]
    frame = across({"A": [1.0, None, None, None, None, 1.0], "B": weekend}, calendar="XNYS")
    assert edges(frame) == [("A", "01-31", "02-03", "02-04", 1, False)]


def test_gap_ledger_symbol_gone_for_a_whole_window_is_new_when_it_comes_back():
    bars = bars_frame({"A": [1.0] * 31, "B": [None] * 10 + [1.0] * 21}, start="2020-01-30")
    frame = gap_ledger_window(
        ingestion(calendar="24/7"), NullTelemetry(), bars=bars, raw_doubts=Doubts.empty()
    )
    assert frame.empty


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_gap_ledger_what_was_known_earlier_does_not_change(seed):
    """Runs that were closed at any instant are the same rows when the window is complete."""
    generator = np.random.default_rng(seed)
    absent = generator.random((4, 60)) < 0.5
    closes = {
        name: [None if gone else 1.0 for gone in row]
        for name, row in zip("ABCD", absent, strict=True)
    }
    bars = bars_frame(closes, start="2020-01-30 12:00", step=HOUR * 2)
    full = _ledger_of(bars, partial=False)
    for cut in ("02-01 06:00", "02-02 00:00", "02-03 09:00"):
        moment = pd.Timestamp(f"2020-{cut}", tz="UTC")
        known = bars[bars["available_at"] <= moment].reset_index(drop=True)
        early = _ledger_of(known, partial=True)
        then = full[~full["open_at_end"] & (full["available_at"] <= moment)]
        closed = early[~early["open_at_end"]]
        pd.testing.assert_frame_equal(then.reset_index(drop=True), closed.reset_index(drop=True))


def _ledger_of(bars: pd.DataFrame, *, partial: bool) -> pd.DataFrame:
    """Ledger of February; what lies before stands as the window before it left it."""
    how = {"calendar": "24/7", "bar_length": 2 * HOUR}
    parts = [
        clean_bars(ingestion(key, **how), NullTelemetry(), raw_bars=bars)
        for key in ("2020-01-01", "2020-02-01")
    ]
    context = ingestion(partial=partial, **how)
    both = pd.concat(parts, ignore_index=True)
    return gap_ledger_window(context, NullTelemetry(), bars=both, raw_doubts=Doubts.empty())


def test_gap_ledger_counts_what_walking_bar_by_bar_counts():
    """Every missing bar once: a loop over the grid is the oracle, through three windows."""
    generator = np.random.default_rng(9)
    days = pd.date_range("2020-01-20", "2020-03-20", tz="UTC")
    there = generator.random((3, len(days))) < 0.6
    there[2, 15:] = False  # silent from 4 February on
    closes = {n: [1.0 if t else None for t in row] for n, row in zip("ABC", there, strict=True)}
    bars = bars_frame(closes, start="2020-01-20")
    found = {}
    for key, before in (("2020-02-01", "2020-01-01"), ("2020-03-01", "2020-02-01")):
        start, end = window(key).start, window(key).end
        seen = bars[(bars["ts"] >= pd.Timestamp(before, tz="UTC")) & (bars["ts"] < end)]
        partial = key == "2020-03-01"
        frame = gap_ledger_window(
            ingestion(key, calendar="24/7", partial=partial),
            NullTelemetry(),
            bars=seen.reset_index(drop=True),
            raw_doubts=Doubts.empty(),
        )
        last = seen["ts"].max()
        for name in "ABC":
            own = set(seen.loc[seen["symbol"] == name, "ts"])
            stop = last if partial else pd.Timestamp(end) - pd.Timedelta(days=1)
            grid = [d for d in days if start <= d <= stop and own and d > min(own)]
            found[key, name] = (
                int(frame.loc[frame["symbol"] == name, "bars"].sum()),
                sum(day not in own for day in grid),
            )
    assert all(mine == theirs for mine, theirs in found.values()), found
    assert found["2020-03-01", "C"][0] > 0
