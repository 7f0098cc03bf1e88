"""YAML files: core-schema scalars, lines of keys, limits, and errors that say where."""

import json
import math
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from quant_assets.core import yaml_loader
from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import load_model, load_yaml, resolve_scalar, validate


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers of PyYAML must give the same answers: one of them may be absent."""
    monkeypatch.setattr(yaml_loader, "_PARSER", getattr(yaml, request.param))
    return request.param


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> str:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    return str(caught.value).replace(str(path), "file.yaml")


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    min_history_bars: Annotated[int, Field(ge=1)] = 120
    kind: Literal["a", "b"] = "a"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    first: date | None = None
    size: float | Literal["all"] = 1.0
    discovery: Rule = Rule()
    rules: list[Rule] = []
    by_name: dict[str, Rule | None] = {}

    @model_validator(mode="after")
    def _fits(self) -> "Model":
        if self.name == "bad":
            raise ValueError("name may not be bad")
        return self


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("12:30", "12:30"), ("1:30:00", "1:30:00"), ("2024-01-31", "2024-01-31"),
        ("24/7", "24/7"), ("1_000", "1_000"), ("1INCH", "1INCH"), ("NA", "NA"), ("NaN", "NaN"),
        ("0777", 777), ("0o17", 15), ("0x1F", 31), ("-3", -3), ("+4", 4),
        ("1e-3", 0.001), ("1E5", 1e5), (".5", 0.5), ("2.", 2.0), ("-1.5", -1.5),
        ("true", True), ("FALSE", False), ("True", True), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nUll", "nUll"),
        (".inf", math.inf), ("-.INF", -math.inf), ("0b11", "0b11"), ("e5", "e5"), (".", "."),
        ("1e999", "1e999"),
    ],
)  # fmt: skip
def test_resolve_scalar_follows_the_core_schema(text: str, value: object) -> None:
    found = resolve_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_resolve_scalar_not_a_number_is_nan() -> None:
    assert math.isnan(resolve_scalar(".nan"))


def test_load_yaml_quoted_scalars_stay_strings(tmp_path: Path, parser: str) -> None:
    path = write(tmp_path, "a: '1'\nb: \"true\"\nc: !!str 12\nd: |\n  12\n1: x\n")
    assert load_yaml(path).data == {"a": "1", "b": "true", "c": "12", "d": "12\n", "1": "x"}


def test_load_yaml_keeps_the_line_of_every_key_path(tmp_path: Path, parser: str) -> None:
    text = "# comment\na: 1\nb:\n  c:\n    - x\n    - {d: 2,\n       e: 3}\n"
    located = load_yaml(write(tmp_path, text))
    assert located.data == {"a": 1, "b": {"c": ["x", {"d": 2, "e": 3}]}}
    assert {keys: located.line(keys) for keys in located.lines if keys} == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 4,
        ("b", "c", 0): 5,
        ("b", "c", 1): 6,
        ("b", "c", 1, "d"): 6,
        ("b", "c", 1, "e"): 7,
    }
    assert located.line(("b", "unknown", "deeper")) == 3
    assert located.line(("unknown",)) == located.line() == 2


def test_load_yaml_aliases_repeat_values_and_lines(tmp_path: Path, parser: str) -> None:
    located = load_yaml(write(tmp_path, "a: &one\n  x: 1\nb: *one\nc: [*one, *one]\n"))
    assert located.data == {"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}, {"x": 1}]}
    assert located.line(("b",)) == 3
    assert located.line(("b", "x")) == 2


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_load_yaml_empty_document_is_none(tmp_path: Path, parser: str, text: str) -> None:
    assert load_yaml(write(tmp_path, text)).data is None


def test_load_yaml_byte_order_mark_is_ignored(tmp_path: Path, parser: str) -> None:
    assert load_yaml(write(tmp_path, b"\xef\xbb\xbfa: \xc3\xa9\n")).data == {"a": "é"}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", "file.yaml:3:2: ", "not valid YAML"),
        ("a: b: c\n", "file.yaml:1:5: ", "mapping values are not allowed"),
        ("a:\n\t- x\n", "file.yaml:2:1: ", "cannot start any token"),
        ("a: 1\nb: 2\na: 3\n", "file.yaml:3:1: ", "'a' is already set on line 1"),
        ("a:\n  x: 1\n  'x': 2\n", "file.yaml:3:3: ", "'x' is already set on line 2"),
        ("1: a\n'1': b\n", "file.yaml:2:1: ", "'1' is already set on line 1"),
        ("a: !!python/object/apply:os.system [ls]\n", "file.yaml:1:4: ", "tag"),
        ("a: !!int '3'\n", "file.yaml:1:4: ", "tag:yaml.org,2002:int is not allowed"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "file.yaml:3:3: ", "merge keys"),
        ("a: *nothing\n", "file.yaml:1:4: ", "&nothing is not defined"),
        ("a: &x [*x]\n", "file.yaml:1:8: ", "&x is not complete here"),
        ("? [a, b]\n: 1\n", "file.yaml:1:3: ", "a key must be"),
        ("a: 1\n---\nb: 2\n", "file.yaml:2:1: ", "second document"),
        ("a: 1\nb: '\x07'\n", "file.yaml:2: ", "'\\x07' is not allowed"),
        (b"a: 1\nb: caf\xe9\n", "file.yaml:2: ", "0xE9 is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "file.yaml:1: ", "is not UTF-8"),
    ],
)
def test_load_yaml_bad_file_says_where_and_what(
    tmp_path: Path, parser: str, text: str | bytes, place: str, words: str
) -> None:
    message = refusal(tmp_path, text)
    assert message.startswith(place)
    assert words in message


def test_load_yaml_depth_50_is_read_51_is_refused(tmp_path: Path, parser: str) -> None:
    load_yaml(write(tmp_path, "[" * 49 + "1" + "]" * 49))
    assert "deeper than 50" in refusal(tmp_path, "[" * 50 + "1" + "]" * 50)
    assert "deeper than 50" in refusal(tmp_path, "[" * 100_000)
    assert "deeper than 50" in refusal(tmp_path, "{a: " * 100_000)


def test_load_yaml_depth_through_aliases_is_refused(tmp_path: Path, parser: str) -> None:
    links = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    load_yaml(write(tmp_path, "\n".join(links[:47])))
    assert "the alias nests deeper than 50" in refusal(tmp_path, "\n".join(links))


def test_load_yaml_alias_bomb_is_refused(tmp_path: Path, parser: str) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    message = refusal(tmp_path, "\n".join(lines))
    assert "expand to more than 10,000 nodes" in message
    assert message.startswith("file.yaml:4:")


def test_load_yaml_file_beyond_one_megabyte_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"a: 1\n" + b"#" * (1_000_000 - 5))
    assert load_yaml(path).data == {"a": 1}
    assert "larger than 1,000,000 bytes" in refusal(tmp_path, b"a: 1\n" + b"#" * 999_996)


def test_load_yaml_missing_file_and_folder_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_yaml(tmp_path)


CHARACTERS = st.characters(codec="ascii", exclude_characters="\x7f") | st.sampled_from("é漢😀")
TEXT = st.text(CHARACTERS, max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=VALUES)
def test_load_yaml_reads_every_json_document(tmp_path: Path, value: object) -> None:
    assert load_yaml(write(tmp_path, json.dumps(value, ensure_ascii=False))).data == value


def problems_of(folder: Path, text: str, model: type[BaseModel] = Model) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_model(path, model)
    return str(caught.value).replace(str(path), "file.yaml").splitlines()


def test_load_model_good_file_gives_the_model(tmp_path: Path) -> None:
    path = write(tmp_path, "name: NO\nfirst: 2024-01-31\nsize: all\nrules:\n- {kind: b}\n")
    model = load_model(path, Model)
    assert (model.name, model.first, model.size) == ("NO", date(2024, 1, 31), "all")
    assert model.rules == [Rule(kind="b")]


def test_load_model_unknown_nested_key_suggests_the_right_one(tmp_path: Path) -> None:
    text = "name: x\n\ndiscovery:\n  # rules\n  min_histry_bars: 3\n"
    assert problems_of(tmp_path, text) == [
        "file.yaml:5: discovery.min_histry_bars: unknown key; did you mean min_history_bars?"
    ]


def test_load_model_unknown_keys_in_lists_and_mappings_are_suggested(tmp_path: Path) -> None:
    text = "name: x\nrules:\n- kind: a\n- knd: b\nby_name:\n  one: {kindd: a}\n"
    assert problems_of(tmp_path, text) == [
        "file.yaml:4: rules.1.knd: unknown key; did you mean kind?",
        "file.yaml:6: by_name.one.kindd: unknown key; did you mean kind?",
    ]


def test_load_model_unknown_key_like_nothing_lists_the_known_ones(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "name: x\ndiscovery:\n  zzz: 1\n") == [
        "file.yaml:3: discovery.zzz: unknown key; known: kind, min_history_bars"
    ]


def test_load_model_every_problem_is_one_line_in_file_order(tmp_path: Path) -> None:
    text = "first: tomorrow\nsize: [1]\ndiscovery:\n  min_history_bars: many\n  kind: c\nnme: x\n"
    found = problems_of(tmp_path, text)
    assert [line.split(": ")[:2] for line in found] == [
        ["file.yaml:1", "first"],
        ["file.yaml:1", "name"],
        ["file.yaml:2", "size"],
        ["file.yaml:2", "size"],
        ["file.yaml:4", "discovery.min_history_bars"],
        ["file.yaml:5", "discovery.kind"],
        ["file.yaml:6", "nme"],
    ]
    assert found[1].endswith("name: this key is required")
    assert found[4].endswith("unable to parse string as an integer (found 'many')")
    assert found[5].endswith("Input should be 'a' or 'b' (found 'c')")
    assert found[6].endswith("unknown key; did you mean name?")


def test_load_model_validator_error_stands_on_the_mapping(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "\nname: bad\n") == ["file.yaml:2: name may not be bad"]


@pytest.mark.parametrize("text", ["", "just words", "- 1\n- 2\n"])
def test_load_model_document_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (line,) = problems_of(tmp_path, text)
    assert line.startswith("file.yaml:1: a mapping of keys to values is expected")


def test_load_model_section_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "name: x\ndiscovery: 12\n") == [
        "file.yaml:2: discovery: a mapping of keys to values is expected (found 12)"
    ]


def test_load_model_long_values_are_cut(tmp_path: Path) -> None:
    (line,) = problems_of(tmp_path, f"name: x\nfirst: {'9' * 500}\n")
    assert len(line) < 250
    assert line.endswith("...)")


def test_validate_part_of_a_file_keeps_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\nb:\n  c:\n    kind: z\n")
    with pytest.raises(ConfigError, match=r"file\.yaml:4: b\.c\.kind: .*found 'z'"):
        validate(load_yaml(path), Rule, under=("b", "c"))
    assert validate(load_yaml(path), Rule, under=("b", "nothing")) == Rule()
