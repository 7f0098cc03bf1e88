"""Where to cut: rows on which something is decided, many early ones (cheap) and one late one."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.futures import Kind, Probe

Mask = npt.NDArray[np.bool_]
LATE, LEAST_LATE = 0.8, 0.3  # shares of the rows before the late cut
LATE_PART = 0.55  # of what may be spent, on the late cut
FREE_ROWS = 2_000  # beyond the budget: on few rows, many cuts cost nothing that is felt
MOST_EARLY, MOST_EARLY_OF_MANY = 20, 12  # the latter from MANY_ROWS on
MANY_ROWS = 5_000
EARLY_SHARE = 0.6  # the last early cut lies before this share of the rows
LEAST_TAIL = 16
KINDS: tuple[Kind, ...] = ("truncated", "noise", "missing", "noise", "truncated", "noise")


def plan(
    active: Mapping[str, Mask],
    n_rows: int,
    *,
    room: float,
    least: int,
    tail: float,
    generator: np.random.Generator,
) -> tuple[Probe, ...]:
    """Probes that recompute at most about `room` rows, the cheapest first.

    active : per output, the rows (time,) on which it says something. A cut behind a row that is
        silent, or in the warm-up, proves little: each cut is moved to the next row on which one of
        the outputs speaks, in turn; none lies before the row `least`. The late cut comes with
        noise, the earlier ones with all kinds; `tail` times the rows before a cut follow it. It
        lies at four fifths of few rows, about the middle of many.
    """
    speaking = {name: np.flatnonzero(rows) for name, rows in active.items() if rows.any()}
    first = min((int(rows[0]) for rows in speaking.values()), default=0)
    share = min(LATE, max(LEAST_LATE, LATE_PART * room / n_rows))
    late = _next_active(speaking, 0, int(share * n_rows), n_rows)
    rows = max(LEAST_TAIL, int(0.1 * tail * n_rows))
    probes = [Probe("noise", late, min(n_rows - late - 1, rows))]
    room -= probes[0].rows
    low = min(max(first + 1, least), max(n_rows // 2, 1))
    high = int(max(EARLY_SHARE * n_rows, low + 1))
    most = MOST_EARLY if n_rows < MANY_ROWS else MOST_EARLY_OF_MANY
    for count in range(most, 0, -1):
        early = _probes(_places(low, high, count), speaking, n_rows, tail, generator)
        while sum(probe.rows for probe in early) > room and high > 3 * low and count > 1:
            high = int(0.7 * high)
            early = _probes(_places(low, high, count), speaking, n_rows, tail, generator)
        if sum(probe.rows for probe in early) <= room or count == 1:
            break
    return tuple(sorted([*early, *probes], key=lambda probe: probe.rows))


def _places(low: int, high: int, count: int) -> npt.NDArray[np.int64]:
    return np.unique(np.geomspace(low, max(high, low + 1), count).astype(np.int64))


def _probes(
    places: npt.NDArray[np.int64],
    speaking: Mapping[str, npt.NDArray[np.intp]],
    n_rows: int,
    tail: float,
    generator: np.random.Generator,
) -> list[Probe]:
    found, turn, used = [], 1, set()
    for number, place in enumerate(places.tolist()):
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
        rows = 0 if kind == "truncated" else min(n_rows - cut - 1, max(LEAST_TAIL, int(tail * cut)))
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
        if at < len(rows) and rows[at] <= min(last, place + max(LEAST_TAIL, place // 4)):
            return int(rows[at])
    return min(place, last)
