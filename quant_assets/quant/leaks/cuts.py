"""Where to cut: rows on which something is decided, many early ones (cheap) and one late one."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.futures import Kind, Probe

Mask = npt.NDArray[np.bool_]
LATE = 0.8  # share of the rows before the late cut
FREE_ROWS = 1_500  # beyond the budget: on few rows, many cuts cost nothing that is felt
MOST_EARLY, MOST_EARLY_OF_MANY = 20, 12  # the latter from MANY_ROWS on
MANY_ROWS = 5_000
EARLY_SHARE = 0.6  # the last early cut lies before this share of the rows
LEAST_TAIL = 16
KINDS: tuple[Kind, ...] = ("truncated", "noise", "noise", "truncated", "noise", "missing")


def plan(
    active: Mapping[str, Mask],
    n_rows: int,
    *,
    budget: float,
    least: int,
    generator: np.random.Generator,
) -> tuple[Probe, ...]:
    """Probes that recompute at most about `budget` times `n_rows` rows, the cheapest first.

    active : per output, the rows (time,) on which it says something. A cut behind a row that is
        silent, or in the warm-up, proves little: each cut is moved to the next row on which one of
        the outputs speaks, in turn; none lies before the row `least`. The late cut comes with
        noise, the earlier ones with all kinds.
    """
    speaking = {name: np.flatnonzero(rows) for name, rows in active.items() if rows.any()}
    first = min((int(rows[0]) for rows in speaking.values()), default=0)
    late = _next_active(speaking, 0, int(LATE * n_rows), n_rows)
    probes = [Probe("noise", late, min(n_rows - late - 1, max(LEAST_TAIL, n_rows // 20)))]
    room = budget * n_rows + FREE_ROWS - probes[0].rows
    low = min(max(first + 1, least), max(n_rows // 2, 1))
    high = int(max(EARLY_SHARE * n_rows, low + 1))
    most = MOST_EARLY if n_rows < MANY_ROWS else MOST_EARLY_OF_MANY
    for count in range(most, 0, -1):
        early = _probes(_places(low, high, count), speaking, n_rows, generator)
        while sum(probe.rows for probe in early) > room and high > 3 * low and count > 1:
            high = int(0.7 * high)
            early = _probes(_places(low, high, count), speaking, n_rows, generator)
        if sum(probe.rows for probe in early) <= room or count == 1:
            break
    return tuple(sorted([*early, *probes], key=lambda probe: probe.rows))


def _places(low: int, high: int, count: int) -> npt.NDArray[np.int64]:
    return np.unique(np.geomspace(low, max(high, low + 1), count).astype(np.int64))


def _probes(
    places: npt.NDArray[np.int64],
    speaking: Mapping[str, npt.NDArray[np.intp]],
    n_rows: int,
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
        tail = 0 if kind == "truncated" else min(n_rows - cut - 1, max(LEAST_TAIL, cut // 2))
        found.append(Probe(kind, cut, tail, turn))
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
