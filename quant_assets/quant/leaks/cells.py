"""The leak check of stored cells: made again after a later decision, and on bars that end early.

A cell was made once, by the run that stored it. Here it is made again by the same code: a decision
after another one that was taken at the end of the window, on rows after the first decision that are
noise; what then happened on bars that end inside the window, or are noise from some bar on. Every
number that was known must come out as it was stored, to the last bit.
"""

import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd

from quant_assets.core.errors import QuantAssetsError
from quant_assets.quant.leaks.attempts import random_state_kept, seeded
from quant_assets.quant.leaks.memory import Memory, functions_of
from quant_assets.quant.leaks.parts import Parts, changed_values, says_something
from quant_assets.quant.leaks.sources import clock_reads

Frames = Mapping[str, pd.DataFrame]
Run = Callable[[], pd.DataFrame]
KEYS = ("ts", "available_at", "symbol", "entrant", "event_id")
SPREAD = 0.5  # of the logarithm of the factors of noise
LEAK, CHANCE = "leak", "not_deterministic"
CAUSES = {
    LEAK: "the decision depends on data that were not known yet: a cache, an attribute, a file",
    CHANCE: "the same data give another result: unseeded random numbers, a clock, a set's order",
}


@dataclass(frozen=True)
class CellVerdict:
    """What was found about one plug-in's part of a cell."""

    asset: str
    plug_in: str
    verdict: str
    n_values: int
    changed: int
    text: str

    @property
    def trusted(self) -> bool:
        """Whether the part may be believed as far as this check can see."""
        return self.verdict == "trusted"


@dataclass(frozen=True)
class Remade:
    """A cell, and how it is made again.

    stored : its frame, of which `parts` finds each plug-in's. otherwise : the run with another
    future, which the cell must not notice; again : the run that must give what is stored.
    kinds : the classes of the plug-ins, whose memory is put back and whose code is read for clocks.
    """

    asset: str
    stored: pd.DataFrame
    parts: Parts
    otherwise: Run
    again: Run
    kinds: Mapping[str, type[Any]]


def examine_cell(cell: Remade) -> list[CellVerdict]:
    """One verdict per plug-in that made a number of the cell.

    Costs two runs; where numbers differ, two more tell leaks from chance. Plug-ins are left as they
    were found, and so are the global random numbers.
    """
    memory = Memory(_Kinds(cell.kinds))
    with random_state_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noise makes warnings that mean nothing here
        try:
            memory.restore()
            failed = _tried(cell.otherwise, seed=1)[1]
            found, broken = _tried(cell.again, seed=2)
            if found is None:
                return [_broken(cell, broken)]
            if not changed_values(cell.stored, found):
                found, drawn = cell.stored, (cell.stored, cell.stored)
            else:
                drawn = _afresh(cell, memory, seed=3), _afresh(cell, memory, seed=4)
        finally:
            memory.restore()
    return [*_compared(cell, found, drawn, failed)]


def _afresh(cell: Remade, memory: Memory, *, seed: int) -> pd.DataFrame:
    """The run again, as if there had been none: twice so, only chance tells the frames apart."""
    memory.restore()
    found = _tried(cell.again, seed=seed)[0]
    return cell.stored if found is None else found


class _Kinds:
    """Leads to the code and the memory of plug-ins."""

    def __init__(self, kinds: Mapping[str, type[Any]]) -> None:
        for number, kind in enumerate(kinds.values()):
            setattr(self, f"kind_{number}", kind)


def _tried(run: Run, *, seed: int) -> tuple[pd.DataFrame | None, str]:
    """What a run gives, or why it gives nothing."""
    seeded(seed)
    try:
        return run(), ""
    except QuantAssetsError as error:  # of noise that no solver or account survives
        return None, f"{type(error).__name__}: {str(error).splitlines()[0]}"


def _broken(cell: Remade, why: str) -> CellVerdict:
    text = f"could not be made again: {why}"
    return CellVerdict(cell.asset, cell.asset, "undecided", cell.stored.size, 0, text)


def _compared(
    cell: Remade, found: pd.DataFrame, drawn: tuple[pd.DataFrame, pd.DataFrame], failed: str
) -> Iterator[CellVerdict]:
    """Verdicts part by part: `found` against what is stored, the two `drawn` against each other."""
    stored = cell.parts(cell.stored)
    others, one_time, next_time = (
        stored if frame is cell.stored else cell.parts(frame) for frame in (found, *drawn)
    )
    nothing = cell.stored.iloc[:0]
    for name in sorted({*stored, *others}):
        one, other = stored.get(name, nothing), others.get(name, nothing)
        if not says_something(one) and not says_something(other):
            continue
        changed = 0 if one is other else changed_values(one, other)
        clocks = clock_lines(cast("Hashable", cell.kinds[name])) if name in cell.kinds else ()
        verdict, text = "trusted", f"the other future failed: {failed}" if failed else ""
        if changed:
            draws = (parts.get(name, nothing) for parts in (one_time, next_time))
            verdict = CHANCE if changed_values(*draws) else LEAK
            text = f"{changed} of {one.size} values changed; {CAUSES[verdict]}"
        elif clocks:
            verdict, text = CHANCE, f"the code asks what time it is: {clocks[0]}"
        yield CellVerdict(cell.asset, name, verdict, one.size, changed, text)


@cache
def clock_lines(kind: Hashable) -> tuple[str, ...]:
    """Calls of the wall clock in a plug-in's code, which is read once in a process."""
    return clock_reads(functions_of(kind))


def with_noise(frame: pd.DataFrame, later: Any, generator: np.random.Generator) -> pd.DataFrame:
    """The frame with other values in the rows `later` (row,): in another order, numbers scaled.

    Times and names stay; signs stay with their numbers, one factor a row.
    """
    rows = np.flatnonzero(np.asarray(later))
    if not rows.size:
        return frame
    order = rows[generator.permutation(len(rows))]
    factors = generator.lognormal(0.0, SPREAD, len(rows))
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if name in KEYS:
            columns[name] = values
            continue
        moved = values.to_numpy(copy=True)
        moved[rows] = moved[order] * factors if values.dtype == "float64" else moved[order]
        columns[name] = pd.Series(moved, index=frame.index).astype(values.dtype)
    return pd.DataFrame(columns)
