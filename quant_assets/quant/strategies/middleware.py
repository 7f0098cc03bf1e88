"""The stages between bars and orders: an ordered list, each of which may change or veto.

A middleware that is written over arrays (`apply`) serves all bars at once and one bar alike: the
compiled path and the bar path run the same code. One in plain Python (`RowMiddleware.on_row`) sees
bar after bar what was known and the account; with it a strategy has the bar path only.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.base import Indicator
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.strategies.base import Account
from quant_assets.quant.strategies.columns import Column, Line, PanelRows, Rows, TimedIndicator
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.proposal import Change, ChangeLog, Proposal, Reasons

__all__ = [
    "AttributionMiddleware",
    "ExecutionMiddleware",
    "IndicatorMiddleware",
    "Middleware",
    "RowMiddleware",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Middleware(ABC):
    """One stage. Subclass with a `name` and `apply`; fields are parameters."""

    name: ClassVar[str]

    def lines(self) -> tuple[Column, ...]:
        """Indicator lines that it reads."""
        return ()

    @property
    def lookback(self) -> int:
        """Bars before the first one on which it can decide."""
        return max((line.lookback for line in self.lines()), default=0)

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Earlier bars on which what it does depends; None, unless told otherwise: all of them."""
        del bar_length
        return None

    def prepare(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Further causal arrays `(time, symbol)` by name that `apply` reads: row t from bars to t.

        They are computed once; the bar path shows them up to its own bar.
        """
        del bars
        return {}

    def shown(self, bars: BarPanel) -> Mapping[str, Floats]:
        """What the bar path shows in its windows beside the lines; else what was prepared."""
        return self.prepare(bars)

    @abstractmethod
    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """Hand on the decisions; row t of the result from row t of both and what `rows` has before.

        What is not to be changed is handed on as it is: returning `proposal` is the identity.
        """

    def reasons(self, change: Change, proposal: Proposal, rows: Rows) -> Reasons:
        """Why: one text, or one for each cell of the change; else what the proposal says."""
        del change, rows
        return proposal.reason or self.name

    def plan(self, plan: Plan, proposal: Proposal, rows: PanelRows) -> Plan:
        """Add sizes, exits, limits or labels to what goes with the decisions of all bars."""
        del proposal, rows
        return plan

    def describe(self) -> str:
        """The stage and its parameters in one line, as attribution shows it."""
        return repr(self)


@dataclass(frozen=True, kw_only=True)
class RowMiddleware(Middleware):
    """A stage in plain Python, called bar by bar. Subclass with a `name` and `on_row`.

    It may read `window[line.key]` for lines that its `lines` names.
    """

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """Leave the arrays alone: it decides bar by bar."""
        del rows
        return proposal

    @abstractmethod
    def on_row(self, proposal: Proposal, window: DataWindow, account: Account) -> Proposal:
        """Hand on the decisions of one bar, arrays (1, symbol)."""


@dataclass(frozen=True)
class IndicatorMiddleware(Middleware):
    """Indicators that are computed whoever reads them: for row middlewares, reports and the eye."""

    name: ClassVar[str] = "indicators"
    indicators: Sequence[Indicator[Any] | TimedIndicator] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "indicators", tuple(self.indicators))

    def lines(self) -> tuple[Column, ...]:
        """See the base class."""
        return tuple(line for one in self.indicators for line in _lines_of(one))

    @property
    def lookback(self) -> int:
        """0: who reads a line waits for it."""
        return 0

    def memory(self, bar_length: timedelta) -> Memory:
        """See the base class."""
        del bar_length
        return NOTHING

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        del rows
        return proposal


def _lines_of(one: Indicator[Any] | TimedIndicator) -> tuple[Column, ...]:
    if isinstance(one, TimedIndicator):
        return one.lines()
    return tuple(Line(one, output) for output in one.outputs)


@dataclass(frozen=True)
class ExecutionMiddleware(Middleware):
    """Names the execution model that a backtest of this strategy uses unless told otherwise."""

    name: ClassVar[str] = "execution"
    model: Any

    def memory(self, bar_length: timedelta) -> Memory:
        """See the base class."""
        del bar_length
        return NOTHING

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        del rows
        return proposal


@dataclass(frozen=True)
class AttributionMiddleware(Middleware):
    """Keeps what every stage before it changed; without it nothing is noted."""

    name: ClassVar[str] = "attribution"
    log: ChangeLog = field(default_factory=ChangeLog, compare=False, repr=False)

    def memory(self, bar_length: timedelta) -> Memory:
        """See the base class."""
        del bar_length
        return NOTHING

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        del rows
        return proposal
