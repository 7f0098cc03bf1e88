"""Where to cut: rows on which something is decided, many early ones (cheap) and one late one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.futures import Kind, Probe

Mask = npt.NDArray[np.bool_]
LATE, LEAST_LATE = 0.7, 0.3  # shares of the rows before the late cut
LATE_PART = 0.6  # of what may be spent, on the late cut
EARLY_SHARE = 0.6  # the last early cut lies before this share of the rows
LEAST_TAIL, MOST_TAIL = 16, 64
MOVED = 1.06  # cuts are moved a little, to rows on which something is said
KINDS: tuple[Kind, ...] = ("truncated", "noise", "missing", "noise", "truncated", "noise")


@dataclass(frozen=True)
class Room:
    """Rows that all probes may compute, the row before which no cut lies, the number of early cuts.

    tail : rows that follow a cut, as a share of those before it, 16 to 64.
    """

    rows: float
    least: int
    early: int
    tail: float

    def after(self, cut: int, n_rows: int) -> int:
        """Rows that follow a cut."""
        return min(n_rows - cut - 1, max(LEAST_TAIL, min(MOST_TAIL, int(self.tail * cut))))


def plan(
    active: Mapping[str, Mask], n_rows: int, room: Room, generator: np.random.Generator
) -> tuple[Probe, ...]:
    """Early probes and a late one, the cheapest first.

    active : per output, the rows (time,) on which it says something. A cut behind a row that is
        silent, or in the warm-up, proves little: each cut is moved to the next row on which one of
        the outputs speaks, in turn. The late cut comes with noise, the earlier ones with all kinds.
        It lies at seven tenths of few rows, about the middle of many.
    """
    speaking = {name: np.flatnonzero(rows) for name, rows in active.items() if rows.any()}
    first = min((int(rows[0]) for rows in speaking.values()), default=0)
    low = min(max(first + 1, room.least), max(n_rows // 2, 1))
    share = min(LATE, max(LEAST_LATE, LATE_PART * room.rows / n_rows))
    late = _next_active(speaking, 0, max(low, int(share * n_rows)), n_rows)
    last = Probe("noise", late, room.after(late, n_rows))
    room = replace(room, rows=room.rows - last.rows)
    places = _places(low, int(max(EARLY_SHARE * n_rows, low + 1)), room)
    early = _probes(places, speaking, n_rows, room, generator)
    return tuple(sorted([*early, last], key=lambda probe: probe.rows))


def _places(low: int, high: int, room: Room) -> list[int]:
    """As many places as there is room for: first those that lie far apart are brought nearer."""
    for count in range(room.early, 1, -1):
        last = high
        while last > low:
            ratio = (last / low) ** (1.0 / (count - 1))
            places = sorted({int(low * ratio**number) for number in range(count)})
            tails = [min(max(LEAST_TAIL, room.tail * place), MOST_TAIL) for place in places]
            if MOVED * sum(places) + sum(tails) <= room.rows:
                return places
            last = int(0.7 * last) if last > 1.5 * low else 0
    return [low]


def _probes(
    places: Sequence[int],
    speaking: Mapping[str, npt.NDArray[np.intp]],
    n_rows: int,
    room: Room,
    generator: np.random.Generator,
) -> list[Probe]:
    found, turn, used = [], 1, set()
    for number, place in enumerate(places):
        moved = place + int(generator.integers(0, max(1, place // 16)))
        kind = KINDS[number % len(KINDS)]
        # A flag may be wrong where it is set and where it is not: every fourth cut is left alone.
        silent = number % 4 == 3
        cut = min(moved, n_rows - 2) if silent else _next_active(speaking, number, moved, n_rows)
        if cut in used:
            continue
        used.add(cut)
        if kind == "noise":
            turn = -turn
        rows = 0 if kind == "truncated" else room.after(cut, n_rows)
        found.append(Probe(kind, cut, rows, turn))
    return found


def _next_active(
    speaking: Mapping[str, npt.NDArray[np.intp]], number: int, place: int, n_rows: int
) -> int:
    """The next row from `place` on with something to say; the outputs take turns."""
    last = max(n_rows - 2, 0)
    names = list(speaking)
    turn = number % max(len(names), 1)
    for name in [*names[turn:], *names[:turn]]:
        rows = speaking[name]
        at = int(np.searchsorted(rows, place))
        if at < len(rows) and rows[at] <= min(last, place + max(LEAST_TAIL, place // 8)):
            return int(rows[at])
    return min(place, last)
