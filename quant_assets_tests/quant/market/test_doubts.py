"""All doubts of a window: of the deliveries, and flags on the stored series."""

from datetime import timedelta

import pandas as pd

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.contracts.order_book import OrderBook
from quant_assets.contracts.sessions import Sessions
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.doubts import doubts_window
from quant_assets_tests.quant.market.event_frames import (
    adjustments,
    doubts,
    open_interest,
    order_book,
)
from quant_assets_tests.quant.market.frames import bars_frame, ingestion
from quant_assets_tests.quant.market.test_alignment import bars_of, venue

NOTHING = {
    "bars": Bars.empty(),
    "adjustments": Adjustments.empty(),
    "open_interest": OpenInterest.empty(),
    "order_book": OrderBook.empty(),
    "sessions": Sessions.empty(),
}


def unite(raw=None, telemetry=None, price_adjustment="none", **series):
    frame = doubts_window(
        ingestion(price_adjustment=price_adjustment),
        telemetry or NullTelemetry(),
        raw_doubts=Doubts.empty() if raw is None else raw,
        **(NOTHING | series),
    )
    return Doubts.check_frame(frame, where="doubts")


def test_doubts_window_unites_deliveries_and_flags_in_order():
    raw = doubts(("03", "A", "quarantined", "high < low"), ("05", "A", "repaired", "duplicate"))
    telemetry = RecordingTelemetry()
    frame = unite(
        raw,
        telemetry,
        open_interest=open_interest(("03", "A", 1.0), ("04", "A", 9.0)),
        order_book=order_book(("03", "A", 0, 2.0, 1.0)),
    )
    assert list(zip(frame["ts"].dt.day, frame["dataset"], frame["reason"], strict=True)) == [
        (3, "bars", "high < low"),
        (3, "order_book", "crossed book"),
        (4, "open_interest", "jump"),
        (5, "bars", "duplicate"),
    ]
    assert telemetry.rows == [
        {
            "kind": "metrics", "scope": "doubts", "flagged": 2.0, "quarantined": 1.0,
            "repaired": 1.0,
        }
    ]  # fmt: skip


def test_doubts_window_compares_with_the_window_before_and_flags_only_its_own():
    series = open_interest(
        ("2020-01-30", "A", 1.0), ("2020-01-31", "A", 9.0), ("2020-02-01", "A", 1.0)
    )
    frame = unite(open_interest=series)
    assert frame["ts"].dt.day.tolist() == [1]
    assert frame["value"].tolist() == [1.0 / 9.0]


def test_doubts_window_without_any_doubt_is_empty():
    assert unite().empty


def test_doubts_window_flags_bars_by_the_window_before_and_knows_of_splits():
    """A halving on the first bar of the window, against the last bar of the window before."""
    bars = bars_frame({"A": [100.0, 102.0, 51.0, 51.5]}, start="2020-01-30")
    split = adjustments(("2020-02-01", "2020-02-01", "A", "split", 0.5))
    assert unite(bars=bars)["reason"].tolist() == ["ratio jump"]
    assert unite(bars=bars, adjustments=split).empty
    prices_have_it = unite(bars=bars, adjustments=split, price_adjustment="splits")
    assert prices_have_it["reason"].tolist() == ["ratio jump"]


def test_doubts_window_flags_a_symbol_that_lies_one_bar_late():
    """Six symbols over January and February; in February one is judged, once, at its last bar."""
    moved = bars_of(venue(n_rows=60), {"S2": 1}, timedelta(days=1))
    shift = pd.Timestamp("2020-01-01", tz="UTC") - moved["ts"].iloc[0]
    moved = moved.assign(ts=moved["ts"] + shift, available_at=moved["available_at"] + shift)
    assert unite(bars=moved).empty  # 59 returns are too few
    longer = bars_of(venue(n_rows=150), {"S2": 1}, timedelta(days=1))
    shift = pd.Timestamp("2019-10-03", tz="UTC") - longer["ts"].iloc[0]
    longer = longer.assign(ts=longer["ts"] + shift, available_at=longer["available_at"] + shift)
    (row,) = unite(bars=longer[longer["ts"] < "2020-03-01"]).itertuples()
    assert (row.symbol, row.reason, row.value) == ("S2", "stamped at the close", 86400.0)
    assert row.ts == pd.Timestamp("2020-02-29", tz="UTC")
