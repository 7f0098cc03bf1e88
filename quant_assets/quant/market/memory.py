"""How many earlier bars a result depends on, to the last bit: what may be left unread before it."""

from collections.abc import Iterable
from math import lcm
from typing import NamedTuple

__all__ = ["NOTHING", "Memory", "joined"]


class Memory(NamedTuple):
    """A finite memory: `rows` bars before the one that it is asked for.

    `period` : sums that run are taken anew every so many bars, so that rounding is the same only
    where the bars that are left out are a multiple of it. `timeframes` : the same for bars of
    longer timeframes, as pairs of a name and its period, sorted. What remembers everything, as an
    exponential average does, has no `Memory` but None.
    """

    rows: int = 0
    period: int = 1
    timeframes: tuple[tuple[str, int], ...] = ()

    def longer(self, rows: int) -> "Memory":
        """The same, looked up `rows` bars earlier."""
        return self._replace(rows=self.rows + rows)


NOTHING = Memory()


def joined(memories: Iterable[Memory | None]) -> Memory | None:
    """The memory of what depends on all of these; None when one of them has no end."""
    rows, period, timeframes = 0, 1, dict[str, int]()
    for memory in memories:
        if memory is None:
            return None
        rows, period = max(rows, memory.rows), lcm(period, memory.period)
        for name, own in memory.timeframes:
            timeframes[name] = lcm(own, timeframes.get(name, 1))
    return Memory(rows, period, tuple(sorted(timeframes.items())))
