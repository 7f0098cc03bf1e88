"""`verify` names what is no longer as it was delivered."""

from pathlib import Path

import pytest

from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.landing import take_in
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.sources import SourceStore
from quant_assets.storage.verification import verify
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)

VENUE = files_venue()
CSV = (
    "ts,symbol,open,high,low,close,volume\n"
    "2024-02-01T00:00:00Z,BTC/USDT:USDT,100,102,99,101,5\n"
    "2024-02-01T01:00:00Z,BTC/USDT:USDT,101,103,100,102,5\n"
)


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    store = source_store(tmp_path / "root")
    file = tmp_path / "bars.csv"
    file.write_text(CSV, encoding="utf-8")
    assert take_in(store, VENUE, file).receipt is not None
    return store


def flip(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def problems(store: SourceStore) -> list[str]:
    return [str(problem) for problem in verify(SnapshotStore(store.layout.root)).problems]


def test_verify_deliveries_as_they_came_are_intact(store: SourceStore):
    assert problems(store) == []


@pytest.mark.parametrize("pattern", ["chunks/bars/*/*.parquet", "archive/*"])
def test_verify_one_flipped_bit_in_a_delivery_is_named(store: SourceStore, pattern: str):
    (path,) = store.folder.glob(pattern)
    flip(path)
    (found,) = problems(store)
    assert found.startswith("delivery 1 to dropped (bars.csv): has sha256")
    assert str(path) in found


def test_verify_lost_chunk_is_told_with_the_archived_file(store: SourceStore):
    (path,) = store.folder.glob("chunks/bars/*/*.parquet")
    path.unlink()
    (found,) = problems(store)
    assert "is gone" in found
    assert "run quant-assets ingest --venue dropped" in found


def test_verify_damaged_receipt_is_named(store: SourceStore):
    (path,) = store.folder.glob("receipts/*.json")
    path.write_text("{}", encoding="utf-8")
    (found,) = problems(store)
    assert "is not a receipt" in found


def test_verify_one_venue_looks_at_its_deliveries_alone(store: SourceStore):
    other = SourceStore(store.layout, "other")
    deliver(other, VENUE, origin("a"), [raw_bars("2024-02-01", 2)])
    flip(next(other.folder.glob("chunks/bars/*/*.parquet")))
    lake = SnapshotStore(store.layout.root)
    assert verify(lake, venue="dropped").ok
    assert not verify(lake, venue="other").ok
