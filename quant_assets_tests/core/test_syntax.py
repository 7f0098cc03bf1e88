import json
import os
from pathlib import Path

import pytest

from quant_assets.core import syntax
from quant_assets.core.syntax import Syntax, SyntaxCache, parse

SOURCE = '''
"""Module."""
import json, quant_assets.core.clock
from quant_assets.core import windows, venues
from quant_assets_tests import nothing
from . import sibling

def later():
    from quant_assets.core.errors import ConfigError
'''


def test_parse_lists_the_packages_own_imports_at_any_depth():
    assert parse(SOURCE).imports == (
        ("", ("quant_assets.core.clock",)),
        ("quant_assets.core", ("windows", "venues")),
        ("quant_assets.core.errors", ("ConfigError",)),
    )


def test_parse_counts_a_deferred_module_as_an_import():
    source = 'kernel = Deferred("quant_assets.core.clock")\nother = Deferred(name)'
    assert ("", ("quant_assets.core.clock",)) in parse(source).imports


def test_cache_gives_another_process_what_parse_says_without_parsing(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "syntax.json"
    first = SyntaxCache.open(path)
    expected = {source: first.parse(source) for source in (SOURCE, "x = 1", "y = 2")}
    first.save()
    assert expected == {source: parse(source) for source in expected}
    monkeypatch.setattr(syntax, "parse", lambda _: pytest.fail("parsed again"))
    again = SyntaxCache.open(path)
    assert {source: again.parse(source) for source in expected} == expected
    assert os.listdir(path.parent) == ["syntax.json"]


def test_cache_parses_what_differs_in_a_single_character(tmp_path):
    cache = SyntaxCache.open(tmp_path / "syntax.json")
    assert cache.parse("x = 1").digest != cache.parse("x = 2").digest
    cache.save()
    assert SyntaxCache.open(cache.path).parse("x = 3") == parse("x = 3")


def test_cache_of_another_python_or_another_parser_is_not_believed(tmp_path, monkeypatch):
    path = tmp_path / "syntax.json"
    old = SyntaxCache.open(path)
    monkeypatch.setattr(syntax, "_maker", lambda: "another")
    monkeypatch.setattr(syntax, "parse", lambda _: Syntax("old", ()))
    assert old.parse("x = 1").digest == "old"
    old.save()
    monkeypatch.undo()
    assert SyntaxCache.open(path).parse("x = 1") == parse("x = 1")


@pytest.mark.parametrize("position", [3, 80, -3])
def test_cache_with_a_flipped_bit_is_not_believed(tmp_path: Path, position: int):
    path = tmp_path / "syntax.json"
    cache = SyntaxCache.open(path)
    cache.parse("x = 1")
    cache.save()
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert SyntaxCache.open(path).parse("x = 1") == parse("x = 1")


def test_cache_that_cannot_be_written_changes_nothing(tmp_path: Path):
    (tmp_path / "plain").write_bytes(b"")
    cache = SyntaxCache.open(tmp_path / "plain" / "syntax.json")
    assert cache.parse("x = 1") == parse("x = 1")
    cache.save()
    assert SyntaxCache.open(None).parse("x = 1") == parse("x = 1")


def test_cache_keeps_the_sources_that_were_asked_for_last(tmp_path, monkeypatch):
    monkeypatch.setattr(syntax, "MOST_SOURCES", 2)
    cache = SyntaxCache.open(tmp_path / "syntax.json")
    for source in ("a = 1", "b = 1", "a = 1", "c = 1"):
        cache.parse(source)
    cache.save()
    kept = json.loads(cache.path.read_bytes().partition(b"\n")[2])
    assert [digest for digest, _ in kept.values()] == [
        parse(source).digest for source in ("a = 1", "c = 1")
    ]
