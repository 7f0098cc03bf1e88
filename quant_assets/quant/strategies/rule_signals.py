"""Decisions by rules: a condition for each of the four signals."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.strategies.base import Account, BarStrategy, VectorStrategy
from quant_assets.quant.strategies.columns import (
    Column,
    PanelRows,
    Rows,
    WarmedUp,
    WindowRows,
    compute_lines,
    first_warm,
    warmed_up,
)
from quant_assets.quant.strategies.rules.base import AllOf, Condition
from quant_assets.quant.strategies.signals import Signals

if TYPE_CHECKING:
    from quant_assets.quant.market.data_window import DataWindow

__all__ = ["RuleSignals", "RuleStrategy"]

Conditions = Condition | Iterable[Condition] | None


@dataclass(frozen=True, kw_only=True)
class RuleSignals(VectorStrategy, BarStrategy):
    """A condition per signal: a rule, rules joined by `&`, `|`, `~`, or a list that must all hold.

    None: no such signal. Both forms ask the same conditions, and give the same signals.
    """

    name: ClassVar[str] = "rules"
    entry_long: Conditions = None
    exit_long: Conditions = None
    entry_short: Conditions = None
    exit_short: Conditions = None

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if given is not None and not isinstance(given, Condition):
                members = tuple(given) if isinstance(given, list | tuple) else (given,)
                for one in members:
                    if not isinstance(one, Condition):
                        raise ConfigError(
                            f"{field.name} has {one!r}, which is no rule: give one that is made, "
                            "as in RsiOversold(threshold=30.0), or a list of them"
                        )
                joined = members[0] if len(members) == 1 else AllOf(members)
                object.__setattr__(self, field.name, joined)
        if self.entry_long is None and self.entry_short is None:
            raise ConfigError("rules without entry_long and entry_short never trade; give one")

    def conditions(self) -> dict[str, Condition]:
        """The conditions that were given, by signal."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: one for name, one in given.items() if isinstance(one, Condition)}

    def lines(self) -> tuple[Column, ...]:
        """Columns that the conditions read, and when longer timeframes have what they need."""
        return (*self._read, *self.waits)

    @cached_property
    def _read(self) -> tuple[Column, ...]:
        return tuple(line for one in self.conditions().values() for line in one.lines())

    @cached_property
    def waits(self) -> tuple[WarmedUp, ...]:
        """Longer timeframes that must have their bars before anything is decided."""
        return warmed_up(self._read)

    @property
    def warm_up(self) -> int:
        """Bars before the first one on which every condition can be known.

        Of conditions on longer timeframes the least: see `warm_up_on`.
        """
        return max(one.lookback for one in self.conditions().values())

    def warm_up_on(self, bars: BarPanel) -> int:
        """Bars of these before the first one on which every condition can be known."""
        return max(self.warm_up, first_warm(self.waits, bars))

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        own = [one.memory(bar_length) for one in self.conditions().values()]
        return joined([*own, *(one.memory(bar_length) for one in self.waits)])

    def decide(self, rows: Rows) -> Signals:
        """Signals (row, symbol): those of all bars, or of the last one; none in the warm-up."""
        return self._decided(self._flags(rows))

    def _flags(self, rows: Rows) -> dict[str, Any]:
        flags = {name: one.holds(rows) for name, one in self.conditions().items()}
        for one in self.waits:
            over = (rows[one] == 1.0).any(axis=1, keepdims=True)
            flags = {name: held & over for name, held in flags.items()}
        return flags

    def _decided(self, flags: dict[str, Any]) -> Signals:
        return Signals(**flags)

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        return self.decide(PanelRows(bars, compute_lines(self.lines(), bars)))

    def indicators(self, bars: BarPanel) -> Mapping[str, npt.NDArray[np.float64]]:
        """See the base class."""
        return compute_lines(self.lines(), bars)

    def on_bar(self, window: "DataWindow", account: Account) -> Signals:
        """See the base class."""
        del account
        rows = WindowRows(window)
        return self._decided({name: flags[-1] for name, flags in self._flags(rows).items()})


@dataclass(frozen=True, kw_only=True)
class RuleStrategy(VectorStrategy, BarStrategy):
    """A strategy with a name whose decisions are rules of its parameters: say which in `rules`."""

    @abstractmethod
    def rules(self) -> RuleSignals:
        """The conditions of its signals."""

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return self.rules().warm_up

    def warm_up_on(self, bars: BarPanel) -> int:
        """See the base class."""
        return max(self.warm_up, self.rules().warm_up_on(bars))

    def memory(self, bar_length: timedelta) -> Memory | None:
        """That of its rules; None for one that makes a plan of its own."""
        own = type(self).plan is not VectorStrategy.plan
        return None if own else self.rules().memory(bar_length)

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        return self.rules().signals(bars)

    def indicators(self, bars: BarPanel) -> Mapping[str, npt.NDArray[np.float64]]:
        """See the base class."""
        return self.rules().indicators(bars)

    def on_bar(self, window: "DataWindow", account: Account) -> Signals:
        """See the base class."""
        return self.rules().on_bar(window, account)
