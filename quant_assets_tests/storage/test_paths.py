import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.core.errors import StorageError
from quant_assets.storage.paths import MAX_NAME, Cell, Layout, decode, encode, object_suffix

SAFE = re.compile(r"[A-Za-z0-9_%-][A-Za-z0-9_.%-]*")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bars", "bars"),
        ("2020-01-01", "2020-01-01"),
        ("BTC/USDT:USDT", "BTC%2FUSDT%3AUSDT"),
        ("BTC:ETH x", "BTC%3AETH%20x"),
        ("100%", "100%25"),
        (".", "%2E"),
        ("..", "%2E."),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        (".tmp-1-x", "%2Etmp-1-x"),
        ("CON", "%43ON"),
        ("aux.txt", "%61ux.txt"),
        ("console", "console"),
        ("a\0b", "a%00b"),
        ("a\nb", "a%0Ab"),
        ("ä", "%C3%A4"),
    ],
)
def test_encode_gives_the_expected_file_name(name, expected):
    assert encode(name) == expected
    assert decode(expected) == name


@given(st.text(st.characters(codec=None, categories=None), min_size=1, max_size=16))
def test_encode_any_unicode_round_trips_to_a_safe_file_name(name):
    text = encode(name)
    assert decode(text) == name
    assert SAFE.fullmatch(text)
    assert len(text) <= MAX_NAME


def test_encode_lone_surrogate_round_trips():
    assert decode(encode("a\ud800b")) == "a\ud800b"


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_encode_different_names_never_meet(one, other):
    assert (encode(one) == encode(other)) == (one == other)


@pytest.mark.parametrize("name", ["a" * 300, "ä" * 60, "/" * 67])
def test_encode_long_names_are_refused_with_length_and_limit(name):
    with pytest.raises(StorageError, match=rf"{len(encode_free(name))} characters.*{MAX_NAME}"):
        encode(name)


def encode_free(name):
    return "".join(c if c.isascii() and c.isalnum() else "%XX" * len(c.encode()) for c in name)


def test_encode_empty_name_is_refused():
    with pytest.raises(StorageError, match="empty name"):
        encode("")


@given(st.tuples(*[st.text(min_size=1, max_size=12)] * 3))
def test_layout_hostile_names_stay_below_the_root(names):
    layout, cell = Layout(Path("/root")), Cell(*names)
    for path in (
        layout.manifest(cell),
        layout.view(cell),
        layout.lock(cell.asset, cell.venue),
        layout.run(cell.window),
        layout.report(*names),
    ):
        assert path.is_relative_to("/root")
        assert ".." not in path.parts
        assert len(path.parts) <= 6


def test_layout_lock_names_of_different_pairs_never_meet():
    layout = Layout(Path("/root"))
    assert layout.lock("a--b", "c") != layout.lock("a", "b--c")


@pytest.mark.parametrize("suffix", ["", "../x", "html/..", "HTML", "a" * 17, "p q"])
def test_layout_object_refuses_hostile_suffixes(suffix):
    with pytest.raises(StorageError, match="suffix"):
        Layout(Path("/root")).object("0" * 64, suffix)


@pytest.mark.parametrize(
    ("name", "suffix"), [("tear_sheet.html", "html"), ("a.b.CSV", "csv"), ("x/y.json", "json")]
)
def test_object_suffix_is_the_last_one_in_lower_case(name, suffix):
    assert object_suffix(name) == suffix


@pytest.mark.parametrize("name", ["plain", ".html", "a.", "a.b/c", "a.tar gz"])
def test_object_suffix_names_without_a_plain_suffix_are_refused(name):
    with pytest.raises(StorageError, match="no plain suffix"):
        object_suffix(name)


def test_cell_backfill_command_names_venue_window_and_asset():
    command = Cell("bars", "sp500_demo", "2020-01-01").backfill_command()
    assert command == (
        "quant-assets backfill --venue sp500_demo --windows 2020-01-01...2020-01-01 --assets bars"
    )


def test_cell_backfill_command_of_a_venue_wide_cell_has_no_windows():
    command = Cell("tournament", "v", "all").backfill_command(force=True)
    assert command == "quant-assets backfill --venue v --assets tournament --force"
