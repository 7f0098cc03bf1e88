"""YAML files as plain values, with the line of every key, and as models with errors that say where.

Safe and bounded: no tags, no merge keys, at most 1 MB, 50 levels and 10,000 nodes from aliases.
Scalars follow the YAML 1.2 core schema: `NO`, `on`, `12:30` and dates are strings, `0777` is 777,
`1e-3` is a float. Keys are always strings.
"""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from quant_assets.core.errors import ConfigError
from quant_assets.core.redaction import looks_secret, redact

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_ALIAS_NODES = 10_000
MAX_SHOWN = 80

Keys = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

# The C parser of the same package, several times faster; it only cuts the text into events.
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Located:
    """Plain data of one file, and the line (from 1) on which each key path begins."""

    path: Path
    data: Any
    lines: Mapping[Keys, int]

    def line(self, keys: Keys = ()) -> int:
        """Line of a key path, or of the nearest one above it that the file has."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)


@dataclass(frozen=True)
class Problem:
    """One thing that a model refuses: key path in the data, and what is wrong there."""

    keys: Keys
    message: str

    def __str__(self) -> str:
        dotted = ".".join(str(key) for key in self.keys)
        return f"{dotted}: {self.message}" if dotted else self.message


def load_yaml(path: Path) -> Located:
    """Read one YAML document.

    Raises `ConfigError` that names file, line and column for what is not readable, not UTF-8, not
    YAML, too large or too deep, and for a key that a mapping has twice.
    """
    return parse_yaml(_read(path), path)


def parse_yaml(text: str, name: Path) -> Located:
    """Read one YAML document from text; `name` stands for it in errors, as in `load_yaml`."""
    _check_text(text, name)
    try:
        root = _Composer(name, yaml.parse(text, Loader=_PARSER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}"
        parts = [part for part in (error.context, error.problem) if part]
        raise ConfigError(f"{place}: not valid YAML: {', '.join(parts)}") from None
    return Located(name, root.value, dict(root.walk()))


def load_model(path: Path, model: type[ModelT]) -> ModelT:
    """Read one YAML document as `model`.

    Raises `ConfigError` with one line per problem: `file:line: dotted.path: message (found value)`.
    """
    return validate(load_yaml(path), model)


def validate(located: Located, model: type[ModelT], *, under: Keys = ()) -> ModelT:
    """Read the part of a file below the key path `under`, as `model`; errors as in `load_model`."""
    data = located.data
    for key in under:
        data = data.get(key, {}) if isinstance(data, Mapping) else {}
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [Problem(under + p.keys, p.message) for p in problems(error, model, data)]
    listing = sorted((located.line(problem.keys), str(problem)) for problem in found)
    raise ConfigError("\n".join(f"{located.path}:{line}: {text}" for line, text in listing))


def problems(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """List what pydantic found, in words for who wrote `data`; unknown keys get a suggestion."""
    return [
        _problem(
            details["type"], details["msg"], details["input"], _keys(details["loc"], data), model
        )
        for details in error.errors(include_url=False, include_context=False)
    ]


def _problem(kind: str, text: str, found: Any, keys: Keys, model: type[BaseModel]) -> Problem:
    if kind == "extra_forbidden":
        known = _known_keys(model, keys[:-1])
        close = difflib.get_close_matches(str(keys[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return Problem(keys, f"unknown key; {hint}")
    if kind == "missing":
        return Problem(keys, "this key is required")
    if kind in ("model_type", "model_attributes_type"):
        text = "a mapping of keys to values is expected"
    text = text.removeprefix("Value error, ")
    if isinstance(found, dict | list | BaseModel) and found:
        return Problem(keys, text)
    if any(looks_secret(str(key)) for key in keys):
        return Problem(keys, text)
    shown = redact(repr(found))
    shown = shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}..."
    return Problem(keys, f"{text} (found {shown})")


def _keys(location: Keys, data: Any) -> Keys:
    """Pydantic's location without the names of union members, which the file does not have."""
    keys: Keys = ()
    for position, part in enumerate(location):
        inside = range(len(data)) if isinstance(data, list) else data
        if isinstance(inside, Mapping | range) and part in inside:
            keys, data = (*keys, part), data[part]
        elif isinstance(data, Mapping) and position == len(location) - 1:
            keys = (*keys, part)
    return keys


def _known_keys(model: type[BaseModel], keys: Keys) -> list[str]:
    """Fields of the model, or models, that stand at a key path."""
    models: list[type[BaseModel]] = [model]
    for key in keys:
        if isinstance(key, str) and any(key in m.model_fields for m in models):
            fields = [m.model_fields[key] for m in models if key in m.model_fields]
            models = [inner for entry in fields for inner in _models_in(entry.annotation)]
    return sorted({one.alias or name for m in models for name, one in m.model_fields.items()})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Models inside an annotation such as `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes, the most that is read")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte 0x{content[error.start]:02X} is not UTF-8: save the file as UTF-8"
        ) from None
    return text


def _check_text(text: str, path: Path) -> None:
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes, the most that is read")
    odd = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise ConfigError(f"{path}:{line}: the character {odd[0]!r} is not allowed in YAML")


@dataclass
class _Node:
    """A value, its line and its children; `size` and `height` count what aliases repeat."""

    value: Any
    line: int
    children: dict[str | int, "_Node"] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def add(self, key: str | int, child: "_Node") -> None:
        self.children[key] = child
        self.size += child.size
        self.height = max(self.height, child.height + 1)

    def walk(self, keys: Keys = ()) -> Iterator[tuple[Keys, int]]:
        """Key path and line of this node and of all below it."""
        yield keys, self.line
        for key, child in self.children.items():
            yield from child.walk((*keys, key))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Composer:
    """Builds values from parser events, so that every limit holds before anything is expanded."""

    def __init__(self, path: Path, events: Iterator[Any]) -> None:
        self._path = path
        self._events = events
        self._anchors: dict[str, _Node | None] = {}
        self._alias_nodes = 0

    def document(self) -> _Node:
        """Compose the only document of the stream; an empty stream is null."""
        next(self._events)  # start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return _Node(None, 1)
        root = self._node(next(self._events), 1)
        next(self._events)  # end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document begins here: a file holds one")
        return root

    def _refuse(self, event: Any, message: str) -> NoReturn:
        mark = event.start_mark
        raise ConfigError(f"{self._path}:{mark.line + 1}:{mark.column + 1}: {message}")

    def _node(self, event: Any, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None  # open: an alias inside refers to itself
        if isinstance(event, yaml.ScalarEvent):
            node = _Node(self._scalar(event), _line(event))
        else:
            if event.tag not in (None, "!"):
                self._refuse(event, f"the tag {event.tag} is not allowed")
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            node = (self._mapping if is_mapping else self._sequence)(event, depth)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            known = "is not complete here" if event.anchor in self._anchors else "is not defined"
            self._refuse(event, f"the anchor &{event.anchor} {known}")
        self._alias_nodes += node.size
        if self._alias_nodes > MAX_ALIAS_NODES:
            self._refuse(event, f"aliases expand to more than {MAX_ALIAS_NODES:,} nodes")
        if depth + node.height - 1 > MAX_DEPTH:
            self._refuse(event, f"the alias nests deeper than {MAX_DEPTH} levels")
        return node

    def _mapping(self, event: Any, depth: int) -> _Node:
        node = _Node({}, _line(event))
        while not isinstance(key_event := next(self._events), yaml.MappingEndEvent):
            key = self._key(key_event)
            line = _line(key_event)
            if key in node.children:
                first = node.children[key].line
                self._refuse(key_event, f"the key {key!r} is already set on line {first}")
            child = self._node(next(self._events), depth + 1)
            node.value[key] = child.value
            placed = _Node(child.value, line, child.children, child.size, child.height)
            node.add(key, placed)
        return node

    def _sequence(self, event: Any, depth: int) -> _Node:
        node = _Node([], _line(event))
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            child = self._node(item, depth + 1)
            node.add(len(node.value), child)
            node.value.append(child.value)
        return node

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a key must be a plain word or a quoted string")
        if event.value == "<<" and not event.style:
            self._refuse(event, "merge keys (<<) are not part of YAML 1.2: write the keys out")
        if event.anchor is not None:
            self._anchors[event.anchor] = _Node(event.value, _line(event))
        return str(event.value)

    def _scalar(self, event: Any) -> Any:
        if event.tag not in _TEXT_TAGS:
            self._refuse(event, f"the tag {event.tag} is not allowed")
        is_plain = not event.style and event.tag is None
        return resolve_scalar(event.value) if is_plain else event.value


def resolve_scalar(text: str) -> Any:
    """Resolve an unquoted scalar by the YAML 1.2 core schema (YAML 1.2.2, section 10.3.2).

    Digits that no float can hold, such as `1e999`, stay text.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    special = _SPECIAL.fullmatch(text)
    if special:
        return float(f"{special[1]}inf") if special[2] else float("nan")
    return text
