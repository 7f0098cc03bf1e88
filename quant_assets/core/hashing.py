"""Digests of plain values and of code. Frames are hashed in `quant_assets.storage`."""

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from quant_assets.core.errors import ConfigError
from quant_assets.core.syntax import PACKAGE, Syntax, syntax_cache

ROOT = Path(__file__).resolve().parent.parent
LAZY = f"{PACKAGE}.core.lazy"  # a package that attaches its modules' names may run any of them


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys, no spaces and `repr` floats: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def digest(value: Any) -> str:
    """SHA-256 hex digest of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def source_digest(source: str) -> str:
    """Digest of a module's logic: comments, docstrings, layout and line numbers do not count."""
    return syntax_cache().parse(source).digest


@cache
def _module_path(module: str) -> Path | None:
    """File of a module of this package, found without importing it."""
    relative = Path(*module.split(".")[1:])
    for candidate in (ROOT / relative / "__init__.py", (ROOT / relative).with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _imports(syntax: Syntax) -> set[str]:
    """Absolute modules of this package that a module imports, at any depth of its code."""
    found: set[str] = set()
    for module, names in syntax.imports:
        named = {f"{module}.{name}" if module else name for name in names}
        found |= named
        if module and not (_is_lazy(module) and all(map(_module_path, named))):
            found.add(module)
    return {m for m in found if _module_path(m) is not None}


@cache
def _is_lazy(module: str) -> bool:
    """Whether a package only attaches its modules' names: one of its files can be read alone."""
    path = _module_path(module) if module.startswith(f"{PACKAGE}.") else None
    return path is not None and path.name == "__init__.py" and LAZY in path.read_text("utf-8")


@cache
def _read_module(module: str) -> tuple[str, frozenset[str]]:
    path = _module_path(module)
    if path is None:
        raise ConfigError(f"no module {module!r} in {PACKAGE}: name an importable library module")
    syntax = syntax_cache().parse(path.read_text(encoding="utf-8"))
    imported = _imports(syntax)
    if path.name == "__init__.py" and LAZY in imported:
        imported |= {f"{module}.{file.stem}" for file in path.parent.glob("[!_]*.py")}
    return syntax.digest, frozenset(imported)


def plugin_modules(package: str) -> list[str]:
    """Every module of a plug-in package, and those that other packages add by entry point.

    The entry-point group is the package's name without `quant_assets.quant.`: plug-ins of
    `quant_assets.quant.features` are registered under `quant_assets.features`.
    """
    path = _module_path(package)
    if path is None or path.name != "__init__.py":
        raise ConfigError(f"{package!r} is not a plug-in package: it has no __init__.py")
    names = sorted(p.stem for p in path.parent.glob("*.py") if not p.stem.startswith("_"))
    return [*(f"{package}.{name}" for name in names), *outside_modules(package)]


def has_module(module: str) -> bool:
    """Whether this package has a public module of that name; it is not imported."""
    return not module.rpartition(".")[2].startswith("_") and _module_path(module) is not None


def outside_modules(package: str) -> tuple[str, ...]:
    """Modules that other packages add to a plug-in package by entry point, sorted."""
    return _offered(tuple(sys.path)).get(package.replace(f"{PACKAGE}.quant.", f"{PACKAGE}."), ())


@cache
def _offered(search: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Modules by entry-point group of what is installed along `search`, the search path."""
    del search
    points = entry_points()
    ours = [group for group in points.groups if group.startswith(f"{PACKAGE}.")]
    return {g: tuple(sorted(point.module for point in points.select(group=g))) for g in ours}


@cache
def code_digest(modules: tuple[str, ...], plugin_packages: tuple[str, ...] = ()) -> str:
    """Digest of `modules`, of every file in `plugin_packages`, and of all that they import from us.

    Normalised syntax trees are hashed, so a comment or a docstring changes nothing and a changed
    constant changes every cell that depends on it.
    """
    pending = list(modules)
    for package in plugin_packages:
        pending.extend([package, *plugin_modules(package)])
    seen: dict[str, str] = {}
    while pending:
        module = pending.pop()
        if module in seen:
            continue
        own = foreign_digest(module) if module.split(".")[0] != PACKAGE else None
        if own is not None:
            seen[module] = own
            continue
        seen[module], imported = _read_module(module)
        pending.extend(imported)
    syntax_cache().save()
    return digest(seen)


def foreign_digest(module: str) -> str:
    """Digest of a plug-in module that lives in another package (entry points)."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ConfigError(f"no source file for module {module!r}: plug-ins must be plain modules")
    return source_digest(Path(spec.origin).read_text(encoding="utf-8"))


def combine(parts: Mapping[str, str] | Iterable[str]) -> str:
    """Digest of several digests, in a fixed order."""
    return digest(dict(parts) if isinstance(parts, Mapping) else list(parts))
