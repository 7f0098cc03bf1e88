"""Compile every numba kernel of the library once, so that no run waits for it later.

A module takes part by defining `warm_up()`, which calls each of its kernels on tiny arrays of the
types that production passes. It is found by that name in its source; nothing is listed here.
Numba keeps the machine code beside the sources (or in `NUMBA_CACHE_DIR`), and compiles again by
itself when a file, numba or the processor changes.
"""

import ast
import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from quant_assets import quant
from quant_assets.core.executor import ProcessExecutor

WORKERS = 2


@dataclass(frozen=True)
class Warmed:
    """Seconds that one module's kernels took to load or compile, and whether they were compiled."""

    module: str
    seconds: float
    compiled: int


def modules_to_warm() -> list[str]:
    """Modules of the library that define `warm_up`, sorted."""
    root = Path(quant.__path__[0])
    return sorted(
        ".".join((quant.__name__, *file.relative_to(root).with_suffix("").parts))
        for file in root.rglob("*.py")
        if "def warm_up" in (source := file.read_text(encoding="utf-8")) and _defines(source)
    )


def rooms() -> list[list[str]]:
    """The modules to warm, folder by folder, those with the most source first.

    Kernels of different folders share none. So processes that warm one folder each never keep the
    same kernel at the same time, which numba does not guard against.
    """

    def folder(module: str) -> Path:
        return Path(quant.__path__[0]).joinpath(*module.split(".")[2:-1])

    def size(modules: list[str]) -> int:
        return sum(file.stat().st_size for file in folder(modules[0]).rglob("*.py"))

    found = sorted(modules_to_warm(), key=folder)
    return sorted((list(same) for _, same in groupby(found, folder)), key=size, reverse=True)


def warm_up(workers: int = WORKERS) -> Iterator[Warmed]:
    """Warm all modules, the folders side by side in several processes."""
    with ProcessExecutor(workers) as executor:
        for done in executor.map(_warm_room, rooms()):
            yield from done


def _warm_room(modules: list[str]) -> list[Warmed]:
    return [_warm(module) for module in modules]


def _warm(module: str) -> Warmed:
    from numba.core import event

    began = time.perf_counter()
    with event.install_recorder("numba:compile") as recorder:
        importlib.import_module(module).warm_up()
    ends = [kind for _, kind in recorder.buffer if kind.is_end]
    return Warmed(module, time.perf_counter() - began, len(ends))


def _defines(source: str) -> bool:
    body = ast.parse(source).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "warm_up" for node in body)
