"""Run tests with kernels as plain Python: pytest -p quant_assets_tests.plain_kernels, without JIT.

What is measured or debugged line by line is then the code that is compiled otherwise. Pieces that
are machine code by themselves (pointers to arrays, calls by address) get twins in Python. Tests of
the machine code itself are marked `compiled` and left out.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np
import pytest

EVENTS = "quant_assets.quant.simulation.execution.event_kernel"
_known: dict[int, Callable[[int], int]] = {}


def itself(value: Any) -> Any:
    """A tuple of arrays for a pointer to it, an array for one without an owner."""
    return value


def copy_word(target: int, source: int) -> int:
    ctypes.memmove(int(target), int(source), 8)
    return target


def call_back(address: int, bar: int) -> int:
    at = int(address)
    if at not in _known:
        _known[at] = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(at)
    return _known[at](int(bar))


TWINS = {
    "pointers": {"market_at": itself, "book_at": itself, "lent": itself},
    "windows": {"call_back": call_back, "copy_word": copy_word},
}


def put_twins() -> None:
    """Call it before anything else loads the event kernel."""
    for module, twins in TWINS.items():
        home = __import__(f"{EVENTS}.{module}", fromlist=[module])
        for name, twin in twins.items():
            getattr(home, name)  # an AttributeError: it has another name now
            setattr(home, name, twin)


def pytest_configure(config: pytest.Config) -> None:
    """Put the twins in place before any module takes them over by name."""
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        raise pytest.UsageError("kernels are plain Python with NUMBA_DISABLE_JIT=1 alone; set it")
    put_twins()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skipped = pytest.mark.skip(reason="looks at machine code; kernels are plain Python here")
    for item in items:
        if item.get_closest_marker("compiled") is not None:
            item.add_marker(skipped)


@pytest.fixture(autouse=True)
def behave_as_compiled() -> Iterator[None]:
    """Kernels answer to `py_func`, and numbers without meaning warn as little as machine code."""
    for name, module in list(sys.modules.items()):
        if name.startswith("quant_assets.") and "kernel" in name:
            for one in vars(module).values():
                if isinstance(one, FunctionType) and not hasattr(one, "py_func"):
                    one.py_func = one  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):
        yield
