"""Whether an output of another future differs from the first run's, told as a leak."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType

from quant_assets.quant.leaks.causes import cause_of
from quant_assets.quant.leaks.futures import Probe
from quant_assets.quant.leaks.outputs import Array, activity, difference, magnitude
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
        self.sizes = {name: magnitude(array) for name, array in self.whole.items()}
        self.active = {name: activity(array) for name, array in self.whole.items()}

    def of_probe(
        self, outputs: dict[str, Array], sample: Sample, probe: Probe, last: int
    ) -> Iterator[Leak]:
        """The outputs that changed before row `last`."""
        known = [symbol in sample.symbols for symbol in self.sample.symbols]
        for name in [*self.whole, *sorted(outputs.keys() - self.whole.keys())]:
            expected = self.whole.get(name, outputs.get(name))[:last]  # type: ignore[index]
            if name not in self.whole:
                expected = expected[:0]
            elif expected.shape[1] == len(known) and not all(known):
                expected = expected[:, known]
            if name in self.active and self.active[name][:last].any():
                self.spoken.add(name)
            other = outputs.get(name, expected[:0])[:last]
            yield from self.of_output(Compared(name, expected, other, sample.symbols), probe)

    def of_output(self, one: Compared, probe: Probe) -> Iterator[Leak]:
        """A leak, if one output differs."""
        name, expected, found = one.name, one.expected, one.found
        if expected.shape != found.shape:
            if not len(found) and not activity(expected).any():
                return  # nothing was said, and the output left out
            yield self._misshapen(one, probe)
            return
        size = self.sizes.get(name)
        if size is not None and len(size) != expected.shape[1]:
            size = size[[symbol in one.symbols for symbol in self.sample.symbols]]
        other = difference(expected, found, ulps=self.ulps, size=size)
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
