"""What the middlewares hand on: the decisions so far, of all bars at once or of one bar."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.strategies.signals import FLAGS, Signals

__all__ = ["ChangeLog", "Proposal"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ENTRIES = ("entry_long", "entry_short")
Reasons = str | npt.NDArray[np.object_]
COLUMNS = ("bar", "ts", "symbol", "order", "middleware", "field", "before", "after", "reason")
VALUES = ("target", "limit", "stop", "strength", "size")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Decisions `(row, symbol)`; of one bar there is one row. None: no such decision.

    The fields of `Signals`, and `size` of entries in `size_unit`. `reason`: why the last
    middleware changed something, where it says so.
    """

    shape: tuple[int, int]
    entry_long: Bools | None = None
    exit_long: Bools | None = None
    entry_short: Bools | None = None
    exit_short: Bools | None = None
    target: Floats | None = None
    limit: Floats | None = None
    stop: Floats | None = None
    strength: Floats | None = None
    size: Floats | None = None
    size_unit: int = 0
    reason: str = ""

    @classmethod
    def of(cls, signals: Signals) -> "Proposal":
        """The decisions of signals; those of one bar `(symbol,)` become one row."""
        given = {name: getattr(signals, name) for name in (*FLAGS, *VALUES[:-1])}
        rows: dict[str, Any] = {n: np.atleast_2d(v) for n, v in given.items() if v is not None}
        return cls(shape=next(iter(rows.values())).shape, **rows)

    def with_signals(self, signals: Signals) -> "Proposal":
        """The same with other decisions; sizes stay."""
        other = Proposal.of(signals)
        if other.shape != self.shape:
            raise DataError(f"signals have shape {other.shape}; the bars have {self.shape}")
        return replace(other, size=self.size, size_unit=self.size_unit)

    def signals(self) -> Signals:
        """The decisions `(row, symbol)` as signals; nothing decided is no entry anywhere."""
        given = {name: getattr(self, name) for name in (*FLAGS, *VALUES[:-1])}
        if all(given[name] is None for name in (*FLAGS, "target")):
            given["entry_long"] = np.zeros(self.shape, dtype=np.bool_)
        return Signals(**given)

    def bar(self) -> Signals:
        """The decisions of the last row, `(symbol,)`."""
        signals = self.signals()
        given = {field.name: getattr(signals, field.name) for field in fields(signals)}
        return Signals(**{name: v[-1] for name, v in given.items() if v is not None})

    def entries(self) -> Bools:
        """Where an entry is asked for, or a weight other than 0."""
        asked = np.zeros(self.shape, dtype=np.bool_)
        for name in ENTRIES:
            flags = getattr(self, name)
            if flags is not None:
                asked |= flags
        if self.target is not None:
            asked |= ~np.isnan(self.target) & (self.target != 0.0)
        return asked

    def without_entries(self, at: npt.ArrayLike, reason: str = "") -> "Proposal":
        """The same without entries where `at` is true; exits stay as they are.

        A weight other than 0 becomes NaN there: what is held stays, a weight of 0 still closes.
        """
        here = np.broadcast_to(np.asarray(at, dtype=np.bool_), self.shape)
        changed: dict[str, Any] = {}
        for name in ENTRIES:
            flags = getattr(self, name)
            if flags is not None:
                changed[name] = flags & ~here
        if self.target is not None:
            changed["target"] = np.where(here & (self.target != 0.0), np.nan, self.target)
        return replace(self, reason=reason, **changed)

    def difference(self, other: "Proposal") -> list["Change"]:
        """What changed from this to `other`, field by field; only where there is a decision.

        Values of entries (prices, strength, size) count where `other` has an entry.
        """
        steps = [*self._flags_changed(other), *self._values_changed(other)]
        return [step for step in steps if len(step.row)]

    def _flags_changed(self, other: "Proposal") -> Iterator["Change"]:
        nowhere = np.zeros(self.shape, dtype=np.bool_)
        for name in FLAGS:
            before, after = getattr(self, name), getattr(other, name)
            if before is not after:
                old, new = (nowhere if v is None else v for v in (before, after))
                rows, columns = _places(old ^ new)
                turned_on = new[rows, columns].astype(np.float64)
                yield Change(name, rows, columns, 1.0 - turned_on, turned_on)

    def _values_changed(self, other: "Proposal") -> Iterator["Change"]:
        nothing = np.full((1, self.shape[1]), np.nan)
        for name in VALUES:
            before, after = getattr(self, name), getattr(other, name)
            if before is not after:
                old, new = (
                    np.broadcast_to(nothing if v is None else v, self.shape)
                    for v in (before, after)
                )
                differs = (old != new) & ~(np.isnan(old) & np.isnan(new))
                at = differs if name == "target" else differs & other.entries()
                rows, columns = _places(at)
                yield Change(name, rows, columns, old[rows, columns], new[rows, columns])


def _places(marks: Bools) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """`np.nonzero` of two axes; in one axis numpy passes over many zeros at once."""
    rows, columns = np.divmod(np.flatnonzero(marks), marks.shape[1])
    return rows, columns


@dataclass(frozen=True)
class Change:
    """One field changed at some cells: `row`, `column`, and the values before and after."""

    name: str
    row: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    before: Floats
    after: Floats


@dataclass
class ChangeLog:
    """Every change that middlewares made, in their order: what `AttributionMiddleware` keeps."""

    symbols: tuple[str, ...] = ()
    _next_bar: int = 0
    _parts: list[tuple[int, str, Instants, int, Change, Reasons]] = field(default_factory=list)

    def begin(self, symbols: tuple[str, ...]) -> None:
        """Forget an earlier run, for one over all bars."""
        self.symbols, self._next_bar, self._parts = symbols, 0, []

    def begin_bar(self, symbols: tuple[str, ...], bar: int) -> None:
        """Go on with a bar; forget an earlier run when it does not come after the last one."""
        if self._next_bar == 0 or bar < self._next_bar:
            self.begin(symbols)
        self._next_bar = bar + 1

    def add(
        self,
        order: int,
        middleware: str,
        ts: Instants,
        first_bar: int,
        changes: Iterable[tuple[Change, Reasons]],
    ) -> None:
        """Note changes of one middleware; rows count from `first_bar`."""
        self._parts += [(order, middleware, ts, first_bar, one, why) for one, why in changes]

    def frame(self) -> pd.DataFrame:
        """One row per change: bar, ts, symbol, order, middleware, field, before, after, reason.

        Flags are 1 and 0; NaN: none. Sorted by bar, symbol and the order of the middlewares.
        """
        names = np.array(self.symbols, dtype=object)
        parts = [
            pd.DataFrame(
                {
                    "bar": change.row + first,
                    "ts": pd.DatetimeIndex(ts[change.row], tz="UTC"),
                    "symbol": names[change.column],
                    "order": order,
                    "middleware": middleware,
                    "field": change.name,
                    "before": change.before,
                    "after": change.after,
                    "reason": why,
                }
            )
            for order, middleware, ts, first, change, why in self._parts
        ]
        if not parts:
            return pd.DataFrame(columns=list(COLUMNS))
        joined = pd.concat(parts, ignore_index=True)
        return joined.sort_values(["bar", "symbol", "order", "field"], ignore_index=True)
