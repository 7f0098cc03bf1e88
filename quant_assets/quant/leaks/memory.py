"""What code remembers between calls: found, put back before a run, left alone to see its effect.

A cache that was filled from all data answers for half of them as well, and hides or makes a leak.
So each run of a check begins from what was remembered before the check: attributes of the object
and of its classes, module variables that the code names, closures, defaults, function caches.
"""

import copy
import sys
from collections import deque
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

MOST_OBJECTS = 2_000
MOST_BYTES = 64 * 2**20
ABSENT: Any = object()
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque, np.ndarray)
# What cannot change itself: a plain dictionary of these is as it was when it holds the same ones.
CONSTANT = (type(None), bool, int, float, str, bytes, type, FunctionType)


class Memory:
    """The remembered state that can be reached from an object, as it was when this was made."""

    def __init__(self, root: Any) -> None:
        self._names: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._contents: list[tuple[Any, Any]] = []
        self._caches: list[Any] = []
        self._seen: dict[int, Any] = {}
        self.functions: list[FunctionType] = []
        self.lost: list[str] = []
        self._visit(root)

    def restore(self) -> None:
        """Put everything back."""
        for cache in self._caches:
            cache.cache_clear()
        for owner, name, value in self._names.values():
            _put(owner, name, value)
        for owner, saved in self._contents:
            if not _as_it_was(owner, saved):
                _refill(owner, copy.deepcopy(saved))

    def _visit(self, item: Any) -> None:
        if id(item) in self._seen or len(self._seen) > MOST_OBJECTS:
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
        elif _is_own(item):
            self._visit_object(item)

    def _visit_function(self, function: FunctionType) -> None:
        if _is_foreign(function.__module__):
            return
        self.functions.append(function)
        for code in codes_of(function.__code__):
            for name in code.co_names:
                value = function.__globals__.get(name, ABSENT)
                if not isinstance(value, ModuleType):
                    self._name(function.__globals__, name, value)
                    self._visit(value)
        for cell in function.__closure__ or ():
            value = _contents(cell)
            self._name(cell, "cell_contents", value)
            self._visit(value)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._visit(value)
        self._visit(vars(function))

    def _visit_class(self, kind: type) -> None:
        for base in kind.__mro__:
            if _is_foreign(base.__module__):
                continue
            for name, value in list(vars(base).items()):
                if name.startswith("__") and not isinstance(value, FunctionType):
                    continue
                plain = value.fget if isinstance(value, property) else value
                plain = getattr(plain, "__func__", plain)
                if not callable(plain) and not isinstance(value, property):
                    self._name(base, name, value)
                self._visit(plain)
            own = {name for name in vars(base) if not name.startswith("__")}
            self._contents.append((_Attributes(base), own))

    def _visit_object(self, item: Any) -> None:
        self._visit(type(item))
        state = getattr(item, "__dict__", None)
        if isinstance(state, dict):
            self._keep(state)
            for value in state.values():
                self._visit(value)

    def _name(self, owner: Any, name: str, value: Any) -> None:
        self._names.setdefault((id(owner), name), (owner, name, value))

    def _keep(self, container: Any) -> None:
        if sys.getsizeof(container) > MOST_BYTES or getattr(container, "nbytes", 0) > MOST_BYTES:
            return
        try:
            saved = copy.deepcopy(container)
        except Exception as error:  # noqa: BLE001 - whatever cannot be copied is left as it is
            what = type(container).__name__
            self.lost.append(f"a {what} that the code reaches is not put back: {error}")
            return
        self._contents.append((container, saved))


class _Attributes:
    """The names of a class's attributes; those that are added are taken away again."""

    def __init__(self, owner: type) -> None:
        self.owner = owner

    def keep_only(self, names: set[str]) -> None:
        for name in [n for n in vars(self.owner) if not n.startswith("__") and n not in names]:
            if not name.startswith("_abc"):
                delattr(self.owner, name)


def functions_of(root: Any) -> list[FunctionType]:
    """Plain functions that an object's code reaches, itself included, other packages left out."""
    return Memory(root).functions


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


def _is_own(item: Any) -> bool:
    return item is not ABSENT and not _is_foreign(type(item).__module__)


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


def _as_it_was(owner: Any, saved: Any) -> bool:
    """Whether a plain dictionary or set holds the very objects that it held, all unchangeable."""
    if type(owner) is set and len(owner) == len(saved) == 0:
        return True
    if type(owner) is not dict or len(owner) != len(saved):
        return False
    return all(
        isinstance(value, CONSTANT) and owner.get(name, ABSENT) is value
        for name, value in saved.items()
    )


def _refill(owner: Any, saved: Any) -> None:
    if isinstance(owner, _Attributes):
        owner.keep_only(saved)
    elif isinstance(owner, np.ndarray):
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
