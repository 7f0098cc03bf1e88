"""Plug-ins are found by walking a package: one file, one plug-in, no list to edit.

A class counts as a plug-in of its folder when it subclasses the folder's base, is defined in the
walked module, and has its own `name`. Other packages add plug-ins through the entry-point group
`quant_assets.<folder>`. A file that cannot be imported stops the program and is named.
"""

import difflib
import importlib
import inspect
import traceback
from functools import cache
from types import ModuleType
from typing import Any, TypeVar, cast

from quant_assets.core.errors import PluginError
from quant_assets.core.hashing import has_module, outside_modules, plugin_modules

T = TypeVar("T")


def _load(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as cause:
        frames = traceback.extract_tb(cause.__traceback__)
        own = [
            f for f in frames if "importlib" not in f.filename and "registry.py" not in f.filename
        ]
        place = own[-1] if own else frames[-1]
        file, line = place.filename, place.lineno
        if isinstance(cause, SyntaxError) and cause.filename:
            file, line = cause.filename, cause.lineno
        raise PluginError(
            f"plug-in {module} cannot be loaded: {file}:{line}: {type(cause).__name__}: {cause}. "
            "Mend the file or move it out of the package."
        ) from cause


def _modules(package: str) -> list[ModuleType]:
    _load(package)
    return [_load(module) for module in plugin_modules(package)]


def discover(package: str, base: type[T]) -> dict[str, type[T]]:
    """All plug-ins of `package` that subclass `base`, by name, sorted.

    Raises `PluginError` for a file that does not import, a plug-in without a name, or a name
    that two files claim.
    """
    return dict(_discover(package, cast("Any", base)))


@cache
def _discover(package: str, base: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in _modules(package):
        for _, member in inspect.getmembers(module, inspect.isclass):
            if not issubclass(member, base) or member.__module__ != module.__name__:
                continue
            if member is base or inspect.isabstract(member):
                continue
            name = vars(member).get("name")
            if not isinstance(name, str) or not name:
                where = _place(module, member)
                raise PluginError(f"{where}: {member.__name__} has no `name: ClassVar[str]`")
            if name in found:
                other = inspect.getsourcefile(found[name])
                where = _place(module, member)
                raise PluginError(f"{where}: the name {name!r} is already taken by {other}")
            found[name] = member
    return dict(sorted(found.items()))


def _place(module: ModuleType, member: type) -> str:
    """File and line of a class; its source is read only when there is something to tell."""
    return f"{module.__file__}:{inspect.getsourcelines(member)[1]}"


def find(package: str, base: type[T], name: str) -> type[T] | None:
    """The plug-in called `name`, or None.

    It is looked for in the file that is called like it, and only when it is not there, or other
    packages add plug-ins, in all files: a command that needs a few plug-ins loads no others.
    """
    module = f"{package}.{name}"
    if name.isidentifier() and has_module(module) and not outside_modules(package):
        for member in vars(_load(module)).values():
            if not isinstance(member, type) or member.__module__ != module:
                continue
            if issubclass(member, base) and vars(member).get("name") == name:
                return member
    return discover(package, base).get(name)


def get(package: str, base: type[T], name: str) -> type[T]:
    """The plug-in called `name`; a missing one lists those that are known."""
    found = find(package, base, name)
    if found is not None:
        return found
    known = discover(package, base)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise PluginError(
        f"no {base.__name__} named {name!r} in {package}; known: {sorted(known)}{hint}"
    )
