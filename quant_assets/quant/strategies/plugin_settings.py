"""Plug-ins as settings spell them: `{name: {parameter: value}}`, checked, and as JSON Schema."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import pydantic
from pydantic import BaseModel, ConfigDict, create_model

from quant_assets.core.parameters import Range

Json = dict[str, Any]
# What strategy files call the parameters of indicators that have one letter.
LONG_NAMES: Mapping[str, str] = {"period": "n", "std_dev": "k", "multiple": "k"}


@cache
def settings_model(kind: type) -> type[BaseModel]:
    """The parameters of a plug-in class as a strict model: no unknown keys, no conversions."""
    hints = get_type_hints(kind)
    entries: dict[str, Any] = {}
    for field in fields(kind):
        if field.init and not field.name.startswith("_"):
            entries[field.name] = (_type_of(hints[field.name], field), _default_of(field))
    config = ConfigDict(strict=True, extra="forbid", title=getattr(kind, "name", kind.__name__))
    return cast("type[BaseModel]", create_model(kind.__name__, __config__=config, **entries))


def _type_of(hint: Any, field: "Field[Any]") -> Any:
    """The hint, with lists for tuples; words and bounds where the parameter declares them."""
    bounds = field.metadata.get("range")
    if isinstance(bounds, Range) and bounds.options:
        return Literal[bounds.options]
    if get_origin(hint) is tuple:
        return list[get_args(hint)[0]]  # type: ignore[misc]  # a type made of a hint
    return hint


def _default_of(field: "Field[Any]") -> Any:
    default: Any = ... if field.default is MISSING else field.default
    if field.default_factory is not MISSING:
        return pydantic.Field(default_factory=field.default_factory)
    limits: dict[str, Any] = {}
    bounds = field.metadata.get("range")
    if isinstance(bounds, Range) and not bounds.options and not field.metadata.get("by_symbol"):
        named = {"ge": bounds.least, "gt": bounds.above, "le": bounds.most, "lt": bounds.below}
        limits = {name: value for name, value in named.items() if math.isfinite(value)}
    if isinstance(default, tuple):
        default = list(default)
    return pydantic.Field(default=default, **limits)


def values_of(model: BaseModel) -> dict[str, Any]:
    """What was given, by parameter; lists as tuples."""
    given = {name: getattr(model, name) for name in model.model_fields_set}
    return {n: tuple(v) if isinstance(v, list) else v for n, v in given.items()}


def with_short_names(given: Mapping[str, Any], kind: type) -> tuple[Json, dict[str, str]]:
    """Settings of an indicator under its own parameter names, and the name each was written by."""
    known = {field.name for field in fields(kind)}
    written: dict[str, str] = {}
    values: Json = {}
    for name, value in given.items():
        short = LONG_NAMES.get(name, name)
        taken = short in given or short in values  # then the long name is refused as unknown
        own = short if name not in known and short in known and not taken else name
        values[own], written[own] = value, name
    return values, written


def suggestion(name: str, known: Mapping[str, Any]) -> str:
    """`did you mean …?`, or all that is known."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"


def plugin_schema(known: Mapping[str, type]) -> Json:
    """JSON Schema of `name` or `{name: {parameter: value}}` for all of these plug-ins."""
    bare = [name for name, kind in known.items() if not _required(kind)]
    forms: list[Json] = [
        {
            "type": "object",
            "properties": {name: {"anyOf": [_schema_of(kind)]}},
            "required": [name],
            "additionalProperties": False,
            "description": _summary(kind),
        }
        for name, kind in known.items()
    ]
    return {"anyOf": [{"enum": bare}, *forms]}


def typed_schema(known: Mapping[str, type]) -> Json:
    """JSON Schema of `{type: name, params: {…}}`."""
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"type": {"const": name}, "params": _schema_of(kind)},
                "required": ["type", "params"] if _required(kind) else ["type"],
                "additionalProperties": False,
                "description": _summary(kind),
            }
            for name, kind in known.items()
        ]
    }


def _required(kind: type) -> bool:
    return any(f.default is MISSING and f.default_factory is MISSING for f in fields(kind))


def _schema_of(kind: type) -> Json:
    schema = settings_model(kind).model_json_schema()
    for entry in schema.get("properties", {}).values():
        if isinstance(entry.get("default"), float) and not math.isfinite(entry["default"]):
            del entry["default"]  # JSON has no infinity
        entry.pop("title", None)
    schema.pop("title", None)
    return schema


def _summary(kind: type) -> str:
    return (kind.__doc__ or "").strip().split("\n", maxsplit=1)[0]
