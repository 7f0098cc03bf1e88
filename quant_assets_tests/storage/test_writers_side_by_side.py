"""Several writers of the same bytes: one name, one file, and links that are links."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quant_assets.core.errors import StorageError
from quant_assets.storage import writer
from quant_assets.storage.writer import WriteGroup, link_atomically, same_file, write_atomically
from quant_assets_tests.storage.samples import temps

ROUNDS = 300


def stage_new(path: Path) -> WriteGroup:
    group = WriteGroup()
    group.stage(path, b"content", new=True)
    return group


def test_links_survive_others_who_publish_the_same_content(tmp_path: Path):
    together = threading.Barrier(2)

    def write(who: str) -> int:
        links = 0
        for number in range(ROUNDS):
            target, view = tmp_path / "objects" / str(number), tmp_path / who / str(number)
            group = stage_new(target)
            together.wait()
            group.publish()
            link_atomically(target, view)
            together.wait()
            links += same_file(target, view)
        return links

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, ["first", "second"])) == [ROUNDS, ROUNDS]
    assert temps(tmp_path) == []


def test_links_are_made_while_their_target_is_replaced_again_and_again(tmp_path: Path):
    target, view = tmp_path / "object", tmp_path / "view"
    target.write_bytes(b"content")
    ended = threading.Event()

    def replace() -> None:
        while not ended.is_set():
            write_atomically(target, b"content")

    with ThreadPoolExecutor(1) as pool:
        replaced = pool.submit(replace)
        for _ in range(ROUNDS):
            assert link_atomically(target, view) is None
        ended.set()
        replaced.result()
    assert view.read_bytes() == b"content"


def test_target_that_vanishes_between_two_looks_is_linked(tmp_path: Path, monkeypatch):
    target, view, link = tmp_path / "object", tmp_path / "view", os.link
    target.write_bytes(b"content")
    refusals = iter([FileNotFoundError(2, "No such file or directory")] * 2)

    def refused(source: Path, name: Path) -> None:
        if error := next(refusals, None):
            raise error
        link(source, name)

    monkeypatch.setattr(os, "link", refused)
    assert link_atomically(target, view) is None
    assert same_file(target, view)


def test_target_that_is_always_refused_is_an_error(tmp_path: Path, monkeypatch):
    (tmp_path / "object").write_bytes(b"content")

    def refused(source: Path, name: Path) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(StorageError, match="No such file"):
        link_atomically(tmp_path / "object", tmp_path / "view")
    assert temps(tmp_path) == []


def test_new_file_that_another_made_meanwhile_is_kept(tmp_path: Path):
    group = stage_new(tmp_path / "object")
    (tmp_path / "object").write_bytes(b"content")
    before = (tmp_path / "object").stat().st_ino
    group.publish()
    assert (tmp_path / "object").stat().st_ino == before
    assert temps(tmp_path) == []


@pytest.mark.parametrize("number", [1, 18, 31, 38, 95], ids=os.strerror)
def test_new_file_is_renamed_where_links_are_impossible(tmp_path: Path, monkeypatch, number):
    group = stage_new(tmp_path / "object")

    def refused(source: Path, name: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    group.publish()
    assert (tmp_path / "object").read_bytes() == b"content"
    assert temps(tmp_path) == []


def test_new_file_whose_folder_is_gone_is_an_error(tmp_path: Path):
    group = stage_new(tmp_path / "folder" / "object")
    (staged,) = (tmp_path / "folder").iterdir()
    staged.unlink()
    with pytest.raises(StorageError, match="cannot write"):
        group.publish()


def test_link_that_another_made_meanwhile_leaves_no_temp(tmp_path: Path, monkeypatch):
    """Renaming one name of a file to another of its names removes neither."""
    target, view = tmp_path / "object", tmp_path / "view"
    target.write_bytes(b"content")
    link_atomically(target, view)
    monkeypatch.setattr(writer, "same_file", lambda *_: False)  # as it was just before
    assert link_atomically(target, view) is None
    assert target.stat().st_nlink == 2
    assert temps(tmp_path) == []


def test_new_file_takes_the_name_of_a_link_to_nowhere(tmp_path: Path):
    group = stage_new(tmp_path / "object")
    (tmp_path / "object").symlink_to(tmp_path / "gone")
    group.publish()
    assert not (tmp_path / "object").is_symlink()
    assert (tmp_path / "object").read_bytes() == b"content"
    assert temps(tmp_path) == []


def test_new_file_whose_name_is_a_folder_is_an_error(tmp_path: Path):
    group = stage_new(tmp_path / "object")
    (tmp_path / "object").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        group.publish()
    assert temps(tmp_path) == []
