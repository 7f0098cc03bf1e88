"""Finds the benchmarks: every module of this package that has a function `measure`."""

import importlib
import pkgutil
from types import ModuleType

import benchmarks as package

ORDER = (
    "resample",
    "align",
    "metrics",
    "scan",
    "rank_ic",
    "bootstrap",
    "monte_carlo",
    "factors",
    "backtest_single",
    "backtest_many",
    "backtest_bars",
    "backtest_sweep",
    "backtest_full",
    "leak_check",
    "walk_forward",
    "risk_optimizers",
    "workspace",
    "snapshots",
    "load",
    "overhead",
    "cell",
    "demo",
    "ingest",
    "matrix",
    "kills",
    "interrupts",
    "idle",
    "determinism",
)  # quick ones first


def benchmarks() -> dict[str, ModuleType]:
    """Modules with `measure`, by name; those that `ORDER` does not know come last."""
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    loaded = {n: importlib.import_module(f"{package.__name__}.{n}") for n in names if n[0] != "_"}
    found = {name: module for name, module in loaded.items() if hasattr(module, "measure")}
    ranks = {name: rank for rank, name in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda item: (ranks.get(item[0], len(ranks)), item[0])))
