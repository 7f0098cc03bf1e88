"""Whether an output of another future differs from the first run's, told as a leak."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType

from quant_assets.quant.leaks.causes import cause_of
from quant_assets.quant.leaks.futures import Probe
from quant_assets.quant.leaks.outputs import (
    SELDOM,
    Array,
    Mask,
    activity,
    difference,
    magnitude,
    moves,
)
from quant_assets.quant.leaks.report import Leak
from quant_assets.quant.leaks.samples import Sample
from quant_assets.quant.leaks.sources import suspects

MISSHAPEN = "Which outputs and columns there are depends on later rows."
WRITES = "The code writes to its input: a second run over it has other data."


@dataclass(frozen=True)
class Compared:
    """One output of two runs: `expected` and `found`, shape (time, column).

    symbols : those of the second run. how, cause : in place of the probe's kind and the likely one.
    """

    name: str
    expected: Array
    found: Array
    symbols: tuple[str, ...]
    how: str = ""
    cause: str = ""


@dataclass
class Judge:
    """Compares outputs with those of the first run over all rows.

    whole : outputs of that run. functions : the code to look at for a cause. rounding : largest
    difference within rounding so far, per output. spoken : outputs that said something where they
    were compared.
    """

    sample: Sample
    whole: dict[str, Array]
    ulps: float
    functions: Callable[[], list[FunctionType]]
    rounding: dict[str, float] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sizes: dict[str, Array] = {}

    @cached_property
    def active(self) -> dict[str, Mask]:
        """Per output, the rows (time,) on which it says something."""
        return {name: activity(array) for name, array in self.whole.items()}

    @cached_property
    def turning(self) -> dict[str, Mask]:
        """Where an output is seldom another than on the row before, the rows on which it is."""
        found = {f"{name}, another": moves(array) for name, array in self.whole.items()}
        return {name: rows for name, rows in found.items() if 0 < rows.sum() < SELDOM * len(rows)}

    def size(self, name: str, expected: Array, symbols: tuple[str, ...]) -> Array:
        """Largest magnitude of each column of an output, in the whole first run if it was there."""
        if name not in self.whole:
            return magnitude(expected)
        if name not in self._sizes:
            self._sizes[name] = magnitude(self.whole[name])
        size = self._sizes[name]
        if len(size) == expected.shape[1]:
            return size
        return size[[symbol in symbols for symbol in self.sample.symbols]]

    def of_probe(
        self, outputs: dict[str, Array], sample: Sample, probe: Probe, last: int
    ) -> Iterator[Leak]:
        """The outputs that changed before row `last`."""
        self.heard(last)
        known = [symbol in sample.symbols for symbol in self.sample.symbols]
        for name in [*self.whole, *sorted(outputs.keys() - self.whole.keys())]:
            expected = self.whole.get(name, outputs.get(name))[:last]  # type: ignore[index]
            if name not in self.whole:
                expected = expected[:0]
            elif expected.shape[1] == len(known) and not all(known):
                expected = expected[:, known]
            other = outputs.get(name, expected[:0])[:last]
            yield from self.of_output(Compared(name, expected, other, sample.symbols), probe)

    def heard(self, last: int) -> None:
        """Note which outputs say something before row `last`, where they are compared."""
        for name in self.active.keys() - self.spoken:
            if self.active[name][:last].any():
                self.spoken.add(name)

    def of_output(self, one: Compared, probe: Probe) -> Iterator[Leak]:
        """A leak, if one output differs."""
        name, expected, found = one.name, one.expected, one.found
        if expected.shape != found.shape:
            if not len(found) and not activity(expected).any():
                return  # nothing was said, and the output left out
            yield self._misshapen(one, probe)
            return
        other = difference(
            expected, found, ulps=self.ulps, size=lambda: self.size(name, expected, one.symbols)
        )
        if other is None:
            return
        if other.rounding:
            self.rounding[name] = max(self.rounding.get(name, 0.0), other.rounding)
        if not other.cells.any():
            return
        row, column = other.example
        yield Leak(
            name,
            one.how or probe.kind,
            probe.cut,
            self.moment(probe.cut),
            row,
            self.moment(row),
            one.symbols[column] if other.cells.shape[1] == len(one.symbols) else "",
            int(other.cells.sum()),
            probe.cut - int(other.rows[0]),
            str(other.expected),
            str(other.found),
            one.cause or cause_of(self.sample, probe, other),
            self.source,
        )

    def _misshapen(self, one: Compared, probe: Probe) -> Leak:
        """An output that came, went, or has other columns."""
        cut, first = self.moment(probe.cut), self.moment(0)
        shapes = str(one.expected.shape), str(one.found.shape)
        how = one.how or probe.kind
        place = one.name, how, probe.cut, cut, 0, first, "", one.found.size, probe.cut
        return Leak(*place, *shapes, MISSHAPEN, self.source)

    def of_input(self) -> Leak:
        """Data that were written to."""
        first = self.moment(0)
        return Leak("", "written", 0, first, 0, first, "", 0, 0, "", "", WRITES, self.source)

    @cached_property
    def source(self) -> tuple[str, ...]:
        """Lines of the subject's code to look at."""
        return suspects(self.functions())

    def moment(self, row: int) -> str:
        """Time of a row."""
        return str(self.sample.ts[row])
