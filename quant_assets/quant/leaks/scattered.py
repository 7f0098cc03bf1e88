"""Many cuts in one run: noise in short pieces, far enough apart to be forgotten between them.

A run over noise from one cut on tells of one cut. Where outputs are known to forget, by the run
that begins later, noise in one piece changes nothing any more when the next piece begins: rows
before each piece then tell whether it was seen ahead. What is suspected is confirmed by a run of
its own, over noise from that cut on; so a wrong guess of the memory costs time, never a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.outputs import EPSILON, Array, Mask, difference, magnitude
from quant_assets.quant.leaks.report import StartUp

Rows = npt.NDArray[np.intp]
PIECE = 6  # rows of noise
SEEN = 4  # rows before a piece, at least, that are compared
LEAST_MEMORY, UNTOLD_MEMORY = 8, 24  # rows; the latter where no run tells
MOST_PIECES = 256
LEAST_PIECES = 3  # fewer tell no more than one cut
LATE_SHARE = 0.6  # where some outputs do not forget: these see nothing but rows before the first


@dataclass(frozen=True)
class Pieces:
    """Rows `[start, stop)` of noise, and after how many rows each output has forgotten one."""

    starts: Rows
    stops: Rows
    forgets: Mapping[str, int]

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.starts)

    @property
    def rows(self) -> Rows:
        """All rows of noise."""
        steps = np.arange(PIECE)
        found = (self.starts[:, None] + steps)[steps < (self.stops - self.starts)[:, None]]
        return np.asarray(found, dtype=np.intp)

    @property
    def places(self) -> Rows:
        """The piece that each row of noise belongs to."""
        return np.repeat(np.arange(len(self)), self.stops - self.starts)

    @property
    def memory(self) -> int:
        """Rows after which all that can forget has forgotten."""
        return max(self.forgets.values())

    def clean(self, forgets: int | None, n_rows: int, lead: int) -> Rows:
        """Rows that no piece before them can have changed in an output; None: it never forgets."""
        clean = np.zeros(n_rows, dtype=bool)
        clean[: self.starts[0] + lead] = True
        if forgets is not None:
            after = self.stops[:-1] + forgets
            for first, last in zip(after.tolist(), (self.starts[1:] + lead).tolist(), strict=True):
                clean[first:last] = True
        return np.flatnonzero(clean)


def memories(start_up: Sequence[StartUp]) -> dict[str, int]:
    """Rows after which each output forgets: half as many again as it took to settle, the warm-up.

    One run that begins later shows the memory of one past: another may take longer to fade.
    """
    return {
        part.output: max(LEAST_MEMORY, part.declared, part.needed + part.needed // 2 + 2)
        for part in start_up
        if part.needed is not None
    }


def pieces(
    forgets: Mapping[str, int],
    active: Mapping[str, Mask],
    place: range,
    generator: np.random.Generator,
) -> Pieces | None:
    """Pieces within the rows of `place`, each behind a row on which an output speaks.

    Not in equal steps, which would miss every second hour of a clock. None where fewer than three
    find room, as outputs remember too much.
    """
    low, n_rows = place.start, place.stop
    speaks = {name: np.flatnonzero(rows[:n_rows]) for name, rows in active.items()}
    speaks = {name: rows for name, rows in speaks.items() if rows.size}
    room = (n_rows - low) // LEAST_PIECES
    short = {name: rows for name, rows in forgets.items() if rows + PIECE + SEEN <= room}
    if not speaks or not speaks.keys() & short.keys():
        return None
    gap = max(short[name] for name in speaks.keys() & short.keys()) + SEEN
    first = low if speaks.keys() <= short.keys() else max(low, int(LATE_SHARE * n_rows))
    gap = max(gap, (n_rows - first) // MOST_PIECES - PIECE)
    starts: list[int] = []
    names, at = list(speaks), first
    while at + PIECE <= n_rows and len(starts) < MOST_PIECES:
        rows = speaks[names[len(starts) % len(names)]]
        number = int(np.searchsorted(rows, at - 1))
        near = number < len(rows) and rows[number] < at + SEEN
        at = int(rows[number]) + 1 if near else at
        starts.append(at)
        at += PIECE + gap + int(generator.integers(0, PIECE))
    found = np.array([start for start in starts if start < n_rows], dtype=np.intp)
    if len(found) < LEAST_PIECES:
        return None
    return Pieces(found, np.minimum(found + PIECE, n_rows), short)


def suspected(
    noise: Pieces,
    expected: Mapping[str, Array],
    found: Mapping[str, Array],
    *,
    lead: int,
    tolerance: float,
) -> list[int]:
    """Pieces of noise before which some output changed that should have forgotten the others.

    First those with the change nearest before them: what was not forgotten lies behind a piece.
    An early one, and a late one.
    """
    far = np.full(len(noise), np.inf)
    places: dict[tuple[int | None, int], Rows] = {}
    for name, one in expected.items():
        other = found.get(name)
        if other is None or other.shape[1:] != one.shape[1:]:
            return [0]
        n_rows, forgets = min(len(one), len(other)), noise.forgets.get(name)
        if (forgets, n_rows) not in places:
            places[forgets, n_rows] = noise.clean(forgets, n_rows, lead)
        clean = places[forgets, n_rows]
        apart = difference(
            one[clean],
            other[clean],
            ulps=tolerance / EPSILON,
            size=lambda known=one[:n_rows]: magnitude(known),  # type: ignore[misc]
        )
        if apart is not None:
            rows = clean[apart.rows]
            ahead = np.searchsorted(noise.starts + lead, rows, side="right")
            rows, ahead = rows[ahead < len(noise)], ahead[ahead < len(noise)]
            first = np.full(len(noise), -1.0)
            np.maximum.at(first, ahead, noise.starts[ahead] - rows)
            far = np.where(first >= 0.0, np.fmin(far, first), far)
    nearest = np.flatnonzero(far == far.min()) if np.isfinite(far).any() else far[:0]
    return sorted({int(number) for number in (*nearest[:1], *nearest[-1:])})
