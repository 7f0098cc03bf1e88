"""Runs of missing bars, by hand: where, how many, why."""

from datetime import timedelta

import pandas as pd

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
    context = ingestion(calendar="24/7", bar_length=HOUR)
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
    ]
    assert telemetry.rows[0]["runs"] == 5.0
    assert telemetry.rows[0]["bars"] == 6.0


def test_gap_ledger_run_is_known_when_the_bar_after_it_is():
    frame = ledger()
    assert (frame["available_at"] == frame["until"] + HOUR).all()


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
    }


def test_gap_ledger_quarantined_rows_of_another_dataset_are_no_cause():
    about = doubts(("01 02:00", "B", "quarantined", "rate"), dataset="funding")
    assert rows(ledger(about=about)) == rows(ledger())


def test_gap_ledger_of_one_symbol_alone_blames_no_venue():
    assert rows(ledger({"A": [1.0, None, 1.0]})) == [("A", 1, 2, 1, "unknown")]


def test_gap_ledger_without_gaps_is_empty():
    assert ledger({"A": [1.0, 1.0]}).empty


def test_gap_ledger_run_without_a_bar_after_it_lasts_to_the_end_of_the_window():
    bars = bars_frame({"A": [1.0, float("nan"), float("nan")]}, step=HOUR)
    frame = gap_ledger_window(ingestion(), NullTelemetry(), bars=bars, raw_doubts=Doubts.empty())
    (row,) = frame.itertuples()
    assert (row.bars, row.until) == (2, pd.Timestamp(window().end))
    assert row.available_at == at("01 03:00")
