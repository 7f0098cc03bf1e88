"""Quality per symbol and day, counted by hand and by pandas."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.quality import Quality
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.quality import quality_window
from quant_assets_tests.quant.market.event_frames import at, doubts
from quant_assets_tests.quant.market.frames import bars_frame, ingestion

HALF_DAY = timedelta(hours=12)
NAN = float("nan")


def quality(bars: pd.DataFrame, about: pd.DataFrame, telemetry=None) -> pd.DataFrame:
    frame = quality_window(ingestion(), telemetry or NullTelemetry(), bars=bars, doubts=about)
    return Quality.check_frame(frame, where="quality")


def test_quality_counts_gaps_and_doubts_per_symbol_and_day():
    bars = bars_frame({"A": [1.0, NAN, 1.0, 1.0], "B": [None, 1.0, None, None]}, step=HALF_DAY)
    about = doubts(
        ("01 00:00", "A", "repaired", "exact duplicate"),
        ("01 12:00", "A", "quarantined", "high < low"),
        ("02 00:00", "A", "flagged", "spike"),
        ("02 00:00", "A", "flagged", "stale"),
        ("02 06:00", "C", "quarantined", "negative price"),
    )
    telemetry = RecordingTelemetry()
    frame = quality(bars, about, telemetry).set_index(["ts", "symbol"])
    counts = ["expected", "present", "gaps", "stale", "spikes", "quarantined", "repaired"]
    expected = {
        (at("01"), "A"): [2, 1, 1, 0, 0, 1, 1, 0.5, 0.0],
        (at("01"), "B"): [1, 1, 0, 0, 0, 0, 0, 1.0, 1.0],
        (at("02"), "A"): [2, 2, 0, 1, 1, 0, 0, 1.0, 0.5],
        (at("02"), "B"): [2, 0, 2, 0, 0, 0, 0, 0.0, 0.0],
        (at("02"), "C"): [0, 0, 0, 0, 0, 1, 0, 0.0, 0.0],
    }
    found = frame[[*counts, "completeness", "score"]].T.to_dict("list")
    assert found == expected
    assert telemetry.rows[0] == {
        "kind": "metrics", "scope": "quality", "symbol_days": 5.0, "score": 2 / 7,
    }  # fmt: skip


def test_quality_of_a_day_is_known_with_its_last_row():
    bars = bars_frame({"A": [1.0, 1.0, 1.0]}, step=HALF_DAY)
    frame = quality(bars, doubts(("02 18:00", "A", "quarantined", "odd")))
    assert frame["available_at"].tolist() == [at("02"), at("02 18:00")]
    assert frame["ts"].tolist() == [at("01"), at("02")]


def test_quality_ts_is_the_first_bar_of_the_day_also_off_midnight():
    bars = bars_frame({"A": [1.0, None, 1.0], "B": [None, 1.0, 1.0]}, start="2020-02-01 14:30")
    frame = quality(bars, Doubts.empty())
    assert frame["ts"].dt.strftime("%d %H:%M").tolist() == [
        "01 14:30", "02 14:30", "02 14:30", "03 14:30", "03 14:30",
    ]  # fmt: skip


def test_quality_counts_missing_bars_at_the_windows_edges():
    """Half days around the clock: A had a bar in January; B begins late and stops early."""
    closes = {"A": [1.0] + [None] * 3 + [1.0] * 56, "B": [None] * 5 + [1.0] * 2}
    bars = bars_frame(closes, start="2020-01-31", step=HALF_DAY)
    context = ingestion(calendar="24/7", bar_length=HALF_DAY)
    frame = quality_window(context, NullTelemetry(), bars=bars, doubts=Doubts.empty())
    own = Quality.check_frame(frame, where="quality").set_index(["ts", "symbol"])
    counts = own[["expected", "present", "gaps"]].T.to_dict("list")
    assert counts[at("01"), "A"] == [2, 0, 2]
    assert counts[at("02"), "A"] == [2, 2, 0]
    assert counts[at("02"), "B"] == [1, 1, 0]
    assert counts[at("03"), "B"] == [2, 1, 1]
    assert counts[at("04"), "B"] == [2, 0, 2]
    assert own["expected"].groupby("symbol").sum().to_dict() == {"A": 58, "B": 55}
    assert own["present"].groupby("symbol").sum().to_dict() == {"A": 56, "B": 2}
    assert own.loc[(at("01"), "A"), "available_at"] == at("02")


def test_quality_doubts_about_other_datasets_do_not_count():
    bars = bars_frame({"A": [1.0]})
    about = doubts(("01", "A", "flagged", "jump"), dataset="open_interest")
    assert quality(bars, about)["score"].tolist() == [1.0]


def test_quality_without_bars_and_doubts_is_empty():
    assert quality(Bars.empty(), Doubts.empty()).empty


def test_quality_equals_counting_by_pandas():
    generator = np.random.default_rng(4)
    closes = {s: np.where(generator.random(200) < 0.1, NAN, 1.0).tolist() for s in "ABCDE"}
    bars = bars_frame(closes, step=timedelta(hours=1))
    picked = bars[generator.random(len(bars)) < 0.1]
    about = doubts(
        *(
            (f"{ts:%d %H:%M}", symbol, "flagged", "stale")
            for ts, symbol in zip(picked["ts"], picked["symbol"], strict=True)
        )
    )
    frame = quality(bars, about)
    mark = bars.merge(about[["ts", "symbol", "reason"]], on=["ts", "symbol"], how="left")
    mark["clean"] = ~mark["is_gap"] & mark["reason"].isna()
    grouped = mark.groupby([mark["ts"].dt.floor("D"), "symbol"])
    for column, values in {
        "completeness": 1.0 - grouped["is_gap"].mean(),
        "score": grouped["clean"].mean(),
        "stale": grouped["reason"].count(),
    }.items():
        assert frame[column].tolist() == pytest.approx(values.tolist()), column
