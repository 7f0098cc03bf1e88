"""A package that offers the public names of its modules without importing them.

In the package's `__init__.py`:

    from quant_assets.core.lazy import attach

    __getattr__, __dir__, __all__ = attach(__name__)

A module takes part by stating `__all__` as a literal list or tuple of strings; it is imported when
one of its names is asked for. Nothing has to be listed when a module is added.
"""

import ast
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from quant_assets.core.errors import PluginError

Attached = tuple[Callable[[str], Any], Callable[[], list[str]], "PublicNames"]


class PublicNames(list[str]):
    """`__all__` of a package, read from its files when somebody first looks at it."""

    def __init__(self, package: str) -> None:
        super().__init__()
        self._package = package

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(public_names(self._package)))

    def __len__(self) -> int:
        return len(public_names(self._package))

    def __getitem__(self, index: Any) -> Any:  # `from package import *` asks by position
        return sorted(public_names(self._package))[index]

    def __contains__(self, name: object) -> bool:
        return name in public_names(self._package)

    def __repr__(self) -> str:
        return repr(sorted(public_names(self._package)))


def attach(package: str) -> Attached:
    """`__getattr__`, `__dir__` and `__all__` for the package called `package`."""

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if find_spec(f"{package}.{name}") is not None:  # a file: nothing has to be read for it
            return importlib.import_module(f"{package}.{name}")
        home = public_names(package).get(name)
        if home is None:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}; it offers "
                f"{', '.join(sorted(public_names(package)))}"
            )
        value = getattr(importlib.import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(public_names(package)), PublicNames(package)


class Deferred:
    """A module that is imported when something of it is first asked for.

    For kernels of modules that are imported with the graph: numba costs half a second.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


@cache
def public_names(package: str) -> dict[str, str]:
    """Public name -> the module that defines it, from the modules' `__all__` of one package.

    Raises `PluginError` for an `__all__` that is not a literal, and for a name that two modules
    offer or that is a module's own.
    """
    homes: dict[str, str] = {}
    files = {info.name for info in pkgutil.iter_modules(sys.modules[package].__path__)}
    for file in sorted(files):
        module = f"{package}.{file}"
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            continue
        for name in _stated(Path(spec.origin)):
            if name in homes:
                raise PluginError(f"{spec.origin}: {name!r} is also offered by {homes[name]}")
            if name in files:  # importing the file would put the module in the name's place
                raise PluginError(f"{spec.origin}: {name!r} is the name of a file of {package}")
            homes[name] = module
    return homes


def _stated(file: Path) -> list[str]:
    source = file.read_text(encoding="utf-8")
    if "__all__" not in source:
        return []
    for node in ast.parse(source, str(file)).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            try:
                return [str(name) for name in ast.literal_eval(node.value)]
            except ValueError as cause:
                raise PluginError(
                    f"{file}:{node.lineno}: __all__ must be a literal list of names"
                ) from cause
    return []
