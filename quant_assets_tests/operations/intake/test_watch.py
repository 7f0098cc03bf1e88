"""One look at a landing folder: what is taken, what waits, and what is never read twice."""

import os
import time
from pathlib import Path

import pytest

from quant_assets.operations.intake import watch
from quant_assets.operations.intake.at_rest import is_being_written
from quant_assets.operations.intake.landing import landing_folder, take_in
from quant_assets.operations.intake.watch import Look, Seen, look
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.operations.intake.deliveries import files_venue, source_store

pytestmark = pytest.mark.slow

VENUE = files_venue(funding="none")
HEADER = "ts,symbol,open,high,low,close,volume\n"
ROWS = [f"2024-02-01T{hour:02d}:00:00Z,BTC/USDT:USDT,10,11,9,10,{hour + 1}\n" for hour in range(4)]
GOOD = HEADER + "".join(ROWS)


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return source_store(tmp_path)


def put(store: SourceStore, name: str, text: str, *, age: float = 60.0) -> Path:
    folder = landing_folder(store)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def see(store: SourceStore, seen: dict[str, Seen] | None = None, **changes: float) -> Look:
    wanted = {"rest_seconds": 2.0, "deadline": time.monotonic() + 20.0, **changes}
    return look(store, VENUE, seen or {}, **wanted)  # type: ignore[arg-type]


def test_file_at_rest_is_taken_in_and_leaves_the_folder(store: SourceStore):
    path = put(store, "a.csv", GOOD)
    found = see(store)
    assert [outcome.receipt is not None for outcome in found.outcomes] == [True]
    assert not path.exists()
    assert found.seen == {}
    assert store.version() == 1


def test_same_content_again_is_one_delivery(store: SourceStore):
    put(store, "a.csv", GOOD)
    see(store)
    path = put(store, "b.csv", GOOD)
    found = see(store)
    assert [outcome.repeated for outcome in found.outcomes] == [True]
    assert not path.exists()
    assert store.version() == 1


def test_young_hidden_and_partial_files_are_left_alone(store: SourceStore):
    for name, age in (("young.csv", 0.0), (".hidden", 60.0), ("x.csv.part", 60.0)):
        put(store, name, GOOD, age=age)
    assert see(store).outcomes == []
    assert len(list(landing_folder(store).iterdir())) == 3


def test_file_that_somebody_still_writes_waits_however_long_it_was_quiet(store: SourceStore):
    path = put(store, "slow.csv", "")
    with path.open("a") as writer:
        writer.write(HEADER + ROWS[0])
        writer.flush()
        os.utime(path, (1.0, 1.0))
        assert is_being_written(path)
        found = see(store)
        assert (found.later, found.outcomes) == (1, [])
        writer.write(ROWS[1])
    assert not is_being_written(path)
    os.utime(path, (1.0, 1.0))
    (outcome,) = see(store).outcomes
    assert outcome.receipt is not None
    assert outcome.receipt.counts["bars"]["rows"] == 2


def test_file_that_is_only_read_by_somebody_is_taken(store: SourceStore):
    path = put(store, "a.csv", GOOD)
    with path.open():
        assert not is_being_written(path)


def test_refused_file_is_told_once_until_its_content_changes(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    put(store, "bad.csv", "nonsense\n1\n")
    first = see(store)
    assert len(first.refused) == 1
    with monkeypatch.context() as patch:
        patch.setattr(watch, "file_digest", lambda path: pytest.fail(f"{path} was read again"))
        assert see(store, first.seen).outcomes == []
    assert see(store).outcomes == [], "nor after the memory is lost"
    put(store, "bad.csv", GOOD, age=30.0)
    mended = see(store, first.seen)
    assert [outcome.refusal for outcome in mended.outcomes] == [""]


def test_large_file_is_named_for_a_run_and_its_hash_is_kept(store: SourceStore):
    path = put(store, "large.csv", GOOD)
    first = see(store, large_bytes=10)
    assert [(large.path, len(large.sha256)) for large in first.large] == [(path, 64)]
    assert see(store, first.seen, large_bytes=10).large == first.large
    assert store.version() == 0
    take_in(store, VENUE, path)
    put(store, "again.csv", GOOD)
    assert see(store, large_bytes=10).outcomes[0].repeated, "known content needs no run"


@pytest.mark.parametrize(
    ("name", "size", "large"),
    [("a.csv", 64, False), ("a.csv", 65, True), ("a.csv.GZ", 8, False), ("a.csv.GZ", 9, True)],
)
def test_packed_file_is_large_at_an_eighth_of_the_size(name: str, size: int, large: bool):
    assert watch._is_large(Path(name), size, 64) is large


def test_file_that_a_reader_breaks_on_is_told_once_and_keeps_nobody_waiting(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    put(store, "a.csv", GOOD)
    put(store, "b.csv", GOOD.replace(",10,11,9,10,", ",10,11,9,10.5,"))
    take = watch.take_in

    def breaks(taken: SourceStore, venue: object, path: Path, **words: float) -> object:
        if path.name == "a.csv":
            raise KeyError("close")
        return take(taken, venue, path, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(watch, "take_in", breaks)
    found = see(store)
    assert [outcome.refusal[:27] for outcome in found.outcomes] == [
        "a.csv: its reader broke, wh",
        "",
    ]
    assert see(store, found.seen).outcomes == []
    monkeypatch.undo()
    assert len(see(store).outcomes) == 1, "after the memory is lost it gets another chance"


def test_files_beyond_the_time_budget_wait_for_the_next_look(store: SourceStore):
    for number in range(3):
        put(store, f"{number}.csv", GOOD.replace(",10,11,9,10,", f",10,11,9,10.{number},"))
    found = see(store, deadline=time.monotonic() - 1.0)
    assert (found.later, found.outcomes) == (3, [])
    assert len(see(store).outcomes) == 3


def test_file_that_grew_while_it_was_taken_in_stays(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    path = put(store, "a.csv", GOOD)
    from quant_assets.operations.intake import landing

    deliver = landing.deliver

    def slow(*words: object) -> object:
        with path.open("a") as writer:
            writer.write(ROWS[0].replace("T00", "T09"))
        return deliver(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(landing, "deliver", slow)
    take_in(store, VENUE, path)
    monkeypatch.undo()
    assert path.exists()
    assert store.version() == 1
    outcome = take_in(store, VENUE, path)
    assert outcome.receipt is not None
    assert outcome.receipt.counts["bars"]["stored"] == 1
