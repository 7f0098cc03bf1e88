"""A delivery's rows as arrays, and what has been decided about each of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import Instants, instants
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.market.row_checks.rules import RowRules

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
KEPT, QUARANTINED, DROPPED, UNDATED = range(4)


@dataclass(frozen=True)
class Note:
    """One doubt about some rows; `values` has one number a row."""

    rows: npt.NDArray[np.intp]
    outcome: str
    reason: str
    values: Floats


class Sheet:
    """Columns of a raw frame, one state a row, and the doubts in the order they came up.

    ts : datetime64[us] in UTC, NaT where it could not be read.
    codes, symbols : symbols are sorted, a missing one has code -1.
    numbers, others : columns by name; numbers are float64 and hold no -0.0.
    available_at : when a row could be known; set by `times.check_times`.
    """

    def __init__(
        self, raw: pd.DataFrame, rules: RowRules, numbers: list[str], others: list[str]
    ) -> None:
        self.raw, self.rules = raw, rules
        self.ts: Instants = instants(raw["ts"])
        self.codes, self.symbols = _coded(raw["symbol"])
        self.numbers = {name: raw[name].to_numpy(dtype=np.float64) for name in numbers}
        self.others = {name: raw[name] for name in others}
        self.available_at: Instants = self.ts
        self.state = np.full(len(raw), KEPT, dtype=np.int8)
        self.notes: list[Note] = []

    @property
    def kept(self) -> Bools:
        """Rows that are still to be stored."""
        return np.asarray(self.state == KEPT)

    def set_aside(self, mask: Bools, reason: str, values: Floats | None = None) -> None:
        """Quarantine the kept rows of `mask`."""
        self._decide(mask, QUARANTINED, "quarantined", reason, values)

    def drop(self, mask: Bools, reason: str, values: Floats | None = None) -> None:
        """Leave out the kept rows of `mask`, because another row says it all."""
        self._decide(mask, DROPPED, "repaired", reason, values)

    def undate(self, mask: Bools) -> None:
        """Part with rows that have no time."""
        self.state[mask] = UNDATED

    def remark(self, mask: Bools, outcome: str, reason: str, values: Floats | None = None) -> None:
        """Note something about the kept rows of `mask`, which stay."""
        self._note(np.flatnonzero(mask & self.kept), outcome, reason, values)

    def _decide(
        self, mask: Bools, state: int, outcome: str, reason: str, values: Floats | None
    ) -> None:
        rows = np.flatnonzero(mask & self.kept) if mask.any() else np.empty(0, dtype=np.intp)
        self._note(rows, outcome, reason, values)
        self.state[rows] = state

    def _note(
        self, rows: npt.NDArray[np.intp], outcome: str, reason: str, values: Floats | None
    ) -> None:
        if len(rows):
            measured = np.full(len(rows), np.nan) if values is None else values[rows]
            self.notes.append(Note(rows, outcome, reason, measured))

    def refuse_share(self, mask: Bools, what: str, remedy: str) -> None:
        """Raise `DataError` when the kept rows of `mask` are more than the allowed share.

        `what` completes 'n of m rows ...'.
        """
        found = mask & self.kept
        n_found, n_rows = int(np.count_nonzero(found)), int(np.count_nonzero(self.kept))
        if n_found > self.rules.allowed(n_rows):
            raise DataError(
                f"{self.place(int(np.flatnonzero(found)[0]))}: {n_found:,} of {n_rows:,} rows "
                f"{what}, this one first; at most {self.rules.max_share:.0%} are set aside. "
                f"{remedy}"
            )

    def place(self, row: int) -> str:
        """File, line, symbol and time of a row, for messages."""
        line = int(self.raw["line"].iloc[row])
        code = int(self.codes[row])
        symbol = str(self.symbols[code]) if code >= 0 else "no symbol"
        return f"{self.rules.file}: line {line}: {symbol} at {self.ts[row]} UTC"


def _coded(told: pd.Series) -> tuple[Integers, pd.Index]:
    """What `pd.factorize` gives, sorted; a file of one symbol needs a fourth of its time."""
    if len(told) and told.dtype == "str" and told.iloc[0] == told.iloc[-1]:
        first = told.iloc[0]
        if (told == first).all():
            return np.zeros(len(told), dtype=np.int64), pd.Index([first], dtype="str")
    codes, symbols = pd.factorize(told, sort=True)
    return codes.astype(np.int64, copy=False), pd.Index(symbols)


def pack(keys: list[Integers]) -> Integers:
    """One integer per row that sorts as the tuple of its keys; all of equal length, not empty."""
    packed, room = np.zeros(len(keys[0]), dtype=np.int64), 1
    for key in keys:
        low, span = int(key.min()), int(key.max()) - int(key.min()) + 1
        digits = key - low if low else key
        if room * span >= 2**62:
            packed, digits = (np.unique(v, return_inverse=True)[1] for v in (packed, key))
            room, span = int(packed.max()) + 1, int(digits.max()) + 1
        packed = packed * span + digits
        room *= span
    return packed


def increasing(packed: Integers) -> bool:
    """True when every value is above the one before it."""
    return bool((packed[1:] > packed[:-1]).all())


def is_positive(values: Floats) -> Bools:
    """Finite and above zero."""
    return np.asarray((values > 0) & (values < np.inf))
