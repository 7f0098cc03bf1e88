"""Exact times, nothing filled, and the steps that no trading explains."""

import numpy as np
import pytest

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.market.open_interest import clean_open_interest, open_interest_steps
from quant_assets_tests.quant.market.event_frames import at, open_interest
from quant_assets_tests.quant.market.frames import ingestion

SERIES = (
    ("03 10:00:07", "A", 100.0),
    ("03 10:00:07", "B", 7.0, "contracts"),
    ("03 10:05:07", "A", 499.0),
    ("03 10:05:07", "B", 0.7),
    ("03 10:10:07", "A", 2495.0),
    ("03 10:10:07", "B", 0.0),
    ("03 10:15:07", "A", 499.0),
    ("03 10:15:07", "B", 5.0),
    ("03 10:20:07", "A", 499.0),
)
FOUND = [
    ("03 10:05:07", "B", "unit changed", 0.1),
    ("03 10:10:07", "A", "jump", 5.0),
    ("03 10:10:07", "B", "reset to zero", 0.0),
    ("03 10:15:07", "A", "jump", 0.2),
]


def test_open_interest_steps_are_flagged_with_the_ratio():
    flags = Doubts.check_frame(open_interest_steps(open_interest(*SERIES)), where="flags")
    rows = zip(flags["ts"], flags["symbol"], flags["reason"], flags["value"], strict=True)
    expected = [(at(ts), symbol, reason, pytest.approx(v)) for ts, symbol, reason, v in FOUND]
    assert list(rows) == expected
    assert set(flags["dataset"]) == {"open_interest"}
    assert set(flags["outcome"]) == {"flagged"}
    assert (flags["available_at"] == flags["ts"]).all()


def test_open_interest_steps_see_no_later_row():
    series = open_interest(*SERIES)
    whole = open_interest_steps(series)
    for moment in series["ts"].unique():
        known = series[series["ts"] <= moment].reset_index(drop=True)
        expected = whole[whole["ts"] <= moment].reset_index(drop=True)
        assert open_interest_steps(known).equals(expected)


def test_clean_open_interest_keeps_rows_and_counts_steps():
    raw = open_interest(*SERIES)
    telemetry = RecordingTelemetry()
    assert clean_open_interest(ingestion(), telemetry, raw_open_interest=raw) is raw
    (row,) = telemetry.rows
    assert {k: v for k, v in row.items() if isinstance(v, float)} == {
        "snapshots": 9.0, "repeated": 0.0, "unit changed": 1.0, "reset to zero": 1.0, "jump": 2.0,
    }  # fmt: skip


def test_clean_open_interest_without_rows_is_the_empty_frame():
    telemetry = RecordingTelemetry()
    frame = clean_open_interest(ingestion(), telemetry, raw_open_interest=OpenInterest.empty())
    assert OpenInterest.check_frame(frame, where="empty").empty
    assert telemetry.rows[0]["snapshots"] == 0.0


def test_open_interest_steps_growth_below_five_times_is_trading():
    flags = open_interest_steps(
        open_interest(("03", "A", 100.0), ("04", "A", np.nextafter(500, 0)))
    )
    assert Doubts.check_frame(flags, where="flags").empty
