"""What code remembers between calls: found, put back before a run, left alone to see its effect.

A cache that was filled from all data answers for half of them as well, and hides or makes a leak.
So each run of a check begins from what was remembered before the check: attributes of the object
and of its classes, module variables that the code names, closures, defaults, function caches.
"""

import copy
import sys
from collections import deque
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from datetime import date, timedelta
from functools import lru_cache
from operator import is_
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

MOST_OBJECTS = 2_000
MOST_BYTES = 64 * 2**20
ABSENT: Any = object()
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque, np.ndarray)
# What cannot change itself: a plain dictionary of these is as it was when it holds the same ones.
CONSTANT = (type(None), bool, int, float, str, bytes, type, FunctionType, timedelta, date)
UNCHANGED = frozenset({type(None), bool, int, float, str, bytes, timedelta})
MOST_CODES = 16_384


class Memory:
    """The remembered state that can be reached from an object, as it was when this was made."""

    def __init__(self, root: Any) -> None:
        self._names: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._cells: list[tuple[Any, Any]] = []
        self._contents: list[tuple[Any, Any]] = []
        self._plain: list[tuple[Any, Any]] = []
        self._empty: list[Any] = []
        self._caches: list[Any] = []
        self._seen: dict[int, Any] = {}
        self._foreign: dict[str | None, bool] = {}
        self._classes: list[tuple[type, frozenset[str]]] = []
        self.functions: list[FunctionType] = []
        self.lost: list[str] = []
        self._visit(root)
        owners = [(owner, values) for owner, values in self._names.values() if values]
        self._named = [(o, name, value) for o, values in owners for name, value in values.items()]
        self._values = [value for _, _, value in self._named]
        self._places = [
            (owner if isinstance(owner, dict) else vars(owner), name)
            for owner, name, _ in self._named
        ]

    def restore(self) -> None:
        """Put everything back."""
        for cache in self._caches:
            cache.cache_clear()
        self._restore_names()
        for filled in filter(None, self._empty):
            filled.clear()
        for owner, saved in self._plain:
            if owner.keys() != saved.keys() or not all(map(is_, owner.values(), saved.values())):
                _replace(owner, saved)
        for owner, saved in self._contents:
            _refill(owner, copy.deepcopy(saved))

    def _restore_names(self) -> None:
        """Names of modules, classes and cells; most are as they were, which is seen at a glance."""
        now = [place.get(name, ABSENT) for place, name in self._places]
        if not all(map(is_, now, self._values)):
            for owner, name, value in self._named:
                _put(owner, name, value)
        for cell, value in self._cells:
            if _contents(cell) is not value:
                _put(cell, "cell_contents", value)
        for kind, names in self._classes:
            if vars(kind).keys() != names:
                _keep_only(kind, names)

    def _visit(self, item: Any) -> None:
        if type(item) in UNCHANGED or id(item) in self._seen or len(self._seen) > MOST_OBJECTS:
            return
        self._seen[id(item)] = item
        if hasattr(item, "cache_clear") and hasattr(item, "__wrapped__"):
            self._caches.append(item)
            self._visit(item.__wrapped__)
        elif isinstance(item, MethodType):
            self._visit(item.__func__)
            self._visit(item.__self__)
        elif isinstance(item, FunctionType):
            self._visit_function(item)
        elif isinstance(item, type):
            self._visit_class(item)
        elif isinstance(item, CONTAINERS):
            self._keep(item)
        elif isinstance(getattr(item, "__wrapped__", None), FunctionType):
            self._visit(item.__wrapped__)
        elif self._is_own(item):
            self._visit_object(item)

    def _visit_function(self, function: FunctionType) -> None:
        if self._is_foreign(function.__module__):
            return
        self.functions.append(function)
        known = self._names_of(function.__globals__)
        for name in names_in(function.__code__):
            value = function.__globals__.get(name, ABSENT)
            if name not in known and not isinstance(value, ModuleType):
                known[name] = value
                if value is not ABSENT:
                    self._visit(value)
        for cell in function.__closure__ or ():
            value = _contents(cell)
            self._cells.append((cell, value))
            self._visit(value)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._visit(value)
        if vars(function):
            self._visit(vars(function))
        else:
            self._empty.append(vars(function))

    def _visit_class(self, kind: type) -> None:
        for base in kind.__mro__:
            if (base is not kind and id(base) in self._seen) or self._is_foreign(base.__module__):
                continue
            self._seen[id(base)] = base
            known = self._names_of(base)
            for name, value in list(vars(base).items()):
                if name.startswith("__") and not isinstance(value, FunctionType):
                    continue
                plain = value.fget if isinstance(value, property) else value
                plain = getattr(plain, "__func__", plain)
                if not callable(plain) and not isinstance(value, property):
                    known.setdefault(name, value)
                self._visit(plain)
            self._classes.append((base, frozenset(vars(base))))

    def _visit_object(self, item: Any) -> None:
        self._visit(type(item))
        state = getattr(item, "__dict__", None)
        if isinstance(state, dict):
            self._keep(state)
            for value in state.values():
                self._visit(value)

    def _names_of(self, owner: Any) -> dict[str, Any]:
        """What is remembered under names of a module, a class or a cell."""
        return self._names.setdefault(id(owner), (owner, {}))[1]

    def _is_foreign(self, module: str | None) -> bool:
        if module not in self._foreign:
            self._foreign[module] = _is_foreign(module)
        return self._foreign[module]

    def _is_own(self, item: Any) -> bool:
        return item is not ABSENT and not self._is_foreign(type(item).__module__)

    def _keep(self, container: Any) -> None:
        if type(container) in {dict, set, list} and not container:
            self._empty.append(container)
            return
        if _is_plain(container):
            self._plain.append((container, container.copy()))
            return
        if sys.getsizeof(container) > MOST_BYTES or getattr(container, "nbytes", 0) > MOST_BYTES:
            return
        try:
            saved = copy.deepcopy(container)
        except Exception as error:  # noqa: BLE001 - whatever cannot be copied is left as it is
            what = type(container).__name__
            self.lost.append(f"a {what} that the code reaches is not put back: {error}")
            return
        self._contents.append((container, saved))


def _keep_only(kind: type, names: frozenset[str]) -> None:
    """Take away attributes that were added to a class."""
    for name in [name for name in vars(kind) if name not in names]:
        if not name.startswith(("__", "_abc")):
            delattr(kind, name)


def functions_of(root: Any) -> list[FunctionType]:
    """Plain functions that an object's code reaches, itself included, other packages left out."""
    return Memory(root).functions


@lru_cache(MOST_CODES)
def names_in(code: CodeType) -> tuple[str, ...]:
    """Names that code and the functions inside it look up, each once."""
    return tuple(dict.fromkeys(name for part in codes_of(code) for name in part.co_names))


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """Code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return ABSENT


def _is_foreign(module: str | None) -> bool:
    """Whether code belongs to a library: its state is its own."""
    if module is None:
        return True
    if module.split(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return True
    if module.startswith("quant_assets.") and not module.startswith("quant_assets.quant."):
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _put(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        if value is ABSENT:
            owner.pop(name, None)
        elif owner.get(name, ABSENT) is not value:
            owner[name] = value
        return
    if value is ABSENT:
        return
    current = vars(owner).get(name, ABSENT) if isinstance(owner, type) else _contents(owner)
    if current is not value:
        setattr(owner, name, value)


def _is_plain(container: Any) -> bool:
    """Whether a container is a dictionary of nothing but what cannot change itself."""
    return type(container) is dict and all(
        type(name) is str and isinstance(value, CONSTANT) for name, value in container.items()
    )


def _refill(owner: Any, saved: Any) -> None:
    if isinstance(owner, np.ndarray):
        _copy_over(owner, saved)
    else:
        _replace(owner, saved)


def _copy_over(owner: Any, saved: Any) -> None:
    if owner.flags.writeable:
        owner[...] = saved


def _replace(owner: Any, saved: Any) -> None:
    owner.clear()
    if isinstance(owner, MutableMapping):
        owner.update(saved)
    elif isinstance(owner, MutableSet):
        owner |= saved
    else:
        owner.extend(saved)
