"""Strategies put together from parts: signals, regime, sizing, risk, execution."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Indicator
from quant_assets.quant.risk.base import RiskRule
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.strategies.columns import TimedIndicator
from quant_assets.quant.strategies.composed import Pipeline, compose
from quant_assets.quant.strategies.keywords import hinting
from quant_assets.quant.strategies.middleware import (
    AttributionMiddleware,
    ExecutionMiddleware,
    IndicatorMiddleware,
    Middleware,
)
from quant_assets.quant.strategies.regimes.base import RegimeClassifier, RegimeFilter
from quant_assets.quant.strategies.rule_signals import Conditions, RuleSignals
from quant_assets.quant.strategies.stages import (
    RegimeMiddleware,
    RiskMiddleware,
    SignalMiddleware,
    SizingMiddleware,
)

__all__ = ["StrategyBuilder"]


@hinting
@dataclass(frozen=True)
class StrategyBuilder:
    """Each `with_…` gives a new builder; `build` gives the strategy.

    The stages stand in this order: indicators, signals, regime, sizing, own middlewares, risk,
    execution, attribution. A part that was not given is left out: without sizing, equity is split
    equally over the symbols; without risk nothing stops a position but its exit signals.
    """

    name: str = ""
    version: str = "1.0.0"
    _indicators: tuple[Indicator[Any] | TimedIndicator, ...] = ()
    _signals: Strategy | None = None
    _regime: RegimeFilter | RegimeClassifier | None = None
    _sizing: EntrySizer | None = None
    _own: tuple[Middleware, ...] = ()
    _risk: tuple[RiskRule, ...] = ()
    _execution: Any = None
    _warm_up: int | None = None
    _attribution: bool = field(default=True)

    @hinting
    def with_indicators(self, *indicators: Indicator[Any] | TimedIndicator) -> "StrategyBuilder":
        """Indicators to compute whoever reads them."""
        return replace(self, _indicators=(*self._indicators, *indicators))

    @hinting
    def with_signals(
        self,
        source: Strategy | None = None,
        *,
        entry_long: Conditions = None,
        exit_long: Conditions = None,
        entry_short: Conditions = None,
        exit_short: Conditions = None,
    ) -> "StrategyBuilder":
        """A strategy whose decisions are used, or a rule (or several that must all hold) each."""
        given = (entry_long, exit_long, entry_short, exit_short)
        if source is None:
            source = RuleSignals(
                entry_long=entry_long,
                exit_long=exit_long,
                entry_short=entry_short,
                exit_short=exit_short,
            )
        elif any(one is not None for one in given):
            raise ConfigError("with_signals takes a strategy or rules, not both")
        _require("with_signals", source, Strategy, hint="; rules: entry_long=… and so on")
        return replace(self, _signals=source)

    @hinting
    def with_regime(self, regime: RegimeFilter | RegimeClassifier) -> "StrategyBuilder":
        """A filter of entries, or a classifier that only labels the trades."""
        _require("with_regime", regime, RegimeFilter, RegimeClassifier)
        return replace(self, _regime=regime)

    @hinting
    def with_sizing(self, sizer: EntrySizer) -> "StrategyBuilder":
        """How large entries are."""
        _require("with_sizing", sizer, EntrySizer)
        return replace(self, _sizing=sizer)

    @hinting
    def with_risk(self, *rules: RiskRule | Iterable[RiskRule]) -> "StrategyBuilder":
        """Stops, targets and limits; several calls add up."""
        flat: list[RiskRule] = []
        for rule in rules:
            flat.extend(rule if isinstance(rule, list | tuple) else [rule])  # type: ignore[list-item]
        for one in flat:
            _require("with_risk", one, RiskRule)
        return replace(self, _risk=(*self._risk, *flat))

    @hinting
    def with_middleware(self, middleware: Middleware) -> "StrategyBuilder":
        """A stage of one's own, after sizing and before risk, in the order of the calls."""
        _require("with_middleware", middleware, Middleware)
        return replace(self, _own=(*self._own, middleware))

    @hinting
    def with_execution(self, model: Any) -> "StrategyBuilder":
        """The execution model of its backtests, unless they name another."""
        return replace(self, _execution=model)

    @hinting
    def with_warm_up(self, bars: int) -> "StrategyBuilder":
        """Bars before the first decision, at least what the signals need."""
        return replace(self, _warm_up=bars)

    def without_attribution(self) -> "StrategyBuilder":
        """Note no changes: a little faster, and less memory."""
        return replace(self, _attribution=False)

    def stages(self) -> tuple[Middleware, ...]:
        """The middlewares in their order."""
        if self._signals is None:
            raise ConfigError("a strategy needs signals: call with_signals before build")
        return (
            *([IndicatorMiddleware(self._indicators)] if self._indicators else []),
            SignalMiddleware(self._signals),
            *([RegimeMiddleware(self._regime)] if self._regime is not None else []),
            *([SizingMiddleware(self._sizing)] if self._sizing is not None else []),
            *self._own,
            *([RiskMiddleware(self._risk)] if self._risk else []),
            *([ExecutionMiddleware(self._execution)] if self._execution is not None else []),
            *([AttributionMiddleware()] if self._attribution else []),
        )

    def build(self) -> Pipeline:
        """The strategy: of both forms, or of the bar form where a part is plain Python."""
        stages = self.stages()
        name = self.name or (self._signals.name if self._signals is not None else "")
        return compose(name, stages, version=self.version, warm_up_bars=self._warm_up)


def _require(call: str, given: object, *wanted: type, hint: str = "") -> None:
    """`ConfigError` that says what was given where a part of another type is needed."""
    if not isinstance(given, wanted):
        names = " or ".join(one.__name__ for one in wanted)
        found = f"a class: write {given.__name__}(…)" if isinstance(given, type) else repr(given)
        raise ConfigError(f"{call} takes {names}, and was given {found}{hint}")
