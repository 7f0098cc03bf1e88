"""What code remembers between calls: found, put back before a run, left alone to see its effect.

A cache that was filled from all data answers for half of them as well, and hides or makes a leak.
So each run of a check begins from what was remembered before the check: attributes of the object
and of its classes, module variables that the code names, closures, defaults, function caches.
"""

import copy
import sys
from collections.abc import MutableMapping, MutableSet
from datetime import date, timedelta
from types import FunctionType
from typing import Any

import numpy as np

from quant_assets.quant.leaks.names import States
from quant_assets.quant.leaks.reach import Reach, packages_of, shared_reaches

MOST_BYTES = 64 * 2**20
# What cannot change itself: a plain dictionary of these is as it was when it holds the same ones.
CONSTANT = (type(None), bool, int, float, str, bytes, type, FunctionType, timedelta, date)


class Memory:
    """The remembered state that can be reached from an object, as it was when this was made.

    functions : the code that can be reached, that of the library's classes last.
    """

    def __init__(self, root: Any) -> None:
        shared = shared_reaches(root)
        own = Reach(root, beyond=shared[0] if shared else None, packages=packages_of(root))
        self._reaches: list[Reach] = [own, *shared]
        self.functions = [one for reach in self._reaches for one in reach.functions]
        self.lost: list[str] = []
        self._contents: list[tuple[Any, Any]] = []
        self._empty: list[Any] = []
        plain: list[tuple[Any, Any]] = []
        for reach in self._reaches:
            self._empty += reach.empty
            for container in reach.containers:
                if _is_plain(container) and container:
                    plain.append((container, container.copy()))
                else:
                    self._keep(container)
        self._plain = States(plain)

    @property
    def clock_reads(self) -> tuple[str, ...]:
        """Calls of the wall clock in the code."""
        return tuple(line for reach in self._reaches for line in reach.clock_reads)

    def restore(self) -> None:
        """Put everything back."""
        for reach in self._reaches:
            reach.restore()
        for filled in filter(None, self._empty):
            filled.clear()
        for owner, saved in self._plain.changed():
            _replace(owner, saved)
        for owner, saved in self._contents:
            _refill(owner, copy.deepcopy(saved))

    def _keep(self, container: Any) -> None:
        if type(container) in {dict, set, list} and not container:
            self._empty.append(container)
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


def functions_of(root: Any) -> list[FunctionType]:
    """Plain functions that an object's code reaches, itself included, other packages left out."""
    return Memory(root).functions


def _is_plain(container: Any) -> bool:
    """Whether a container is a dictionary of nothing but what cannot change itself."""
    if type(container) is not dict:
        return False
    for name, value in container.items():
        if type(name) is not str or not isinstance(value, CONSTANT):
            return False
    return True


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
