"""Half-open ranges of time, and which of them are missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, order=True)
class Range:
    """The instants `start <= t < end`; both aware, `start < end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"[{self.start}, {self.end}) is empty")

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%S}Z, {self.end:%Y-%m-%dT%H:%M:%S}Z)"

    def holds(self, moment: datetime) -> bool:
        """True when the moment lies inside."""
        return self.start <= moment < self.end


def missing_ranges(confirmed: Iterable[Range], wanted: Range) -> list[Range]:
    """Parts of `wanted` that no confirmed range covers, in time order, none touching another."""
    missing, begin = [], wanted.start
    for known in sorted(confirmed):
        if known.start >= wanted.end:
            break
        if known.start > begin:
            missing.append(Range(begin, known.start))
        begin = max(begin, known.end)
    if begin < wanted.end:
        missing.append(Range(begin, wanted.end))
    return missing
