"""Code that can be reached from an object, and all places on the way that may remember something.

Functions lead to what they name in their module, to closures and defaults; classes to their
attributes; objects of the package's own or of the user's code to their state.
"""

import sys
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, MutableSet
from datetime import timedelta
from functools import cached_property
from inspect import isabstract
from operator import attrgetter, eq, is_
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from quant_assets.quant.leaks.names import ManyNames, Names, States
from quant_assets.quant.leaks.sources import clock_reads

MOST_OBJECTS = 2_000
MOST_SHARED = 256
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque, np.ndarray)
UNCHANGED = frozenset({type(None), bool, int, float, str, bytes, timedelta})
LIBRARY = ("quant_assets.quant.",)  # how names of its modules begin
CONTENTS = attrgetter("cell_contents")
PARTS = tuple(attrgetter(name) for name in ("__code__", "__defaults__", "__kwdefaults__"))
State = Mapping[str, Any]


class Reach:
    """What can be reached from objects, as it was when this was made.

    beyond : a reach whose part is left out. packages : those that are looked at although they are
    installed as libraries are.

    functions : those of packages whose state is looked at. containers : what holds values that may
    change: states of objects, dictionaries, lists, arrays. empty : those of functions, which hold
    nothing. caches : caches of functions.
    """

    def __init__(
        self, *roots: Any, beyond: "Reach | None" = None, packages: frozenset[str] = frozenset()
    ) -> None:
        self.functions: list[FunctionType] = []
        self.containers: list[Any] = []
        self.empty: list[State] = []
        self.caches: list[Any] = []
        self._seen: dict[int, Any] = {} if beyond is None else beyond._seen.copy()
        self._names: dict[int, Names] = {}
        self._beyond: dict[int, Names] = {} if beyond is None else beyond._beyond | beyond._names
        self._packages = packages
        self._foreign: dict[str | None, bool] = {}
        self._filled: list[Any] = []  # cells of closures
        self._filling: list[Any] = []  # what was in them
        self._unfilled: list[Any] = []
        self._classes: list[type] = []
        self._attributes: list[frozenset[str]] = []  # their names, one set for each class
        self._attributes_now: list[Any] = []
        self._states: list[tuple[State, State]] = []
        self._wrapped: list[tuple[Any, Any]] = []
        for root in roots:
            self._visit(root)
        self._named = ManyNames(self._names.values())

    @property
    def clock_reads(self) -> tuple[str, ...]:
        """Calls of the wall clock in its code."""
        return clock_reads(self.functions)

    def restore(self) -> None:
        """Empty caches; put back what is named, what closures hold, which attributes there are."""
        for cache in self.caches:
            cache.cache_clear()
        self._named.restore()
        if not self._same_cells():
            for cell, value in zip(self._filled, self._filling, strict=True):
                cell.cell_contents = value
        if not all(map(eq, self._attributes_now, self._attributes)):
            for kind, names in zip(self._classes, self._attributes, strict=True):
                _keep_only(kind, names)

    def _same_cells(self) -> bool:
        try:
            return all(map(is_, map(CONTENTS, self._filled), self._filling))
        except ValueError:  # emptied
            return False

    def _visit(self, item: Any) -> None:
        kind = type(item)
        if kind in UNCHANGED or id(item) in self._seen or len(self._seen) > MOST_OBJECTS:
            return
        self._seen[id(item)] = item
        if kind is FunctionType and not item.__dict__:
            self._visit_function(item)
        elif hasattr(item, "cache_clear") and hasattr(item, "__wrapped__"):
            self.caches.append(item)
            self._visit_wrapped(item)
        elif isinstance(item, MethodType):
            self._visit(item.__func__)
            self._visit(item.__self__)
        elif isinstance(item, FunctionType):
            self._visit_function(item)
        elif isinstance(item, type):
            self._visit_class(item)
        elif isinstance(item, CONTAINERS):
            self.containers.append(item)
        elif isinstance(getattr(item, "__wrapped__", None), FunctionType):
            self._visit_wrapped(item)
        elif not self._is_foreign(kind.__module__):
            self._visit_object(item)

    def _visit_function(self, function: FunctionType) -> None:
        if self._is_foreign(function.__module__):
            return
        self.functions.append(function)
        for value in self._names_of(function.__globals__).look_up(function.__code__):
            self._visit(value)
        for cell in function.__closure__ or ():
            self._visit_cell(cell)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._visit(value)
        if function.__dict__:
            self._visit(function.__dict__)
        else:
            self.empty.append(function.__dict__)

    def _visit_cell(self, cell: Any) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # not filled yet
            self._unfilled.append(cell)
            return
        self._filled.append(cell)
        self._filling.append(value)
        self._visit(value)

    def _visit_wrapped(self, item: Any) -> None:
        self._wrapped.append((item, item.__wrapped__))
        self._visit(item.__wrapped__)

    def _visit_class(self, kind: type) -> None:
        for base in kind.__mro__:
            if (base is not kind and id(base) in self._seen) or self._is_foreign(base.__module__):
                continue
            self._seen[id(base)] = base
            known = self._names_of(base)
            attributes = vars(base).copy()
            for name, value in attributes.items():
                if isinstance(value, FunctionType):
                    self._visit(value)
                elif not name.startswith("__"):
                    plain = value.fget if isinstance(value, property) else value
                    plain = getattr(plain, "__func__", plain)
                    if not callable(plain) and not isinstance(value, property):
                        known.present.setdefault(name, value)
                    self._visit(plain)
            self._classes.append(base)
            self._attributes.append(frozenset(attributes))
            self._attributes_now.append(vars(base).keys())
            self._states.append((vars(base), attributes))

    def _visit_object(self, item: Any) -> None:
        self._visit(type(item))
        state = getattr(item, "__dict__", None)
        if isinstance(state, dict):
            self.containers.append(state)
            self._states.append((state, state.copy()))
            for value in state.values():
                self._visit(value)

    def _names_of(self, owner: Any) -> Names:
        known = self._names.get(id(owner))
        if known is None:
            known = self._names[id(owner)] = Names(owner, self._beyond.get(id(owner)))
        return known

    def _is_foreign(self, module: str | None) -> bool:
        if module not in self._foreign:
            self._foreign[module] = _is_foreign(module, self._packages)
        return self._foreign[module]


class SharedReach(Reach):
    """What objects of some classes reach through these: walked once in a process.

    Whether it is what it was is seen without a walk: the same code, names, attributes and states.
    """

    def __init__(self, kinds: tuple[type, ...], beyond: Reach | None) -> None:
        super().__init__(*kinds, beyond=beyond)
        self.beyond = beyond
        self._parts = [list(map(part, self.functions)) for part in PARTS]
        keywords = [function.__kwdefaults__ for function in self.functions]
        self._states += [(given, given.copy()) for given in keywords if given]
        self._held = States(self._states)

    @cached_property
    def clock_reads(self) -> tuple[str, ...]:
        """See `Reach`."""
        return super().clock_reads

    def unchanged(self) -> bool:
        """Whether a walk would find what it found."""
        return (
            self._named.unchanged()
            and self._named.same_modules()
            and not any(self.empty)
            and self._same_cells()
            and not any(map(_is_filled, self._unfilled))
            and all(item.__wrapped__ is inside for item, inside in self._wrapped)
            and self._held.unchanged()
            and all(
                all(map(is_, map(part, self.functions), saved))
                for part, saved in zip(PARTS, self._parts, strict=True)
            )
        )


_SHARED: dict[tuple[type, ...], SharedReach] = {}


def shared_reaches(root: Any) -> list[SharedReach]:
    """Those of the library's classes which an object, and what it holds, are of.

    The last is that of abstract classes, which most plug-ins of a kind have in common; the first
    goes on from it to classes that are plug-ins themselves.
    """
    found: list[SharedReach] = []
    library = [_of_library(kind) for kind in _kinds(root)]
    abstract = [kind for kinds in library for kind in [*filter(isabstract, kinds)][:1]]
    plug_ins = [kind for kinds in library for kind in kinds[:1] if not isabstract(kind)]
    for kinds in (tuple(dict.fromkeys(abstract)), tuple(dict.fromkeys(plug_ins))):
        if kinds:
            found.insert(0, _shared(kinds, found[0] if found else None))
    return found


def packages_of(root: Any) -> frozenset[str]:
    """Packages of a function, and of the plug-ins that an object is and holds.

    They are installed where libraries are, and what they remember is as much a part of the check.
    """
    owners: set[Any] = {root} if isinstance(root, FunctionType) else set()
    waiting, seen = [root], {id(root)}
    while waiting and len(seen) < MOST_OBJECTS:
        item = waiting.pop()
        if _of_library(type(item)):
            owners.add(type(item))
        if isinstance(item, type | FunctionType):
            continue
        state = item if isinstance(item, dict) else getattr(item, "__dict__", {})
        inside = item if isinstance(item, tuple | list) else state.values()
        found = [one for one in inside if type(one) not in UNCHANGED and id(one) not in seen]
        waiting += found
        seen.update(map(id, found))
    return frozenset(str(owner.__module__).split(".")[0] for owner in owners)


def _shared(kinds: tuple[type, ...], beyond: SharedReach | None) -> SharedReach:
    known = _SHARED.get(kinds)
    if known is None or known.beyond is not beyond or not known.unchanged():
        if len(_SHARED) >= MOST_SHARED:
            _SHARED.clear()
        known = _SHARED[kinds] = SharedReach(kinds, beyond)
    return known


def _of_library(kind: type) -> list[type]:
    return [one for one in kind.__mro__ if str(one.__module__).startswith(LIBRARY)]


def _kinds(root: Any) -> Iterator[type]:
    """Classes of an object, and of the objects that it holds."""
    waiting, seen = [root], {id(root)}
    while waiting and len(seen) < MOST_OBJECTS:
        item = waiting.pop(0)
        yield type(item)
        state = getattr(item, "__dict__", None)
        if isinstance(state, dict) and not isinstance(item, type | FunctionType):
            found = [one for one in state.values() if type(one) not in UNCHANGED]
            waiting += [one for one in found if id(one) not in seen]
            seen.update(map(id, found))


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _keep_only(kind: type, names: frozenset[str]) -> None:
    """Take away attributes that were added to a class."""
    for name in [name for name in vars(kind) if name not in names]:
        if not name.startswith(("__", "_abc")):
            delattr(kind, name)


def _is_foreign(module: str | None, packages: frozenset[str]) -> bool:
    """Whether code belongs to a library: its state is its own."""
    if module is None:
        return True
    package = module.split(".")[0]
    if package in sys.stdlib_module_names - {"__main__"}:
        return True
    if module.startswith("quant_assets."):
        return not module.startswith(LIBRARY)
    if package in packages:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
