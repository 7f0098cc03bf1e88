"""Deliveries: receipts that add up, months as chunks, revisions, and providers that read them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.providers.base import provider_for
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.doubts import Doubts
from quant_assets.core.errors import DataError, IntegrityError
from quant_assets.core.windows import Grid
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.revisions import delta
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    raw_funding,
    raw_marks,
    source_store,
)

GRID = Grid()
JANUARY, FEBRUARY, MARCH = (GRID.window(f"2024-0{month}-01") for month in (1, 2, 3))
VENUE = files_venue()


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return source_store(tmp_path)


def test_deliver_cuts_few_rows_into_years_and_the_receipt_adds_up(store: SourceStore):
    receipt = deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 12:00", 24)])
    assert [(c.dataset, c.period, c.rows) for c in receipt.chunks] == [("bars", "2024", 24)]
    assert receipt.counts["bars"]["rows"] == receipt.counts["bars"]["stored"] == 24
    assert receipt.symbols == {"bars": ["BTC/USDT:USDT"]}
    assert SourceStore(store.layout, store.venue).receipts() == [receipt]


def test_deliver_cuts_many_rows_into_months(store: SourceStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("quant_assets.operations.intake.delivery.MONTHLY_ROWS", 10)
    receipt = deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 12:00", 24)])
    assert [(c.period, c.rows) for c in receipt.chunks] == [("2024-01", 12), ("2024-02", 12)]


def test_provider_files_reads_what_was_delivered_inside_the_window(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 12:00", 24)])
    provider = provider_for(VENUE, store)
    frame = provider.fetch("bars", FEBRUARY)
    Bars.check_frame(frame, where="february")
    assert len(frame) == 12
    assert frame["close"].iloc[0] == 112.0
    assert (frame["available_at"] - frame["ts"] == pd.Timedelta(hours=1)).all()
    history = provider.history()
    assert history is not None
    assert (str(history.first), str(history.last)) == ("2024-01-31", "2024-02-01")


def test_provider_without_deliveries_has_no_history_and_empty_frames(store: SourceStore):
    provider = provider_for(VENUE, store)
    assert provider.history() is None
    assert provider.fetch("bars", JANUARY).empty
    assert provider.fetch("reference", JANUARY).empty


def test_delivery_that_repeats_stored_rows_stores_nothing_and_keeps_the_digest(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 12:00", 24)])
    provider = provider_for(VENUE, store)
    before = provider.source_digest("bars", FEBRUARY)
    again = deliver(store, VENUE, origin("b"), [raw_bars("2024-01-31 12:00", 24)])
    assert again.counts["bars"]["unchanged"] == 24
    assert again.chunks == []
    assert provider.source_digest("bars", FEBRUARY) == before


def test_revised_row_wins_is_flagged_and_only_its_window_changes(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 12:00", 24)])
    provider = provider_for(VENUE, store)
    digests = [provider.source_digest("bars", window) for window in (JANUARY, FEBRUARY, MARCH)]
    revised = raw_bars("2024-02-01 03:00", 1, close=114.5)
    receipt = deliver(store, VENUE, origin("b"), [revised])
    assert (receipt.counts["bars"]["revised"], receipt.counts["bars"]["stored"]) == (1, 1)
    after = [provider.source_digest("bars", window) for window in (JANUARY, FEBRUARY, MARCH)]
    assert [a == b for a, b in zip(digests, after, strict=True)] == [True, False, True]
    frame = provider.fetch("bars", FEBRUARY)
    assert frame.loc[frame["ts"] == "2024-02-01 03:00+00:00", "close"].tolist() == [114.5]
    assert len(frame) == 12
    doubts = provider.fetch("doubts", FEBRUARY)
    Doubts.check_frame(doubts, where="doubts")
    assert doubts["reason"].tolist() == ["revised"]
    assert "close=115.0" in doubts["text"].iloc[0]


def test_old_version_of_a_revised_row_stays_in_the_store(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-02-01", 2)])
    deliver(store, VENUE, origin("b"), [raw_bars("2024-02-01", 1, close=90.0)])
    chunks = store.chunks("bars", FEBRUARY.start, FEBRUARY.end)
    assert [store.read(chunk)["close"].tolist() for chunk in chunks] == [[100.0, 101.0], [90.0]]


def test_funding_gets_the_mark_price_of_its_minute(store: SourceStore):
    parts = [raw_funding("2024-02-01", 3), raw_marks("2024-02-01", 2)]
    deliver(store, VENUE, origin("a"), parts)
    funding = provider_for(VENUE, store).fetch("funding", FEBRUARY)
    np.testing.assert_array_equal(funding["mark_price"], [100.0, 101.0, np.nan])


def test_reference_returns_look_back_into_the_month_before(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-01-31 22:00", 4)])
    provider = provider_for(VENUE, store)
    returns = provider.fetch("reference", FEBRUARY)["returns"]
    np.testing.assert_allclose(returns, [102 / 101 - 1, 103 / 102 - 1], rtol=1e-15)
    first = provider.fetch("reference", JANUARY)["returns"]
    np.testing.assert_allclose(first, [np.nan, 1 / 100], rtol=1e-12)


def test_rows_that_cannot_be_are_quarantined_with_file_and_line(store: SourceStore):
    raw = raw_bars("2024-02-01", 5)
    raw.frame.loc[2, "low"] = 500.0
    receipt = deliver(store, VENUE, origin("bad.csv"), [raw])
    assert (receipt.counts["bars"]["stored"], receipt.counts["bars"]["quarantined"]) == (4, 1)
    doubts = provider_for(VENUE, store).fetch("doubts", FEBRUARY)
    row = doubts.iloc[0]
    assert (row["outcome"], row["file"], row["line"]) == ("quarantined", "bad.csv", 3)


def test_unreadable_lines_stand_in_a_table_without_time(store: SourceStore):
    raw = raw_bars("2024-02-01", 200)
    rejects = pd.DataFrame(
        {"line": [7], "symbol": ["BTC/USDT:USDT"], "reason": ["not a number"], "text": ["1,5"]}
    )
    receipt = deliver(store, VENUE, origin("a"), [replace(raw, rejects=rejects)])
    assert receipt.counts["bars"]["rows"] == 201
    assert receipt.counts["bars"]["quarantined"] == 1
    assert [c.dataset for c in receipt.chunks] == ["bars", "undated"]


def test_delivery_that_is_refused_stores_nothing(store: SourceStore):
    with pytest.raises(DataError):
        deliver(store, VENUE, origin("a"), [raw_bars("1974-02-01", 24)])
    assert store.version() == 0
    assert not store.folder.exists()


def test_damaged_chunk_is_named(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-02-01", 2)])
    path = next(store.folder.glob("chunks/bars/*/*.parquet"))
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match=r"00000001\.parquet is not what its receipt"):
        provider_for(VENUE, store).fetch("bars", FEBRUARY)


def test_chunks_that_no_receipt_lists_are_not_read(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-02-01", 2)])
    (store.folder / "receipts" / "00000001.json").unlink()
    fresh = SourceStore(store.layout, store.venue)
    assert provider_for(VENUE, fresh).fetch("bars", FEBRUARY).empty


def test_delta_two_missing_values_are_equal_and_a_missing_one_is_a_change():
    key = ["ts", "symbol"]
    old = pd.DataFrame({"ts": [1, 2, 3], "symbol": ["a"] * 3, "x": [np.nan, 1.0, 2.0]})
    new = pd.DataFrame({"ts": [1, 2, 3, 4], "symbol": ["a"] * 4, "x": [np.nan, np.nan, 2.0, 5.0]})
    found = delta(new, old, key)
    assert found.frame["ts"].tolist() == [2, 4]
    assert found.revised["x"].tolist() == [1.0]
    assert found.unchanged == 2
