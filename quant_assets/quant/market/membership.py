"""Which symbols could be traded when: the universe as it was known, not as it is today.

A backtest over the members of today knows who survived. A `Membership` says what was known at each
moment; put on bars it is a `PanelUniverse`, whose row t is what the decision of bar t knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_frames import pandas_frame
from quant_assets.quant.market.bars import Instants, sealed

__all__ = ["Membership", "OnExit", "PanelUniverse", "panel_universe"]

Mask = npt.NDArray[np.bool_]
OnExit = Literal["close", "keep"]
NEVER = np.datetime64("NaT", "us")
SPANS = ("entered", "left", "entered_available_at", "left_available_at")
SHAPES = (
    "symbol, entered and left (empty: still a member), or decided_at and symbol of every member "
    "(is_listed, where some rows are none)"
)


@dataclass(frozen=True, eq=False)
class PanelUniverse:
    """Members on the clock of bars.

    members : `(time, symbol)`; row t is what the decision of bar t knows. on_exit : what becomes of
    a position whose symbol has left: `close`, it is closed at the next fill, or `keep`. absent :
    members of this time that the bars lack.
    """

    members: Mask
    on_exit: OnExit = "close"
    absent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.members, np.ndarray) or self.members.dtype != np.bool_:
            raise DataError("members of a universe are an array of bool, (time, symbol)")
        _check_rule(self.on_exit)
        object.__setattr__(self, "members", sealed(self.members))

    def part(self, part: Any) -> "PanelUniverse":
        """That of a part of the bars: `part` is an index of `(time, symbol)` arrays."""
        return replace(self, members=self.members[part])

    def check(self, shape: tuple[int, int]) -> None:
        """`DataError` for members of other bars than those of this shape."""
        if self.members.shape != shape:
            raise DataError(f"members of the universe are {self.members.shape}; bars are {shape}")

    def __reduce__(self) -> tuple[Any, ...]:
        """A read-only view is made anew where it is sent."""
        return PanelUniverse, (np.array(self.members), self.on_exit, self.absent)


@dataclass(frozen=True, eq=False)
class Membership:
    """Who was a member, as it became known.

    available_at : shape (row,), increasing: from when on the row may be used. members :
        `(row, symbol)`, which holds until the next row; before the first one nobody is a member.
    on_exit : see `PanelUniverse`. next_bar : the rows are decisions of these moments, which serve
        bars that open at or after them; else they serve decisions taken at or after them.
    """

    available_at: Instants
    symbols: tuple[str, ...]
    members: Mask
    on_exit: OnExit = "close"
    next_bar: bool = False

    def __post_init__(self) -> None:
        _check_rule(self.on_exit)
        shape = (len(self.available_at), len(self.symbols))
        if self.members.shape != shape or self.members.dtype != np.bool_:
            found = f"{self.members.dtype} {self.members.shape}"
            raise DataError(f"members are {found}; they must be bool {shape}")
        if not (self.available_at[1:] > self.available_at[:-1]).all():
            raise DataError("available_at of a membership must increase")

    @classmethod
    def from_frame(cls, frame: Any, *, on_exit: OnExit = "close") -> "Membership":
        """A membership of rows, of pandas or by way of Arrow. Times without a zone are UTC.

        Spans: `symbol`, `entered` and `left`: a member from the one to before the other, for good
        where `left` is empty. A change serves decisions from its time on, or from
        `entered_available_at` and `left_available_at` where these are later: a change that became
        known afterwards was not known before.

        Snapshots, as the contract `Universe` has them: `decided_at` and `symbol` of every member
        then, those with `is_listed` False left out. They serve bars that open at or after
        `decided_at` (or `available_at`, where it is later).

        Raises
        ------
        DataError
            Other columns, as a list of symbols alone: it does not say since when. Rows without
            symbol or time, a symbol twice in a snapshot, or one that leaves before it enters.
        """
        if not hasattr(frame, "__arrow_c_stream__") and not isinstance(frame, pd.DataFrame):
            raise DataError(f"a universe is a frame with {SHAPES}; this is a {_kind(frame)}")
        frame = pandas_frame(frame)
        if {"symbol", "entered"} <= set(frame.columns):
            return _of_spans(frame, on_exit)
        if {"symbol", "decided_at"} <= set(frame.columns):
            return _of_snapshots(frame, on_exit)
        found = ", ".join(map(str, frame.columns))
        raise DataError(f"a universe has the columns {SHAPES}; this has {found}: since when?")

    def at(self, moment: Any) -> tuple[str, ...]:
        """Who was a member then, as it was known then: those that were delisted since included."""
        instant = pd.Timestamp(moment)
        instant = instant if instant.tz is None else instant.tz_convert("UTC").tz_localize(None)
        row = int(np.searchsorted(self.available_at, instant.to_datetime64(), side="right")) - 1
        if row < 0:
            return ()
        return tuple(self.symbols[i] for i in np.flatnonzero(self.members[row]).tolist())

    def on(
        self, ts: Instants, known: Instants, symbols: Iterable[str], first: int = 0
    ) -> PanelUniverse:
        """The members of bars that opened at `ts` and are decided on at `known`, (time,) both.

        symbols : of the bars; those that the membership does not name are no members. first : row
        of the first bar that is traded; whoever left before it is not `absent`.
        """
        moments = ts if self.next_bar else known
        row = np.searchsorted(self.available_at, moments, side="right") - 1
        names = tuple(symbols)
        place = {symbol: i for i, symbol in enumerate(self.symbols)}
        columns = [i for i, symbol in enumerate(names) if symbol in place]
        found = np.zeros((len(ts), len(names)), dtype=np.bool_)
        if columns and len(self.available_at):
            mine = self.members[:, [place[names[i]] for i in columns]]
            found[:, columns] = mine[np.maximum(row, 0)] & (row >= 0)[:, None]
        rows = np.unique(row[first:][row[first:] >= 0])
        used = np.asarray(self.members[rows].any(axis=0))
        there = set(names)
        pairs = zip(self.symbols, used.tolist(), strict=True)
        absent = tuple(symbol for symbol, member in pairs if member and symbol not in there)
        return PanelUniverse(found, self.on_exit, absent)


def panel_universe(
    given: Any, ts: Instants, known: Instants, symbols: Iterable[str], first: int = 0
) -> PanelUniverse:
    """Members on the clock of bars: of a `PanelUniverse`, a `Membership`, or rows of one."""
    if isinstance(given, PanelUniverse):
        return given
    membership = given if isinstance(given, Membership) else Membership.from_frame(given)
    return membership.on(ts, known, symbols, first)


def _kind(given: Any) -> str:
    return type(given).__name__


def _check_rule(on_exit: Any) -> None:
    if on_exit not in get_args(OnExit):
        raise ConfigError(f"on_exit is {on_exit!r}; it must be close or keep")


def _of_spans(frame: pd.DataFrame, on_exit: OnExit) -> Membership:
    """Changes in the order in which they may be used, added up."""
    symbols = _symbols(frame)
    entered, left, entry_known, exit_known = (_times(frame, name) for name in SPANS)
    _refuse(frame, np.isnat(entered), "has no time of entry")
    _refuse(frame, left <= entered, "leaves before it has entered")
    enters = np.fmax(entered, entry_known)
    leaves = np.where(np.isnat(left), NEVER, np.fmax(left, exit_known))
    used = np.isnat(leaves) | (enters < leaves)  # else it was known when it was over
    ends = used & ~np.isnat(leaves)
    when = np.concatenate([enters[used], leaves[ends]])
    place, names = pd.factorize(symbols, sort=True)
    column = np.concatenate([place[used], place[ends]])
    step = np.repeat(np.array([1, -1]), [int(used.sum()), int(ends.sum())])
    moments, row = np.unique(when, return_inverse=True)
    count = np.zeros((len(moments), len(names)), dtype=np.int64)
    np.add.at(count, (row, column), step)
    members = count.cumsum(axis=0) > 0
    return Membership(moments, tuple(map(str, names)), members, on_exit)


def _of_snapshots(frame: pd.DataFrame, on_exit: OnExit) -> Membership:
    """One row for each decision, with all its members."""
    symbols = _symbols(frame)
    decided = _times(frame, "decided_at")
    _refuse(frame, np.isnat(decided), "has no decided_at")
    known = np.fmax(decided, _times(frame, "available_at"))
    place, names = pd.factorize(symbols, sort=True)
    moments, row = np.unique(decided, return_inverse=True)
    usable = np.full(len(moments), np.datetime64(0, "us"))
    np.maximum.at(usable, row, known)
    twice = pd.DataFrame({"row": row, "place": place}).duplicated().to_numpy()
    _refuse(frame, twice, "stands twice in one decided_at")
    listed = np.ones(len(frame), dtype=np.bool_)
    if "is_listed" in frame.columns:
        listed = frame["is_listed"].to_numpy(dtype=np.bool_)
    members = np.zeros((len(moments), len(names)), dtype=np.bool_)
    members[row[listed], place[listed]] = True
    if not (usable[1:] > usable[:-1]).all():
        at = int(np.argmax(usable[1:] <= usable[:-1]))
        raise DataError(f"the snapshot of {moments[at]} was known only after that of the next one")
    return Membership(usable, tuple(map(str, names)), members, on_exit, next_bar=True)


def _symbols(frame: pd.DataFrame) -> npt.NDArray[Any]:
    symbols = frame["symbol"]
    _refuse(frame, symbols.isna().to_numpy(), "has no symbol")
    return symbols.astype("str").to_numpy(dtype=object)


def _times(frame: pd.DataFrame, name: str) -> Instants:
    """A column of times in UTC; NaT everywhere without one."""
    if name not in frame.columns:
        return np.full(len(frame), NEVER)
    given = frame[name]
    if given.isna().all():
        return np.full(len(frame), NEVER)
    if pd.api.types.is_numeric_dtype(given.dtype):
        raise DataError(f"{name} of a universe are numbers ({given.dtype}); give times")
    try:
        times = pd.to_datetime(given, utc=True, format="ISO8601")
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} of a universe: {error}") from error
    moments: Instants = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return moments


def _refuse(frame: pd.DataFrame, wrong: Mask, why: str) -> None:
    """`DataError` that names the first row."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"row {row} of a universe ({frame['symbol'].iloc[row]}) {why}")
