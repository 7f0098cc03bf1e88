"""The leak check for code that is only ever given the past: models, optimizers, signals, screens.

What decides from data that end with the decision cannot look ahead in them. It can remember what it
was given for a later decision, draw other numbers each time, or ask the clock.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.attempts import random_state_kept, seeded
from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.outputs import Array, difference, parts_of
from quant_assets.quant.leaks.report import Leak, LeakReport
from quant_assets.quant.leaks.sources import suspects

__all__ = ["check_decision"]

REMEMBERED = "A decision taken earlier, of later data, left something behind (a cache, a global)."
REPEATED = "The same data give another decision: unseeded random numbers, a clock, a set's order."
CLOCK = "The code asks what time it is: the decision depends on when it is taken."


def check_decision(
    decide: Callable[[Any], Any],
    earlier: Any,
    later: Any,
    *,
    root: Any = None,
    subject: str | None = None,
) -> LeakReport:
    """Whether a decision on data depends on anything but these data.

    decide : takes what was known at a decision; returns arrays of any shape, or tuples, mappings
        and dataclasses of them. It is called three times. earlier, later : what was known at two
        decisions. root : the object whose code and memory are looked at; `decide`, unless told.

    Bits must agree: nothing but memory, chance and the clock can tell the runs apart.
    """
    memory = Memory(decide if root is None else root)
    with random_state_kept():
        try:
            alone = _decided(decide, earlier, memory, seed=0)
            _decided(decide, later, memory, seed=0)
            after = _decided(decide, earlier, None, seed=1)
            alike = not [*_changed("", alone, after, "")]
            other = after if alike else _decided(decide, earlier, memory, seed=1)
        finally:
            memory.restore()
    if not alone:
        raise DataError("the decision gave nothing to compare")
    leaks = [*_changed("remembered", other, after, REMEMBERED)]
    unstable = [*_changed("repeated", alone, other, REPEATED)]
    if leaks or unstable:
        source = suspects(memory.functions)
        leaks, unstable = (
            [replace(k, source=source) for k in found] for found in (leaks, unstable)
        )
    for line in memory.clock_reads:
        unstable.append(_leak("", "clock", CLOCK, (line,)))
    silent = [name for name, values in alone.items() if not _says_something(values)]
    return LeakReport(
        subject or str(getattr(decide, "__qualname__", type(decide).__name__)),
        tuple(leaks),
        tuple(unstable),
        tuple(alone),
        tuple(silent),
        tuple(memory.lost),
        probes=("remembered", "repeated", "clock"),
        n_rows=1,
        cost=2.0 if alike else 3.0,
    )


def _decided(
    decide: Callable[[Any], Any], data: Any, memory: Memory | None, *, seed: int
) -> dict[str, Array]:
    if memory is not None:
        memory.restore()
    seeded(seed)
    return {
        name: np.atleast_1d(np.array(value)).reshape(-1, 1)
        for name, value in parts_of(decide(data), "decision")
    }


def _says_something(values: Array) -> bool:
    return values.dtype.kind != "f" or bool(np.isfinite(values).any())


def _changed(
    how: str, expected: dict[str, Array], found: dict[str, Array], cause: str
) -> Iterator[Leak]:
    for name, one in expected.items():
        other = found.get(name)
        if other is None or other.shape != one.shape:
            yield _leak(name, how, cause)
            continue
        apart = difference(one, other, ulps=0.0)
        if apart is not None:
            where = f"entry {apart.example[0]}"
            told = replace(_leak(name, how, cause), ts=where, row=apart.example[0])
            yield replace(told, expected=str(apart.expected), found=str(apart.found))


def _leak(output: str, how: str, cause: str, source: tuple[str, ...] = ()) -> Leak:
    return Leak(output, how, 0, "the decision", 0, "", "", 1, 0, "", "", cause, source)
