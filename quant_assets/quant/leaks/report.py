"""The verdict of a leak check: what was found, what was tried, what could not be judged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from quant_assets.core.errors import LookAheadError

__all__ = ["Leak", "LeakReport", "StartUp"]

Verdict = Literal["trusted", "leak", "not_deterministic", "undecided"]


@dataclass(frozen=True)
class Leak:
    """One output that changed although nothing known had changed.

    probe : what was done: truncated, noise, missing, remembered (an earlier call on all data left
        something behind), repeated (the same data again), batch, overlap, target.
    cut, cut_ts : last row that was the same; row, ts, symbol : the first value that changed, from
        `expected` to `found`. changed : number of changed values. reach : rows before the cut at
        which the first one lies. cause : the likely reason; source : lines of code to look at.
    """

    output: str
    probe: str
    cut: int
    cut_ts: str
    row: int
    ts: str
    symbol: str
    changed: int
    reach: int
    expected: str
    found: str
    cause: str
    source: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" of {self.symbol}" if self.symbol else ""
        lines = f" ({'; '.join(self.source)})" if self.source else ""
        return (
            f"{self.output}{where} at {self.ts} (row {self.row}) was {self.expected} and became "
            f"{self.found} by {self.probe} from row {self.cut + 1} on; {self.changed} values "
            f"changed. {self.cause}{lines}"
        )


@dataclass(frozen=True)
class StartUp:
    """How many bars an output needs before it no longer depends on where the data begin.

    needed : bars, None when it never settled within the `tried` ones (an expanding mean, a counter:
        no leak, but a live run that begins later has other values). declared : the warm-up.
    """

    output: str
    needed: int | None
    declared: int
    tried: int
    tolerance: float

    @property
    def sufficient(self) -> bool:
        """Whether the declared warm-up is long enough."""
        return self.needed is not None and self.needed <= self.declared


@dataclass(frozen=True)
class LeakReport:
    """Result of a leak check.

    leaks : at most one per output and probe. unstable : outputs that differ between two runs over
        the same data, or code that reads the clock. silent : outputs that said nothing on any row
        that was compared, so that nothing is known about them. rounding : largest
        difference within rounding, per output. cost : rows computed for the check, as a multiple
        of one run.
    """

    subject: str
    leaks: tuple[Leak, ...]
    unstable: tuple[Leak, ...] = ()
    outputs: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    rounding: Mapping[str, float] = field(default_factory=dict)
    start_up: tuple[StartUp, ...] = ()
    probes: tuple[str, ...] = ()
    n_rows: int = 0
    cost: float = 0.0
    seed: int = 0

    @property
    def verdict(self) -> Verdict:
        """What was found; `undecided` when no output said anything, or no probe could be run."""
        if self.leaks:
            return "leak"
        if self.unstable:
            return "not_deterministic"
        judged = set(self.outputs) - set(self.silent)
        return "trusted" if judged and self.probes else "undecided"

    @property
    def trusted(self) -> bool:
        """Whether results may be believed as far as this check can see."""
        return self.verdict == "trusted"

    def raise_if_untrusted(self) -> None:
        """Raise `LookAheadError` with all that was found, unless the verdict is `trusted`."""
        if not self.trusted:
            raise LookAheadError(str(self))

    def joined(self, other: "LeakReport", *, again: bool = True) -> "LeakReport":
        """What two checks of one subject found, the other on the first of the same rows.

        again : `cost` counts the rows of both, the other's first run with them, against the rows of
        this; else the two first runs are parts of the one run, and the longer check counts.
        """
        theirs = (1.0 + other.cost) * other.n_rows / self.n_rows
        return replace(
            self,
            leaks=(*self.leaks, *other.leaks),
            unstable=tuple(dict.fromkeys((*self.unstable, *other.unstable))),
            outputs=(*self.outputs, *other.outputs),
            silent=(*self.silent, *other.silent),
            failed=tuple(dict.fromkeys((*self.failed, *other.failed))),
            rounding={**self.rounding, **other.rounding},
            start_up=(*self.start_up, *other.start_up),
            probes=(*self.probes, *other.probes),
            cost=self.cost + theirs if again else max(self.cost, other.cost),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest or a report."""
        return {**asdict(self), "verdict": self.verdict, "trusted": self.trusted}

    def __str__(self) -> str:
        lines = [f"{self.subject}: {self.verdict.replace('_', ' ')}"]
        lines += [f"  {leak}" for leak in (*self.leaks, *self.unstable)]
        if self.verdict == "undecided":
            silent = ", ".join(self.silent) or "no output"
            lines.append(f"  nothing could be compared ({silent}): give more or other data")
        lines += [f"  failed: {text}" for text in self.failed]
        short = [s for s in self.start_up if not s.sufficient]
        for part in short:
            needed = f"more than {part.tried}" if part.needed is None else f"{part.needed}"
            lines.append(
                f"  start-up of {part.output}: needs {needed} bars, declared {part.declared}"
            )
        return "\n".join(lines)
