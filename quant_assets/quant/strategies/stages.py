"""The stages that decide: signals, regime, sizes and risk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, cast

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.data_window import DataWindow
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.risk.base import LimitRule, RiskRule
from quant_assets.quant.risk.combined import exit_terms, limit_terms, stacked_exits
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import Account, BarStrategy, Strategy, VectorStrategy
from quant_assets.quant.strategies.columns import Column, PanelRows, Rows, WindowRows
from quant_assets.quant.strategies.middleware import Floats, Middleware
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.proposal import Bools, Change, Proposal, Reasons
from quant_assets.quant.strategies.regimes.base import RegimeClassifier, RegimeFilter
from quant_assets.quant.strategies.rule_signals import RuleSignals
from quant_assets.quant.strategies.signals import FLAGS, Signals

__all__ = ["RegimeMiddleware", "RiskMiddleware", "SignalMiddleware", "SizingMiddleware"]

CONFIDENCE = "regime.confidence"
CODE = "regime.code"
SIZE = "sizing.size"
VALUES_OF_SIGNALS = ("target", "limit", "stop", "strength")


@dataclass(frozen=True)
class SignalMiddleware(Middleware):
    """Decisions of a strategy, or of rules; whatever came before is replaced.

    `source` may have one form or both. Without an array form a strategy has the bar path only;
    without a bar form the arrays are computed once and shown bar by bar.
    """

    name: ClassVar[str] = "signals"
    source: Strategy

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.source.warm_up

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        return self.source.memory(bar_length)

    @property
    def is_compiled(self) -> bool:
        """Whether the source has an array form."""
        return isinstance(self.source, VectorStrategy)

    def lines(self) -> tuple[Column, ...]:
        """See the base class."""
        return self.source.lines() if isinstance(self.source, RuleSignals) else ()

    def shown(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        if isinstance(self.source, RuleSignals):
            return {}
        if isinstance(self.source, BarStrategy):
            return self.source.indicators(bars)
        signals = self._signals(bars)
        given = {name: getattr(signals, name) for name in (*FLAGS, *VALUES_OF_SIGNALS)}
        return {
            f"signals.{name}": values.astype(np.float64)
            for name, values in given.items()
            if values is not None
        }

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        if isinstance(self.source, RuleSignals):
            return proposal.with_signals(self.source.decide(rows))
        if not self.is_compiled:
            return proposal
        if isinstance(rows, PanelRows):
            return proposal.with_signals(self._signals(rows.bars))
        return proposal.with_signals(_signals_shown(cast("WindowRows", rows)))

    def on_row(self, proposal: Proposal, window: DataWindow, account: Account) -> Proposal:
        """Decisions of one bar, by the source's own bar form where it has one."""
        if isinstance(self.source, RuleSignals) or not isinstance(self.source, BarStrategy):
            return self.apply(proposal, WindowRows(window))
        decision = self.source.on_bar(window, account)
        if decision is None:
            return proposal
        if not isinstance(decision, Signals):
            raise DataError(
                f"{self.source.name} places orders; middlewares work on signals. Give the "
                "strategy itself to the backtest, or let it return Signals"
            )
        return proposal.with_signals(decision)

    def plan(self, plan: Plan, proposal: Proposal, rows: PanelRows) -> Plan:
        """Take the source's own plan, and label entries with what asked for them, as JSON."""
        own = self.source.plan(rows.bars)
        long, short = (self._told(name) for name in ("entry_long", "entry_short"))
        words = np.array([[long, short]], dtype=object)
        at = _short(proposal)
        told = np.broadcast_to(words[:, :1], proposal.shape)  # the usual case, without an array
        if at is not None:
            told = words[0, at.view(np.int8)]
        return replace(own, labels={**plan.labels, **own.labels, "entry_signal": told})

    def _told(self, signal: str) -> str:
        asked: dict[str, Any] = {"signal": signal, "source": self.source.name}
        if isinstance(self.source, RuleSignals):
            condition = self.source.conditions().get(signal)
            asked = {"signal": signal, "rules": condition.names() if condition else []}
        return json.dumps(asked)

    def _signals(self, bars: BarPanel) -> Signals:
        signals = cast("VectorStrategy", self.source).signals(bars)
        if signals.shape != bars.close.shape:
            raise DataError(
                f"{self.source.name}: signals have shape {signals.shape}; the bars have "
                f"{bars.close.shape}"
            )
        return signals


def _signals_shown(rows: WindowRows) -> Signals:
    """Signals of one bar that were computed before and lie in the window."""
    known = set(rows.window.names)
    names = [n for n in (*FLAGS, *VALUES_OF_SIGNALS) if f"signals.{n}" in known]
    found = {name: rows[f"signals.{name}"] for name in names}
    given: dict[str, Any] = {n: v > 0.0 if n in FLAGS else v for n, v in found.items()}
    return Signals(**given)


@dataclass(frozen=True)
class RegimeMiddleware(Middleware):
    """Labels of a regime, which go into the trades; with a filter, entries only in some of them.

    Exits are never blocked; a bar whose regime is unknown is not allowed.
    """

    name: ClassVar[str] = "regime"
    regime: RegimeFilter | RegimeClassifier

    @property
    def classifier(self) -> RegimeClassifier:
        """Who labels the bars."""
        return self.regime.by if isinstance(self.regime, RegimeFilter) else self.regime

    @property
    def lookback(self) -> int:
        """0: bars without a label are blocked by the filter, not waited for."""
        return 0

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        del bar_length
        return self.classifier.memory

    def prepare(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        found = self.classifier.classify(bars)
        return {CODE: found.code.astype(np.float64), CONFIDENCE: found.confidence}

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        if not isinstance(self.regime, RegimeFilter):
            return proposal
        allowed = self.regime.allows(rows[CODE], rows[CONFIDENCE])
        return proposal if allowed.all() else proposal.without_entries(~allowed)

    def reasons(self, change: Change, proposal: Proposal, rows: Rows) -> Reasons:
        """Label and confidence in percent, which blocked it."""
        del proposal
        words = [[f"{name} {p} %" for p in range(101)] for name in self.classifier.labels]
        table = np.array([*words, ["unknown"] * 101], dtype=object)
        codes = rows[CODE][change.row, change.column].astype(np.int64)
        sure = rows[CONFIDENCE][change.row, change.column]
        return np.asarray(table[codes, np.nan_to_num(100.0 * sure).astype(np.int64)])

    def plan(self, plan: Plan, proposal: Proposal, rows: PanelRows) -> Plan:
        """See the base class."""
        del proposal
        names = np.array((*self.classifier.labels, "unknown"), dtype=object)
        labels = {
            "regime_at_entry": names[rows[CODE].astype(np.int64)],
            "regime_confidence": rows[CONFIDENCE],
        }
        return replace(plan, labels={**plan.labels, **labels})


@dataclass(frozen=True)
class SizingMiddleware(Middleware):
    """How large an entry is, by a sizer of `quant.sizing.entry`."""

    name: ClassVar[str] = "sizing"
    sizer: EntrySizer

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        del bar_length
        return self.sizer.memory

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """Sizes of all bars, or that of one bar as it was found for all of them."""
        if isinstance(rows, PanelRows):
            short = _short(proposal)
            sides = None if short is None else np.where(short, -1.0, 1.0)
            size = self.sizer.sizes(rows.bars, sides).size
        else:
            size = rows[SIZE]
        return replace(proposal, size=size, size_unit=self.sizer.unit)

    def plan(self, plan: Plan, proposal: Proposal, rows: PanelRows) -> Plan:
        """See the base class."""
        del rows
        sizes = EntrySizes(np.asarray(proposal.size), proposal.size_unit)
        return replace(plan, sizes=sizes, resize=self.sizer.resize)


def _short(proposal: Proposal) -> Bools | None:
    """Where only a short entry, or a weight below 0, is asked for; None: nothing ever is."""
    target, short, long = proposal.target, proposal.entry_short, proposal.entry_long
    if target is None and short is None:
        return None
    found = np.zeros(proposal.shape, dtype=np.bool_)
    if target is not None:
        found |= target < 0.0
    if short is not None:
        found |= short if long is None else short & ~long
    return found


@dataclass(frozen=True)
class RiskMiddleware(Middleware):
    """Protective exits and limits of the account: rules of `quant.risk`.

    They are terms that the simulation obeys inside its bars; what they refuse stands in the orders.
    """

    name: ClassVar[str] = "risk"
    rules: RiskRule | Sequence[RiskRule]

    def __post_init__(self) -> None:
        given = (self.rules,) if isinstance(self.rules, RiskRule) else tuple(self.rules)
        object.__setattr__(self, "rules", given)

    def memory(self, bar_length: timedelta) -> Memory | None:
        """See the base class."""
        del bar_length
        return joined(rule.memory for rule in cast("tuple[RiskRule, ...]", self.rules))

    def apply(self, proposal: Proposal, rows: Rows) -> Proposal:
        """See the base class."""
        del rows
        return proposal

    def plan(self, plan: Plan, proposal: Proposal, rows: PanelRows) -> Plan:
        """Exits beside those that the strategy has; limits in place of its own, where given."""
        del proposal
        rules = cast("tuple[RiskRule, ...]", self.rules)
        exits, limits = exit_terms(rules, rows.bars), plan.limits
        if plan.exits is not None and plan.exits.kind.size:
            exits = stacked_exits([plan.exits, exits], len(rows.symbols))
        if any(isinstance(rule, LimitRule) for rule in rules):
            limits = limit_terms(rules, rows.bars)
        return replace(plan, exits=exits, limits=limits)
