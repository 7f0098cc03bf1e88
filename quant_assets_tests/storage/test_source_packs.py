"""Packing: the same rows, versions, digests and receipts, in one file; a kill loses nothing."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.stored import newest_rows
from quant_assets.contracts.bars import Bars
from quant_assets.core.errors import IntegrityError, StorageError
from quant_assets.core.windows import Grid
from quant_assets.operations.intake import compaction
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.inspection import changes
from quant_assets.storage import source_packs
from quant_assets.storage.frames import encode_frame
from quant_assets.storage.source_verification import source_problems
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    raw_funding,
    source_store,
)

pytestmark = pytest.mark.slow  # each makes a store of five deliveries
VENUE = files_venue()
ALL = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
PULLS = 5


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    """Five pulls of two hours, each of which says something else about the hour before it."""
    store = source_store(tmp_path)
    for number in range(PULLS):
        first = f"2024-02-01 {number:02d}:00"
        parts = [
            raw_bars(first, 2, close=100.0 + 3 * number),
            raw_funding("2024-02-01", number + 1),
        ]
        deliver(store, VENUE, origin(f"pull {number}"), parts)
    return store


def files(store: SourceStore, dataset: str = "bars") -> list[str]:
    return sorted(os.listdir(store.chunk_folder(dataset, "2024")))


def read(store: SourceStore) -> list[pd.DataFrame]:
    return [store.read(chunk) for chunk in store.chunks("bars", *ALL)]


def fresh(store: SourceStore) -> SourceStore:
    """The store as another process sees it."""
    return SourceStore(store.layout, store.venue)


def flip(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_packed_chunks_are_read_row_for_row_and_in_their_versions(store: SourceStore):
    before, known = read(fresh(store)), newest_rows(store, "bars", Bars, ALL)
    marks = [chunk.mark for chunk in store.chunks("bars", *ALL)]
    digests = [provider_for(VENUE, store).source_digest("bars", Grid().window("2024-02-01"))]
    told = str(list(changes(store, 3)))
    assert store.compact(more_than=1) == 2 * PULLS + PULLS - 1  # and doubts of 4 revised bars
    assert [name[:5] for name in files(store)] == ["pack-", "packs"]
    for seen in (store, fresh(store)):
        for frame, again in zip(before, read(seen), strict=True):
            pd.testing.assert_frame_equal(frame, again)
        assert [chunk.mark for chunk in seen.chunks("bars", *ALL)] == marks
        pd.testing.assert_frame_equal(newest_rows(seen, "bars", Bars, ALL), known)
        assert str(list(changes(seen, 3))) == told
        provider = provider_for(VENUE, seen)
        assert [provider.source_digest("bars", Grid().window("2024-02-01"))] == digests
    hashes = [chunk.sha256 for chunk in store.chunks("bars", *ALL)]
    assert [source_packs.hashlib.sha256(encode_frame(f)).hexdigest() for f in before] == hashes


def test_what_comes_later_joins_a_pack_that_is_not_full(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    store.compact(more_than=1)
    first = files(store)
    deliver(store, VENUE, origin("later"), [raw_bars("2024-02-03", 2)])
    assert store.compact(more_than=1) == 0  # one file of its own is not many
    assert store.compact(more_than=0) == 1
    assert len(files(store)) == 2
    assert files(store) != first
    monkeypatch.setattr(source_packs, "FULL_ROWS", 12)
    deliver(store, VENUE, origin("last"), [raw_bars("2024-02-04", 2)])
    store.compact(more_than=0)
    assert len(files(store)) == 3  # the full pack stays, beside a new one
    assert [len(frame) for frame in read(fresh(store))] == [2] * 7


def test_packed_deliveries_are_still_compared_with_their_receipts(store: SourceStore):
    store.compact(more_than=1)
    assert list(source_problems(store.layout, None)) == []
    flip(store.chunk_folder("bars", "2024") / files(store)[0])
    (found,) = source_problems(store.layout, None)
    assert found.delivery == "delivery 1 to dropped (pull 0)"
    assert found.problem.startswith("has sha256")
    with pytest.raises(IntegrityError, match="the bytes were damaged"):
        read(fresh(store))


def test_record_of_packs_that_is_damaged_is_named(store: SourceStore):
    store.compact(more_than=1)
    (store.chunk_folder("bars", "2024") / source_packs.RECORD).write_text("{")
    found = list(source_problems(store.layout, None))
    assert len(found) == PULLS
    assert all("does not say what is in its packs" in problem.problem for problem in found)


def test_damaged_chunk_is_never_packed_and_nothing_is_lost(store: SourceStore):
    flip(store.chunk_path("bars", "2024", 2))
    before = files(store)
    with pytest.raises(IntegrityError, match="nothing was compacted"):
        store.compact(more_than=1)
    assert files(store) == before


def test_delivery_that_finds_a_damaged_chunk_warns_and_is_complete(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    flip(store.chunk_path("bars", "2024", 2))
    monkeypatch.setattr(SourceStore, "is_crowded", lambda *_: True)
    monkeypatch.setattr(SourceStore.compact, "__kwdefaults__", {"more_than": 1})
    receipt = deliver(store, VENUE, origin("x"), [raw_bars("2024-03-01", 1)])
    with pytest.warns(UserWarning, match="chunks were not packed: .*nothing was compacted"):
        compaction.tidy_up(store, receipt)


@pytest.mark.parametrize("step", ["write_atomically", "_remove_superseded"])
def test_kill_at_any_step_leaves_every_row_readable(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch, step: str
):
    before = read(fresh(store))
    real, calls = getattr(source_packs, step), []
    for last in range(1, 4):

        def killed(*args: object, last: int = last, **words: object) -> object:
            calls.append(step)
            if len(calls) == last:
                raise KeyboardInterrupt
            return real(*args, **words)

        calls.clear()
        monkeypatch.setattr(source_packs, step, killed)
        with pytest.raises(KeyboardInterrupt):
            store.compact(more_than=0)
        for frame, again in zip(before, read(fresh(store)), strict=True):
            pd.testing.assert_frame_equal(frame, again)
        assert list(source_problems(store.layout, None)) == []
    monkeypatch.setattr(source_packs, step, real)
    store.compact(more_than=0)
    assert len(files(store)) == 2
    assert len(read(fresh(store))) == PULLS


def test_reader_finds_chunks_that_were_packed_while_it_read(store: SourceStore):
    reader = fresh(store)
    chunks = reader.chunks("bars", *ALL)
    first = reader.read(chunks[0])
    store.compact(more_than=1)
    assert len(reader.read(chunks[1])) == 2
    deliver(store, VENUE, origin("later"), [raw_bars("2024-02-03", 2)])
    store.compact(more_than=0)
    assert len(reader.read(chunks[2])) == 2
    pd.testing.assert_frame_equal(reader.read(chunks[0]), first)


def test_chunk_that_is_nowhere_is_an_error(store: SourceStore):
    store.chunk_path("bars", "2024", 2).unlink()
    with pytest.raises(StorageError, match=r"00000002\.parquet"):
        read(fresh(store))


def test_deliveries_pack_themselves_when_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = source_store(tmp_path)
    monkeypatch.setattr(SourceStore.is_crowded, "__kwdefaults__", {"more_than": 3})
    monkeypatch.setattr(SourceStore.compact, "__kwdefaults__", {"more_than": 3})
    for number in range(6):
        raws = [raw_bars(f"2024-02-01 {number:02d}:00", 1, close=100.0 + number)]
        compaction.tidy_up(store, deliver(store, VENUE, origin(str(number)), raws))
    loose = [name for name in files(store) if name[0].isdigit()]
    assert len(loose) == 2
    assert len(newest_rows(fresh(store), "bars", Bars, ALL)) == 6
