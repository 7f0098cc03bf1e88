"""Decisions by rules: a condition for each of the four signals."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.strategies.base import Account, BarStrategy, VectorStrategy
from quant_assets.quant.strategies.columns import Column, PanelRows, Rows, WindowRows, compute_lines
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
        """Indicator lines that the conditions read."""
        return tuple(line for one in self.conditions().values() for line in one.lines())

    @property
    def warm_up(self) -> int:
        """Bars before the first one on which every condition can be known."""
        return max(one.lookback for one in self.conditions().values())

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return joined(one.memory(bar_length) for one in self.conditions().values())

    def decide(self, rows: Rows) -> Signals:
        """Signals (row, symbol): those of all bars, or of the last one."""
        return self._decided({n: one.holds(rows) for n, one in self.conditions().items()})

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
        return self._decided({n: one.holds(rows)[-1] for n, one in self.conditions().items()})


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
