"""A market to measure on, the peer where it is installed, and timing."""

import importlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FIELDS = ("open", "high", "low", "close", "volume")
START = np.datetime64("2020-01-01", "us")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Market:
    """Long rows; `code` is the symbol of each."""

    ts: npt.NDArray[np.datetime64]
    code: npt.NDArray[np.int32]
    fields: dict[str, npt.NDArray[np.float64]]


def market(n_symbols: int, n_times: int, step: np.timedelta64, *, absent: float) -> Market:
    """Random walks sorted by (symbol, ts), of which a share of rows is absent."""
    rng = np.random.default_rng(0)
    parts: dict[str, list[Any]] = {name: [] for name in ("ts", "code", *FIELDS)}
    ts = START + np.arange(n_times) * step
    for code in range(n_symbols):
        there = rng.random(n_times) >= absent
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 5e-4, n_times)))
        start = np.concatenate([[100.0], close[:-1]])
        wick = 1.0 + 1e-4 * np.abs(rng.normal(size=(2, n_times)))
        high, low = np.maximum(start, close) * wick[0], np.minimum(start, close) / wick[1]
        volume = np.round(np.exp(rng.normal(9.0, 1.0, n_times))) + 1.0
        columns = (ts, np.full(n_times, code, dtype=np.int32), start, high, low, close, volume)
        for name, values in zip(parts, columns, strict=True):
            parts[name].append(values[there])
    whole = {name: np.concatenate(parts.pop(name)) for name in list(parts)}
    return Market(whole.pop("ts"), whole.pop("code"), whole)


def by_time(rows: Market) -> Market:
    """The same rows sorted by (ts, symbol), as frames in the lake are."""
    order = np.lexsort((rows.code, rows.ts))
    fields = {name: values[order] for name, values in rows.fields.items()}
    return Market(rows.ts[order], rows.code[order], fields)


def polars_or_reason() -> tuple[Any, str]:
    """The module on one thread, as ours is, and ''; or None and why there is no comparison."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    try:
        return importlib.import_module("polars"), ""
    except ImportError:
        return None, "skipped: polars is not installed (pip install polars)"


@dataclass(frozen=True)
class Timing:
    """Seconds of the repeats, and how far peak memory grew in the worst of them.

    Ratios are of processor time, all threads together: others on the machine disturb it least.
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    megabytes: float

    @property
    def typical(self) -> float:
        """Median of the processor time."""
        return median(self.cpu)


def timed(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Timing]:
    """Time each way `repeats` times in a row after a run that warms up.

    Not in turns: every way would pay for the memory that another one gave back to the system.
    """
    return {name: _timed(way, repeats) for name, way in ways.items()}


def timed_once(way: Callable[[], Answer], warm: Callable[[], object]) -> tuple[Timing, Answer]:
    """Time of a way that takes long, run once after a small run that warms up; what it gave."""
    warm()
    before = _reset_peak()
    began, used = time.perf_counter(), time.process_time()
    answer = way()
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    return Timing((wall,), (cpu,), _status("VmHWM") - before), answer


def _timed(way: Callable[[], object], repeats: int) -> Timing:
    walls, cpus, grown = [], [], 0.0
    for turn in range(repeats + 1):
        before = _reset_peak()
        began, used = time.perf_counter(), time.process_time()
        result = way()
        wall, cpu = time.perf_counter() - began, time.process_time() - used
        del result
        if turn > 0:
            walls.append(wall)
            cpus.append(cpu)
            grown = max(grown, _status("VmHWM") - before)
    return Timing(tuple(walls), tuple(cpus), grown)


def _reset_peak() -> float:
    """Start a new peak and return resident MB now; NaN where the system does not tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return float("nan")
    return _status("VmRSS")


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024.0 for line in lines if line.startswith(key))


def require_equal(what: str, ours: float, theirs: float) -> None:
    """Raise when two ways did not compute the same: then their times mean nothing."""
    if not np.isclose(ours, theirs, rtol=1e-9):
        raise RuntimeError(f"{what}: ours gives {ours!r}, polars {theirs!r}")
