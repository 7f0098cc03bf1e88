"""The check itself: one run over all rows, then short runs over other futures of the same past."""

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.causes import UNIVERSE, cause_of
from quant_assets.quant.leaks.cuts import FREE_ROWS, plan
from quant_assets.quant.leaks.futures import Futures, Kind, Probe
from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.outputs import (
    PLAN,
    ROUNDING_ULPS,
    RUN,
    activity,
    difference,
    magnitude,
    outputs_of,
)
from quant_assets.quant.leaks.report import Leak, LeakReport, StartUp
from quant_assets.quant.leaks.samples import Sample
from quant_assets.quant.leaks.settling import settled
from quant_assets.quant.leaks.sources import clock_reads, suspects

__all__ = ["Settings", "examine"]

Array = npt.NDArray[Any]
Outputs = dict[str, Array]
REPEAT_ROWS = 400  # a repeated run need not be longer to show that it differs
START_UP_SHARE = 0.25
LEAST_ROWS = 8
LEAST_CUT = 16
LATE_CUTS, LATE_SHARE = 6, 0.5
REMEMBERED = "An earlier call on all data left something behind (a cache, a global, an attribute)."
REPEATED = "The same data give other values: unseeded random numbers, a clock, an unsorted set."
AT_EACH_CUT: tuple[tuple[Kind, int], ...] = (
    ("truncated", 1),
    ("noise", 1),
    ("noise", -1),
    ("missing", 1),
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How thoroughly to look.

    budget : rows that are computed for the check, the first run left out, as a multiple of it.
    cuts : rows to cut behind, instead of the chosen ones; each is truncated, made noise and made
        missing. lead : rows by which an output stands ahead of its data: 1 for what must have been
        decided before its bar (a position held during it). ulps : rounding that floats may show.
    warm_up, tolerance : declared bars of start-up, and the relative difference at which an output
        counts as settled; start_up False leaves this part out.
    """

    budget: float = 2.0
    cuts: Sequence[int] | None = None
    lead: int = 0
    ulps: float = ROUNDING_ULPS
    warm_up: int = 0
    tolerance: float = 1e-6
    start_up: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.budget < 1.5 or self.lead < 0 or self.ulps < 0 or self.warm_up < 0:
            raise ConfigError(
                f"budget {self.budget} must be at least 1.5; lead {self.lead}, ulps {self.ulps} "
                f"and warm_up {self.warm_up} not negative"
            )


@dataclass
class _Found:
    leaks: list[Leak] = field(default_factory=list)
    unstable: list[Leak] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    spoken: set[str] = field(default_factory=set)
    rounding: dict[str, float] = field(default_factory=dict)
    rows: int = 0


class _Examination:
    """One subject, its sample, and what has been found so far."""

    def __init__(
        self, run: Callable[[Any], Any], sample: Sample, settings: Settings, root: Any
    ) -> None:
        self.run, self.sample, self.settings, self.root = run, sample, settings, root
        self.generator = np.random.default_rng(settings.seed)
        self.memory = Memory(root)
        self.found = _Found(failed=list(self.memory.lost))
        self.lines: tuple[str, ...] | None = None
        self.futures = Futures(sample, self.generator)
        self.whole = self.kept(self.fresh(self.futures.whole))
        self.found.rows = 0
        self.sizes = {name: magnitude(array) for name, array in self.whole.items()}
        self.active = {name: activity(array) for name, array in self.whole.items()}

    def fresh(self, sample: Sample, *, seed: int = 0) -> Outputs:
        """Outputs of a run that remembers nothing of the runs before it."""
        self.memory.restore()
        return self.again(sample, seed=seed)

    def kept(self, outputs: Outputs) -> Outputs:
        """Copies of outputs that are the data themselves, which are written to later."""
        data = list(self.futures.whole.arrays.values())
        return {
            name: array.copy() if any(np.may_share_memory(array, d) for d in data) else array
            for name, array in outputs.items()
        }

    def again(self, sample: Sample, *, seed: int = 0) -> Outputs:
        """Outputs of a run that remembers what the last one left behind."""
        np.random.seed(seed)  # noqa: NPY002 - it is the one that unseeded code draws from
        random.seed(seed)
        self.found.rows += len(sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # noise and gaps make warnings that mean nothing here
            return outputs_of(self.run(sample.value()), sample)

    def examine(self) -> None:
        """Run all probes."""
        probes = self.probes()
        self.compare_again()
        for probe in probes:
            self.compare_probe(probe)

    def probes(self) -> tuple[Probe, ...]:
        """The planned ones, or three at each of the given cuts."""
        n_rows, given = len(self.sample), self.settings.cuts
        if given is None:
            late = self.late_probes()
            rows = 3 * self.repeat_rows() + sum(probe.rows for probe in late)
            budget = self.settings.budget - START_UP_SHARE * self.settings.start_up - rows / n_rows
            least = max(LEAST_CUT, self.settings.warm_up)
            planned = plan(
                self.active, n_rows, budget=budget, least=least, generator=self.generator
            )
            return (*late, *planned)
        wrong = [cut for cut in given if not 0 <= cut < n_rows - 1]
        if wrong or not len(given):
            raise ConfigError(
                f"cuts {wrong or given} must lie in the {n_rows} rows, one before end"
            )
        return tuple(
            Probe(kind, cut, 0 if kind == "truncated" else n_rows - cut - 1, turn)
            for cut in sorted(given)
            for kind, turn in AT_EACH_CUT
        )

    def late_probes(self) -> tuple[Probe, ...]:
        """Cuts behind rows that were not known yet at their own decision, the first ones."""
        known, decided = self.sample.available_at, self.sample.decided_at
        if known is None or decided is None:
            return ()
        late = np.flatnonzero(known[:-1] > decided[:-1])
        spoken = min(
            (int(np.argmax(rows)) for rows in self.active.values() if rows.any()), default=0
        )
        chosen = late[late >= min(spoken, late.max(initial=0))][:LATE_CUTS]
        probes = [Probe("noise", int(cut), 1, turn) for cut in chosen for turn in (1, -1)]
        spent = np.cumsum([probe.rows for probe in probes])
        affordable = int(np.searchsorted(spent, LATE_SHARE * len(self.sample) + FREE_ROWS))
        return tuple(probes[: max(affordable, 2)])

    def compare_again(self) -> None:
        """The first rows again: remembering the run over all rows, not so, with other chances.

        The first run has seen all rows; one over few of them must not remember that.
        """
        part = self.futures.restored().rows(slice(0, self.repeat_rows()))
        try:
            remembered = self.kept(self.again(part))
            fresh = self.kept(self.fresh(part))
            other = self.kept(self.fresh(part, seed=1))
        except Exception as error:  # noqa: BLE001 - the code of others, on fewer rows
            self.failed(f"again over {len(part)} rows", error)
            return
        probe = Probe("truncated", len(part) - 1, 0)
        compared = (
            ("remembered", remembered, self.found.leaks, REMEMBERED),
            ("repeated", other, self.found.unstable, REPEATED),
        )
        for how, outputs, found, cause in compared:
            for name, array in fresh.items():
                again = outputs.get(name, array[:0])
                found.extend(self.judge(name, array, again, probe, part.symbols, how, cause))

    def failed(self, label: str, error: Exception) -> None:
        """Note a run that could not be made."""
        self.found.failed.append(f"{label}: {type(error).__name__}: {error}")

    def repeat_rows(self) -> int:
        """Rows of the runs that look for memory and chance."""
        n_rows = len(self.sample)
        firsts = [int(np.argmax(rows)) for rows in self.active.values() if rows.any()]
        spoken = min(max(firsts, default=0), n_rows // 5)
        wanted = max(spoken, min(firsts, default=0), min(REPEAT_ROWS, n_rows // 20))
        return min(n_rows - 1, max(wanted, self.settings.warm_up) + LEAST_CUT)

    def compare_probe(self, probe: Probe) -> None:
        """Another future: nothing up to the cut may change."""
        sample = self.futures.changed(probe)
        label = f"{probe.kind} from row {probe.cut + 1}"
        try:
            outputs = self.fresh(sample)
        except Exception as error:  # noqa: BLE001 - the code of others, on data that it never saw
            if sample.symbols != self.sample.symbols:  # it may name a symbol that is not listed yet
                self.compare_probe(replace(probe, newcomers=True))
            else:
                self.failed(label, error)
            return
        self.found.probes.append(label)
        last = probe.cut + 1 + (self.settings.lead if probe.tail else 0)
        found = list(self.compared(outputs, sample, probe, last))
        if found and sample.symbols != self.sample.symbols:
            found = self.without_newcomers(probe, found)
        self.found.leaks += found

    def compared(self, outputs: Outputs, sample: Sample, probe: Probe, last: int) -> Iterator[Leak]:
        """The outputs that changed before row `last`."""
        known = np.array([symbol in sample.symbols for symbol in self.sample.symbols], dtype=bool)
        for name in [*self.whole, *sorted(outputs.keys() - self.whole.keys())]:
            expected = self.whole.get(name, outputs.get(name))[:last]  # type: ignore[index]
            if name not in self.whole:
                expected = expected[:0]
            elif expected.shape[1] == len(known):
                expected = expected[:, known]
            if name in self.active and self.active[name][:last].any():
                self.found.spoken.add(name)
            other = outputs.get(name, expected[:0])[:last]
            yield from self.judge(name, expected, other, probe, sample.symbols)

    def compare_inputs(self) -> None:
        """Nobody may write to the data: the next reader takes them for what was delivered."""
        if not self.futures.untouched():
            first = self.moment(0)
            cause = "The code writes to its input: a second run over it has other data."
            values = "", "written", 0, first, 0, first, "", 0, 0, "", "", cause, self.source()
            self.found.unstable.append(Leak(*values))

    def without_newcomers(self, probe: Probe, found: list[Leak]) -> list[Leak]:
        """Tell leaks of the universe from others: those that stay when all symbols are listed."""
        kept = replace(probe, newcomers=True)
        sample = self.futures.changed(kept)
        before, self.found.rows = self.found.rows, 0
        outputs = self.fresh(sample)
        self.found.rows = before  # part of the diagnosis, not of the check
        others = {leak.output: leak for leak in self.compared(outputs, sample, kept, probe.cut + 1)}
        told = [others.get(leak.output, replace(leak, cause=UNIVERSE)) for leak in found]
        # Equal parts of the equity are one for each symbol that the run was given: its choice.
        return [k for k in told if k.cause != UNIVERSE or not k.output.startswith((PLAN, RUN))]

    def judge(  # noqa: PLR0913, PLR0917 - what was compared with what, and how
        self,
        name: str,
        expected: Array,
        found: Array,
        probe: Probe,
        symbols: tuple[str, ...],
        how: str | None = None,
        cause: str | None = None,
    ) -> Iterator[Leak]:
        """A leak, if one output differs."""
        if expected.shape != found.shape:
            if not len(found) and not activity(expected).any():
                return  # nothing was said, and the output left out
            yield self.of_shape(name, expected, found, probe, how or probe.kind)
            return
        size = self.sizes.get(name)
        if size is not None and len(size) != expected.shape[1]:
            size = size[[symbol in symbols for symbol in self.sample.symbols]]
        other = difference(expected, found, ulps=self.settings.ulps, size=size)
        if other is None:
            return
        if other.rounding:
            self.found.rounding[name] = max(self.found.rounding.get(name, 0.0), other.rounding)
        if not other.cells.any():
            return
        row, column = other.example
        yield Leak(
            name,
            how or probe.kind,
            probe.cut,
            self.moment(probe.cut),
            row,
            self.moment(row),
            symbols[column] if other.cells.shape[1] == len(symbols) else "",
            int(other.cells.sum()),
            probe.cut - int(other.rows[0]),
            str(other.expected),
            str(other.found),
            cause or cause_of(self.sample, probe, other),
            self.source(),
        )

    def of_shape(self, name: str, expected: Array, found: Array, probe: Probe, how: str) -> Leak:
        """An output that came, went, or has other columns."""
        cut = self.moment(probe.cut)
        cause = "Which outputs and columns there are depends on later rows."
        shapes = str(expected.shape), str(found.shape)
        return Leak(
            name,
            how,
            probe.cut,
            cut,
            0,
            self.moment(0),
            "",
            found.size,
            probe.cut,
            *shapes,
            cause,
            self.source(),
        )

    def source(self) -> tuple[str, ...]:
        """Lines of the subject's code to look at."""
        if self.lines is None:
            self.lines = suspects(self.root)
        return self.lines

    def moment(self, row: int) -> str:
        """Time of a row."""
        return str(self.sample.ts[row])

    def start_up(self) -> tuple[StartUp, ...]:
        """Bars that each float or flag output needs to forget where its data begin."""
        n_rows = len(self.sample)
        first = n_rows - max(int(START_UP_SHARE * n_rows), min(LEAST_ROWS, n_rows))
        part = self.futures.restored().rows(slice(first, n_rows))
        try:
            late = self.fresh(part)
        except Exception as error:  # noqa: BLE001 - the code of others, on fewer rows
            self.failed(f"start-up from row {first}", error)
            return ()
        found = []
        for name, array in self.whole.items():
            if name.startswith(RUN):
                continue  # an account never forgets where it began
            if array.dtype.kind not in "fiub" or late.get(name, array).shape != array[first:].shape:
                continue
            needed = settled(array[first:], late[name], self.settings.tolerance)
            sizes = self.settings.warm_up, n_rows - first, self.settings.tolerance
            found.append(StartUp(name, needed, *sizes))
        return tuple(found)


def examine(
    run: Callable[[Any], Any],
    sample: Sample,
    *,
    settings: Settings,
    root: Any,
    subject: str,
) -> LeakReport:
    """Check a function of a sample; see `check_function`.

    root : the object whose code and memory are looked at; the function itself, or what it calls.
    """
    if len(sample) < LEAST_ROWS:
        raise ConfigError(f"{len(sample)} rows cannot be cut; give at least {LEAST_ROWS}")
    with random_state_kept():
        work = _Examination(run, sample, settings, root)
        try:
            work.examine()
            start_up = work.start_up() if settings.start_up else ()
            work.compare_inputs()
        finally:
            work.memory.restore()
    found = work.found
    unstable = [*found.unstable, *_clocks(root, sample)]
    return LeakReport(
        subject,
        _first_of_each(found.leaks),
        _first_of_each(unstable),
        tuple(work.whole),
        tuple(name for name in work.whole if name not in found.spoken),
        tuple(found.failed),
        found.rounding,
        start_up,
        tuple(found.probes),
        len(sample),
        found.rows / len(sample),
        settings.seed,
    )


def _clocks(root: Any, sample: Sample) -> Iterator[Leak]:
    first = str(sample.ts[0])
    for line in clock_reads(root):
        cause = "The code asks what time it is: the result depends on when it is run."
        yield Leak("", "clock", 0, first, 0, first, "", 0, 0, "", "", cause, (line,))


def _first_of_each(leaks: list[Leak]) -> tuple[Leak, ...]:
    """One leak per output and probe, that of the latest cut, which tells most; latest first."""
    best: dict[tuple[str, str], Leak] = {}
    for leak in leaks:
        key = leak.output, leak.probe
        if key not in best or leak.cut > best[key].cut:
            best[key] = leak
    return tuple(sorted(best.values(), key=lambda leak: -leak.cut))


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the global random generators as they were found."""
    numbers, plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - as above
    try:
        yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(plain)
