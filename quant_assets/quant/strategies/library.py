"""The library: strategies of `classic`, `modern` and `experimental`, one file each, by name."""

import difflib
from collections.abc import Mapping
from typing import Any

from quant_assets.core.errors import PluginError
from quant_assets.core.hashing import has_module
from quant_assets.core.parameters import make
from quant_assets.core.registry import discover, find
from quant_assets.quant.strategies.base import Strategy

__all__ = ["LIBRARY", "find_strategy", "library_strategies", "make_strategy"]

LIBRARY = ("classic", "modern", "experimental")


def _package(folder: str) -> str:
    return f"quant_assets.quant.strategies.{folder}"


def library_strategies(folder: str | None = None) -> dict[str, type[Strategy]]:
    """Strategies by name, sorted: of one folder, or of all; plug-ins of other packages as well.

    Raises `PluginError` for a folder that there is not, and for a name that two folders claim.
    """
    if folder is not None and folder not in LIBRARY:
        raise PluginError(f"no folder {folder!r} in the library; known: {', '.join(LIBRARY)}")
    found: dict[str, type[Strategy]] = {}
    for one in LIBRARY if folder is None else (folder,):
        for name, kind in discover(_package(one), Strategy).items():
            if name in found:
                raise PluginError(
                    f"the name {name!r} is claimed by {found[name].__module__} and by "
                    f"{kind.__module__}; rename one of them"
                )
            found[name] = kind
    return dict(sorted(found.items()))


def find_strategy(name: str) -> type[Strategy]:
    """The class of the strategy called `name`; a `PluginError` names those that there are."""
    return _placed(name)[1]


def make_strategy(name: str, parameters: Mapping[str, Any] | None = None) -> Strategy:
    """The strategy called `name` with these parameters; unknown ones are a `ConfigError`."""
    return make(_placed(name)[0], Strategy, name, parameters)


def _placed(name: str) -> tuple[str, type[Strategy]]:
    """Package and class of a strategy; the file that is called like it is looked at first."""
    for package in map(_package, LIBRARY):
        found = find(package, Strategy, name) if has_module(f"{package}.{name}") else None
        if found is not None:
            return package, found
    known = library_strategies()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" did you mean {near[0]!r}?" if near else ""
        raise PluginError(
            f"no strategy named {name!r} in the library;{hint} known: {', '.join(known)}"
        )
    folder = next(one for one in LIBRARY if name in library_strategies(one))
    return _package(folder), known[name]
