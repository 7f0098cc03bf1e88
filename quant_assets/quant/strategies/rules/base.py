"""What a rule is: a causal question to each bar, answered yes, no, or unknown."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from math import isfinite
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.quant.market.longer_bars import timeframe_length
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.strategies.columns import Column, Line, Rows, Timed

__all__ = ["AllOf", "AnyOf", "Condition", "Not", "OnTimeframe", "Rule", "rules"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RULES = "quant_assets.quant.strategies.rules"


class Condition(ABC):
    """A yes-or-no question to bars; `a & b`, `a | b` and `~a` make new ones.

    What cannot be known (warm-up, a gap) is neither yes nor no, and stays so under `~`
    (Kleene's three values).
    """

    @abstractmethod
    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """Where it holds and where it is known not to, arrays (row, symbol)."""

    @abstractmethod
    def lines(self) -> tuple[Column, ...]:
        """Columns that it reads: indicator lines, and what is known of longer timeframes."""

    @property
    @abstractmethod
    def lookback(self) -> int:
        """Bars before the first one on which it can be known."""

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Earlier bars on which its answer depends: those of its columns; None: all of them."""
        return joined(line.memory(bar_length) for line in self.lines())

    @abstractmethod
    def names(self) -> list[str]:
        """Names of the rules in it, in their order."""

    def holds(self, rows: Rows) -> Bools:
        """Where it holds, (row, symbol); unknown is False."""
        return self.verdict(rows)[0]

    def on(self, timeframe: str) -> "OnTimeframe":
        """The same question to the bars of a longer timeframe: `RsiOversold(period=14).on("1h")`.

        Asked of each longer bar when it ends, and answered so until the next one does.
        """
        return OnTimeframe(self, timeframe)

    def __and__(self, other: "Condition") -> "Condition":
        return AllOf((self, other))

    def __or__(self, other: "Condition") -> "Condition":
        return AnyOf((self, other))

    def __invert__(self) -> "Condition":
        return Not(self)


@dataclass(frozen=True, kw_only=True)
class Rule(Condition):
    """A named condition. Subclass in a file of its own, with a `name`; fields are parameters.

    `reads` gives the arrays that the question is about, `test` answers it for values that are all
    known: row t of an array comes from bars up to t, through `rows[...]` and `rows.before(...)`.
    `takes` tells which parameters are those of a declared indicator: in a strategy file
    `rsi: {period: 14}` under `indicators` is what `rsi_oversold` then uses.
    """

    name: ClassVar[str]
    takes: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite, and what the indicators refuse."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not isfinite(value):
                raise ConfigError(f"{self.name}: {field.name} is {value}; it must be finite")
        self.read_lines  # noqa: B018 - made now, so that indicators refuse their parameters

    @abstractmethod
    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """Arrays (row, symbol)."""

    @abstractmethod
    def test(self, *values: Floats) -> Bools:
        """Answer for the arrays of `reads`; what it says where one is NaN is not used."""

    def lines(self) -> tuple[Line, ...]:
        """See the base class."""
        return ()

    @cached_property
    def read_lines(self) -> tuple[Line, ...]:
        """`lines`, made once."""
        return self.lines()

    @property
    def back(self) -> int:
        """Bars before its own that it reads itself."""
        return 0

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max((line.indicator.lookback for line in self.read_lines), default=0) + self.back

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Those of its lines, and the bars that it looks back itself."""
        lines = super().memory(bar_length)
        return lines if lines is None else lines.longer(self.back)

    def names(self) -> list[str]:
        """See the base class."""
        return [self.name]

    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """See the base class."""
        values = self.reads(rows)
        known = ~np.isnan(values[0])
        for array in values[1:]:
            known &= ~np.isnan(array)
        holds = self.test(*values) & known
        return holds, known & ~holds

    def require_rows(self, *names: str) -> None:
        """`ConfigError` for a parameter that is not a whole number of bars, at least 1."""
        for name in names:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(
                    f"{self.name}: {name} = {value!r}; it must be a whole number, at least 1"
                )


@dataclass(frozen=True, kw_only=True)
class LineRule(Rule, ABC):
    """A rule about the one line that `lines` names."""

    @abstractmethod
    def lines(self) -> tuple[Line, ...]:
        """The line, alone."""


@dataclass(frozen=True, kw_only=True)
class LevelRule(LineRule, ABC):
    """A line beside a `threshold`."""

    threshold: float

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return (rows[self.read_lines[0]],)


class Above(LevelRule, ABC):
    """The line is above `threshold`."""

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] > self.threshold


class Below(LevelRule, ABC):
    """The line is below `threshold`."""

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return values[0] < self.threshold


@dataclass(frozen=True, kw_only=True)
class CloseRule(LineRule, ABC):
    """The close beside a line."""

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        return rows["close"], rows[self.read_lines[0]]


class CloseAbove(CloseRule, ABC):
    """The close is above the line."""

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, line = values
        return close > line


class CloseBelow(CloseRule, ABC):
    """The close is below the line."""

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        close, line = values
        return close < line


@dataclass(frozen=True)
class _Joined(Condition):
    """Several conditions as one."""

    members: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ConfigError(f"{type(self).__name__} of no condition says nothing")

    def lines(self) -> tuple[Column, ...]:
        """See the base class."""
        return tuple(line for member in self.members for line in member.lines())

    @property
    def lookback(self) -> int:
        """See the base class."""
        return max(member.lookback for member in self.members)

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return joined(member.memory(bar_length) for member in self.members)

    def names(self) -> list[str]:
        """See the base class."""
        return [name for member in self.members for name in member.names()]


class AllOf(_Joined):
    """Holds where all hold."""

    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """See the base class."""
        holds, refuted = self.members[0].verdict(rows)
        for member in self.members[1:]:
            also, against = member.verdict(rows)
            holds, refuted = holds & also, refuted | against
        return holds, refuted


class AnyOf(_Joined):
    """Holds where one holds."""

    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """See the base class."""
        holds, refuted = self.members[0].verdict(rows)
        for member in self.members[1:]:
            also, against = member.verdict(rows)
            holds, refuted = holds | also, refuted & against
        return holds, refuted


@dataclass(frozen=True)
class Not(Condition):
    """Holds where the other is known not to."""

    member: Condition

    def lines(self) -> tuple[Column, ...]:
        """See the base class."""
        return self.member.lines()

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.member.lookback

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return self.member.memory(bar_length)

    def names(self) -> list[str]:
        """See the base class."""
        return [f"not {name}" for name in self.member.names()]

    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """See the base class."""
        holds, refuted = self.member.verdict(rows)
        return refuted, holds


class _Answers(Timed):
    """What a condition says of longer bars: 1 yes, 0 no, NaN unknown."""

    def __init__(self, condition: Condition, timeframe: str) -> None:
        self.condition, self.timeframe = condition, timeframe
        self.key = f"{timeframe}:{condition!r}"

    def reads(self) -> tuple[Column, ...]:
        """See the base class."""
        return self.condition.lines()

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.condition.lookback

    def longer_memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return self.condition.memory(bar_length)

    def values(self, rows: Rows) -> Floats:
        """See the base class."""
        holds, refuted = self.condition.verdict(rows)
        return np.where(holds, 1.0, np.where(refuted, 0.0, np.nan))


@dataclass(frozen=True)
class OnTimeframe(Condition):
    """A condition asked of the bars of a longer timeframe; unknown before the first of them ends.

    Closes, lines and bars before are those of the longer bars. `lookback` counts longer bars;
    signals of rules wait until there are as many (`columns.WarmedUp`).
    """

    member: Condition
    timeframe: str

    def __post_init__(self) -> None:
        timeframe_length(self.timeframe)

    @cached_property
    def _answers(self) -> _Answers:
        return _Answers(self.member, self.timeframe)

    def lines(self) -> tuple[Column, ...]:
        """See the base class."""
        return (self._answers,)

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.member.lookback

    def names(self) -> list[str]:
        """See the base class."""
        return [f"{name} on {self.timeframe}" for name in self.member.names()]

    def verdict(self, rows: Rows) -> tuple[Bools, Bools]:
        """See the base class."""
        answers = rows[self._answers]
        return answers == 1.0, answers == 0.0


def rules() -> dict[str, type[Rule]]:
    """Every rule of the package and of plug-ins (`quant_assets.strategies.rules`), by name."""
    return discover(RULES, Rule)
