"""The check itself: one run over all rows, then short runs over other futures of the same past."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.attempts import Attempts, Outputs, random_state_kept
from quant_assets.quant.leaks.causes import UNIVERSE
from quant_assets.quant.leaks.cuts import Room, plan
from quant_assets.quant.leaks.futures import Kind, Probe
from quant_assets.quant.leaks.judging import Compared, Judge
from quant_assets.quant.leaks.outputs import PLAN, RUN, difference
from quant_assets.quant.leaks.report import Leak, LeakReport, StartUp
from quant_assets.quant.leaks.samples import Sample
from quant_assets.quant.leaks.scattered import UNTOLD_MEMORY, Pieces, memories, pieces, suspected
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.settling import settled

REPEAT_ROWS = 400  # a repeated run need not be longer to show that it differs
START_UP_SHARE, START_UP_ROWS = 0.25, 2_000  # of few rows that share, of many these or more
START_UP_WARM_UPS = 8
MORE_THAN_MEMORY = 16  # rows before a piece of noise that is looked at again
RESERVE = 0.2  # of what may be spent, for a second look at most
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


@dataclass
class _Found:
    leaks: list[Leak] = field(default_factory=list)
    unstable: list[Leak] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    start_up: tuple[StartUp, ...] = ()


@dataclass(frozen=True)
class _Again:
    """Outputs of a second run over the first rows; whether they are those of the first run."""

    probe: Probe
    outputs: Outputs
    alike: bool


class _Examination:
    """One subject, its sample, and what has been found so far."""

    def __init__(
        self, run: Callable[[Any], Any], sample: Sample, settings: Settings, root: Any
    ) -> None:
        self.sample, self.settings = sample, settings
        self.attempts = Attempts(run, sample, root, settings.seed)
        self.futures = self.attempts.futures
        self.found = _Found(failed=list(self.attempts.memory.lost))
        whole = self.attempts.kept(self.attempts.fresh(self.futures.restored()))
        self.attempts.rows = 0
        self.judge = Judge(sample, whole, settings.ulps, lambda: self.attempts.memory.functions)

    def examine(self) -> None:
        """Run all probes."""
        again = self.compare_again()
        if self.start_up_rows():
            self.found.start_up = self.start_up()
        probes = self.probes()
        self.futures.rows = max(probe.rows for probe in probes)
        for probe in probes:
            noise = self.pieces(probe) if probe == probes[-1] else None
            if noise is None:
                self.compare_probe(probe)
            else:
                self.compare_pieces(noise, probe)
        if again is not None and (self.found.leaks or not again.alike):
            self.tell_memory_from_chance(again)

    def probes(self) -> tuple[Probe, ...]:
        """The planned ones, or four at each of the given cuts."""
        n_rows, given = len(self.sample), self.settings.cuts
        if given is None:
            late = self.late_probes()
            rows = self.repeat_rows() + sum(probe.rows for probe in late)
            rows += self.start_up_rows()
            left = self.settings.rows_for(n_rows) - rows
            memory = max(memories(self.found.start_up).values(), default=0)
            again = 2 * (memory + MORE_THAN_MEMORY) if memory else 0
            room = Room(
                left - min(again, RESERVE * left),
                max(LEAST_CUT, self.settings.warm_up),
                self.settings.early,
                self.settings.tail,
            )
            chance = np.random.default_rng(self.settings.seed)
            planned = plan(self.judge.turning | self.judge.active, n_rows, room, chance)
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

    def pieces(self, probe: Probe) -> Pieces | None:
        """Noise in many places before the end of a long probe, where outputs forget."""
        known, decided = self.sample.available_at, self.sample.decided_at
        late = known is not None and decided is not None and bool((known > decided).any())
        if self.settings.cuts is not None or late or probe.kind != "noise":
            return None
        low = max(LEAST_CUT, self.settings.warm_up, min(self._firsts, default=0) + 1)
        forgets = memories(self.found.start_up)
        if not self.found.start_up:
            guess = max(UNTOLD_MEMORY, self.settings.warm_up)
            forgets = {name: guess for name in self.judge.whole if not name.startswith(RUN)}
        generator = np.random.default_rng([self.settings.seed, 2])
        return pieces(forgets, self.judge.active, range(low, probe.rows), generator)

    def compare_pieces(self, noise: Pieces, late: Probe) -> None:
        """Noise in many places: nothing before any of them may change, once others are forgotten.

        What seems to is looked at again with noise in one place alone; where there is a leak, one
        late cut is tried as well, which tells most of its cause.
        """
        n_rows = late.rows
        turns = np.where(noise.places % 2, -1.0, 1.0)
        sample = self.futures.scattered(noise.rows, n_rows, turns)
        label = f"noise in {len(noise)} places from row {noise.starts[0]} on"
        try:
            outputs = self.attempts.fresh(sample)
        except Exception as error:  # noqa: BLE001 - the code of others, on data that it never saw
            self.failed(label, error)
            return
        self.found.probes.append(label)
        self.judge.heard(n_rows)
        lead, slack = self.settings.lead, self.settings.tolerance
        for number in suspected(noise, self.judge.whole, outputs, lead=lead, tolerance=slack):
            first, stop = int(noise.starts[number]), int(noise.stops[number])
            if self.sees_ahead(first, stop, noise.memory):
                probe = Probe("noise", first - 1, stop - first)
                part = self.futures.only(first, stop)
                again = self.attempts.fresh(part)
                self.found.leaks += self.judge.of_probe(again, part, probe, first + lead)
        if self.found.leaks:
            self.compare_probe(late)

    def sees_ahead(self, first: int, stop: int, memory: int) -> bool:
        """Whether rows before a piece of noise change by it, in two runs over the last of them."""
        begin = max(0, first - memory - MORE_THAN_MEMORY)
        if 2 * begin < first:
            return True  # the run over all of them is as short
        last = first - begin + self.settings.lead
        noisy = self.futures.only(first, stop, begin)
        try:
            found = self.attempts.fresh(noisy)
            expected = self.attempts.fresh(self.futures.original.rows(slice(begin, stop)))
        except Exception:  # noqa: BLE001 - the code of others, on few rows: it is given all of them
            return True
        for name, one in expected.items():
            other = found.get(name)
            if other is None or other.shape != one.shape:
                return True
            apart = difference(one[:last], other[:last], ulps=self.settings.ulps)
            if apart is not None and apart.cells.any():
                return True
        return False

    def late_probes(self) -> tuple[Probe, ...]:
        """Cuts behind rows that were not known yet at their own decision, the first ones."""
        known, decided = self.sample.available_at, self.sample.decided_at
        if known is None or decided is None:
            return ()
        late = np.flatnonzero(known[:-1] > decided[:-1])
        spoken = min(self._firsts, default=0)
        chosen = late[late >= min(spoken, late.max(initial=0))][:LATE_CUTS]
        probes = [Probe("noise", int(cut), 1, turn) for cut in chosen for turn in (1, -1)]
        spent = np.cumsum([probe.rows for probe in probes])
        most = LATE_SHARE * self.settings.rows_for(len(self.sample))
        return tuple(probes[: max(int(np.searchsorted(spent, most)), 2)])

    @cached_property
    def _firsts(self) -> list[int]:
        """The first row on which each output says something, of those that do."""
        return [int(np.argmax(rows)) for rows in self.judge.active.values() if rows.any()]

    def compare_again(self) -> _Again | None:
        """The first rows again, remembering the run over all rows, with other random numbers.

        The first run has seen all rows; one over few of them must not remember that, must draw the
        same numbers, and lacks the later rows: what is as it was passes for all three.
        """
        part = self.futures.restored().rows(slice(0, self.repeat_rows()))
        try:
            outputs = self.attempts.kept(self.attempts.again(part, seed=1))
        except Exception as error:  # noqa: BLE001 - the code of others, on fewer rows
            self.failed(f"again over {len(part)} rows", error)
            return None
        probe = Probe("truncated", len(part) - 1, 0)
        alike = not list(self.judge.of_probe(outputs, part, probe, len(part)))
        return _Again(probe, outputs, alike)

    def tell_memory_from_chance(self, again: _Again) -> None:
        """Two more runs over the first rows: without memory, and with the first random numbers.

        They are part of the diagnosis, not of the check: honest code does not come here.
        """
        part = self.futures.restored().rows(slice(0, again.probe.rows))
        attempts, before = self.attempts, self.attempts.rows
        other = attempts.kept(attempts.fresh(part, seed=1))
        fresh = attempts.kept(attempts.fresh(part))
        attempts.rows = before
        compared = (
            ("remembered", other, again.outputs, self.found.leaks, REMEMBERED),
            ("repeated", fresh, other, self.found.unstable, REPEATED),
        )
        for how, expected, outputs, found, cause in compared:
            for name, array in expected.items():
                one = Compared(name, array, outputs.get(name, array[:0]), part.symbols, how, cause)
                found.extend(self.judge.of_output(one, again.probe))
        self.found.leaks += self.judge.of_probe(fresh, part, again.probe, len(part))

    def failed(self, label: str, error: Exception) -> None:
        """Note a run that could not be made."""
        self.found.failed.append(f"{label}: {type(error).__name__}: {error}")

    def repeat_rows(self) -> int:
        """Rows of the runs that look for memory and chance."""
        n_rows, firsts = len(self.sample), self._firsts
        spoken = min(max(firsts, default=0), n_rows // 5)
        wanted = max(spoken, min(firsts, default=0), min(REPEAT_ROWS, n_rows // 20))
        return min(n_rows - 1, max(wanted, self.settings.warm_up) + LEAST_CUT)

    def start_up_rows(self) -> int:
        """Rows of the run that begins later; none where they would not leave the warm-up."""
        n_rows, warm_up = len(self.sample), self.settings.warm_up
        enough = max(START_UP_ROWS, START_UP_WARM_UPS * warm_up)
        rows = max(min(int(START_UP_SHARE * n_rows), enough), min(LEAST_ROWS, n_rows))
        return rows if self.settings.start_up and rows > warm_up else 0

    def compare_probe(self, probe: Probe) -> None:
        """Another future: nothing up to the cut may change."""
        sample = self.futures.changed(probe)
        label = f"{probe.kind} from row {probe.cut + 1}"
        try:
            outputs = self.attempts.fresh(sample)
        except Exception as error:  # noqa: BLE001 - the code of others, on data that it never saw
            if sample.symbols != self.sample.symbols:  # it may name a symbol that is not listed yet
                self.compare_probe(replace(probe, newcomers=True))
            else:
                self.failed(label, error)
            return
        self.found.probes.append(label)
        last = probe.cut + 1 + (self.settings.lead if probe.tail else 0)
        found = list(self.judge.of_probe(outputs, sample, probe, last))
        if found and sample.symbols != self.sample.symbols:
            found = self.without_newcomers(probe, found)
        self.found.leaks += found

    def without_newcomers(self, probe: Probe, found: list[Leak]) -> list[Leak]:
        """Tell leaks of the universe from others: those that stay when all symbols are listed."""
        kept = replace(probe, newcomers=True)
        sample = self.futures.changed(kept)
        before = self.attempts.rows
        outputs = self.attempts.fresh(sample)
        self.attempts.rows = before  # part of the diagnosis, not of the check
        again = self.judge.of_probe(outputs, sample, kept, probe.cut + 1)
        others = {leak.output: leak for leak in again}
        told = [others.get(leak.output, replace(leak, cause=UNIVERSE)) for leak in found]
        # Equal parts of the equity are one for each symbol that the run was given: its choice.
        return [k for k in told if k.cause != UNIVERSE or not k.output.startswith((PLAN, RUN))]

    def compare_inputs(self) -> None:
        """Nobody may write to the data: the next reader takes them for what was delivered."""
        if not self.futures.untouched():
            self.found.unstable.append(self.judge.of_input())

    def start_up(self) -> tuple[StartUp, ...]:
        """Bars that each float or flag output needs to forget where its data begin."""
        n_rows = len(self.sample)
        first = n_rows - self.start_up_rows()
        part = self.futures.restored().rows(slice(first, n_rows))
        try:
            late = self.attempts.fresh(part)
        except Exception as error:  # noqa: BLE001 - the code of others, on fewer rows
            self.failed(f"start-up from row {first}", error)
            return ()
        found = []
        for name, array in self.judge.whole.items():
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

    root : the object whose code and memory are looked at, the function itself or what it calls; or
        what was found of it.
    """
    if len(sample) < LEAST_ROWS:
        raise ConfigError(f"{len(sample)} rows cannot be cut; give at least {LEAST_ROWS}")
    with random_state_kept():
        work = _Examination(run, sample, settings, root)
        try:
            work.examine()
            work.compare_inputs()
        finally:
            work.attempts.memory.restore()
    found, judge = work.found, work.judge
    unstable = [*found.unstable, *_clocks(work.attempts.memory.clock_reads, sample)]
    return LeakReport(
        subject,
        _first_of_each(found.leaks),
        _first_of_each(unstable),
        tuple(judge.whole),
        tuple(name for name in judge.whole if name not in judge.spoken),
        tuple(found.failed),
        judge.rounding,
        found.start_up,
        tuple(found.probes),
        len(sample),
        work.attempts.rows / len(sample),
        settings.seed,
    )


def _clocks(lines: Sequence[str], sample: Sample) -> Iterator[Leak]:
    first = str(sample.ts[0])
    for line in lines:
        cause = "The code asks what time it is: the result depends on when it is run."
        yield Leak("", "clock", 0, first, 0, first, "", 0, 0, "", "", cause, (line,))


def _first_of_each(leaks: list[Leak]) -> tuple[Leak, ...]:
    """One leak per output and probe, that with the most changes, which tells most; latest first."""
    best: dict[tuple[str, str], Leak] = {}
    for leak in leaks:
        key = leak.output, leak.probe
        if key not in best or (leak.changed, leak.cut) > (best[key].changed, best[key].cut):
            best[key] = leak
    return tuple(sorted(best.values(), key=lambda leak: -leak.cut))
