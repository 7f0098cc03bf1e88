"""Which strategy it was: semantic version, hash of logic and settings, hash of parameters."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
import yaml

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import (
    code_digest,
    combine,
    digest,
    foreign_digest,
    source_digest,
)
from quant_assets.quant.strategies.function_parameters import logic_of

__all__ = [
    "checked_version",
    "modules_of",
    "param_hash",
    "param_yaml",
    "parameters_of",
    "strategy_hash",
]

# Semantic Versioning 2.0.0, the expression that its page suggests.
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)
PACKAGE = "quant_assets"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
NOT_PARAMETERS = frozenset({"log", "cache"})


def checked_version(version: str) -> str:
    """The version, when it is a semantic one (`2.1.0`); a `ConfigError` else."""
    if not isinstance(version, str) or SEMVER.fullmatch(version) is None:
        raise ConfigError(
            f"version {version!r} is not semantic: write three numbers in quotes, as in '2.1.0'"
        )
    return version


def parameters_of(part: Any) -> Any:
    """Parameters of a strategy or of a part of it as plain values: names, numbers, lists.

    Dataclasses become mappings of their fields, plug-ins with their `name` under `type`; functions
    their name, the digest of their logic, and their defaults. A `ConfigError` for what has no text
    but the place where it lies in memory: its hash would be another one in every process.
    """
    if is_dataclass(part) and not isinstance(part, type):
        named = {"type": getattr(part, "name", type(part).__name__)}
        given = {
            field.name: parameters_of(getattr(part, field.name))
            for field in fields(part)
            if not field.name.startswith("_") and field.name not in NOT_PARAMETERS
        }
        columns = {"inputs": list(part.inputs)} if hasattr(part, "inputs") else {}
        return named | columns | given
    if isinstance(part, Mapping):
        return {str(key): parameters_of(part[key]) for key in sorted(part, key=str)}
    if isinstance(part, list | tuple):
        return [parameters_of(one) for one in part]
    if isinstance(part, FunctionType):
        defaults = [*(part.__defaults__ or ()), *(part.__kwdefaults__ or {}).values()]
        told = {"function": part.__name__, "logic": logic_of(part)}
        return told | {"defaults": parameters_of(defaults)}
    if isinstance(part, partial):
        called = {"arguments": parameters_of(part.args), "named": parameters_of(part.keywords)}
        return {"partial": parameters_of(part.func)} | called
    return _plain(part)


def _plain(value: Any) -> Any:
    """A number, a word or None as it is; an array as lists, anything else as its text."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    text = str(value)
    if ADDRESS.search(text):
        raise ConfigError(
            f"a parameter is {text}: that is where it lies in memory, another place in every "
            "process, so its hash cannot be told. Make it a dataclass, or give it a __repr__ of "
            "its values"
        )
    return text


def _own_parameters(strategy: Any) -> dict[str, Any]:
    """Parameters without what has columns of its own: name and version."""
    found = parameters_of(strategy)
    return {key: found[key] for key in found if key not in {"type", "name", "version"}}


def param_yaml(strategy: Any) -> str:
    """The parameters as YAML text, which `core.yaml_loader` reads back to equal values."""
    return yaml.safe_dump(_own_parameters(strategy), sort_keys=True, allow_unicode=True, width=100)


def param_hash(strategy: Any) -> str:
    """SHA-256 of the parameters: equal ones give equal hashes, whatever the code."""
    return digest(_own_parameters(strategy))


def strategy_hash(strategy: Any, settings: Mapping[str, Any] | None = None) -> str:
    """SHA-256 of the logic of every part and of the parameters; and of a file's `settings`.

    Logic is the normalised syntax tree of the modules that define the parts and of all that these
    import from this package: comments, docstrings and layout do not count, a changed line does. So
    it is with the settings: their values count, not how the file is written. Of parts of other
    packages, their own module counts; of parts of a notebook, the class.
    """
    modules, sources = set(), {}
    for kind in sorted(
        set(_kinds(strategy)), key=lambda one: f"{one.__module__}.{one.__qualname__}"
    ):
        if kind.__module__.split(".")[0] == PACKAGE:
            modules.add(kind.__module__)
        elif kind.__module__ == "__main__":
            sources[kind.__qualname__] = _foreign_digest(kind)
        else:
            sources[kind.__module__] = _foreign_digest(kind)
    return combine(
        {
            "modules": code_digest(tuple(sorted(modules))),
            "sources": digest(sources),
            "parameters": param_hash(strategy),
            "settings": digest(settings or {}),
        }
    )


def modules_of(part: Any) -> tuple[str, ...]:
    """Modules that define a strategy or an execution, its bases and all its parts; sorted."""
    return tuple(sorted({kind.__module__ for kind in _kinds(part)}))


def _kinds(part: Any) -> Iterator[type]:
    """Classes of a part, of its bases, and of all parts inside it."""
    if is_dataclass(part) and not isinstance(part, type):
        for kind in type(part).__mro__:
            if kind is not object and kind.__module__ not in {"abc", "typing"}:
                yield kind
        for field in fields(part):
            yield from _kinds(getattr(part, field.name))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _kinds(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _kinds(value)


def _foreign_digest(kind: type) -> str:
    """Logic of another package's module; in a notebook or a script, of the class alone."""
    module = sys.modules.get(kind.__module__)
    if kind.__module__ != "__main__" and getattr(module, "__file__", None):
        return foreign_digest(kind.__module__)
    try:
        return source_digest(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError) as cause:
        raise ConfigError(
            f"{kind.__qualname__} has no source that can be read, so its version cannot be told: "
            "put it into a file"
        ) from cause
