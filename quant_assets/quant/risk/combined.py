"""Several risk rules as one: the tightest limit holds, contradictions are named."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import plug_in
from quant_assets.core.registry import discover
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import (
    NO_EXITS,
    RISK,
    ExitRule,
    LimitRule,
    RiskRule,
    no_limits,
)
from quant_assets.quant.risk.terms import ExitTerms, LimitTerms

__all__ = ["exit_terms", "limit_terms", "risk_rules", "rules_from"]

LOOSER_WHEN_LARGER = (
    "max_position",
    "max_gross",
    "max_net",
    "max_sector",
    "held_position",
    "held_gross",
    "held_net",
    "held_sector",
    "drift_position",
    "drift_gross",
    "drift_net",
    "drift_sector",
    "max_positions",
    "max_heat",
    "correlation",
    "cut_drawdown",
    "cut_scale",
    "halt_drawdown",
    "resume_drawdown",
    "daily_loss",
)
TIGHTER_WHEN_LARGER = ("cool_down", "halt_bars")


def risk_rules() -> dict[str, type[RiskRule]]:
    """Every risk rule of the package and of plug-ins, by name."""
    return discover(RISK, RiskRule)


def rules_from(spellings: Sequence[Any]) -> tuple[RiskRule, ...]:
    """Rules as YAML spells them: `- trailing_stop: {pct: 0.02}`, or only the name."""
    if isinstance(spellings, str) or not isinstance(spellings, Sequence):
        raise ConfigError(f"risk is {spellings!r}; write a list of rules")
    return tuple(plug_in(RISK, RiskRule, one) for one in spellings)


def exit_terms(rules: Sequence[RiskRule], bars: BarPanel) -> ExitTerms:
    """The protective exits of all rules, one row each; targets by ratio after their stops."""
    exits = [rule for rule in rules if isinstance(rule, ExitRule)]
    plain = [rule.exits(bars, NO_EXITS) for rule in exits if not rule.after_stops]
    stops = stacked_exits(plain, len(bars.symbols))
    ratios = [rule.exits(bars, stops) for rule in exits if rule.after_stops]
    return stacked_exits([*plain, *ratios], len(bars.symbols))


def limit_terms(rules: Sequence[RiskRule], bars: BarPanel) -> LimitTerms:
    """All limits together: of each kind the tightest.

    A `ConfigError` for what cannot hold together: two look-backs of the correlation, two maps of
    sectors, a cut that begins where all is closed already.
    """
    terms = no_limits(len(bars.symbols))
    given: dict[str, tuple[str, Any]] = {}
    for rule in rules:
        if isinstance(rule, LimitRule):
            for name, value in rule.limits(bars).items():
                held = given[name][1] if name in given else None
                given[name] = (rule.name, _tightest(rule.name, name, held, value))
    terms = terms._replace(**{name: value for name, (_, value) in given.items()})
    _refuse_contradictions(terms)
    return terms


def _tightest(rule: str, name: str, held: Any, value: Any) -> Any:
    if held is None:
        return value
    if name in LOOSER_WHEN_LARGER:
        return min(held, value)
    if name in TIGHTER_WHEN_LARGER:
        return max(held, value)
    if not np.array_equal(held, value):
        raise ConfigError(
            f"{rule} is given twice with a different {name}: {held} and {value}. "
            "Neither is tighter than the other; keep one"
        )
    return held


def _refuse_contradictions(terms: LimitTerms) -> None:
    if np.isfinite(terms.cut_drawdown) and terms.cut_drawdown >= terms.halt_drawdown:
        raise ConfigError(
            f"drawdown_cut at {terms.cut_drawdown:g} never happens: drawdown_halt closes "
            f"everything at {terms.halt_drawdown:g}. Cut earlier, or halt later"
        )


def stacked_exits(parts: Sequence[ExitTerms], n_symbols: int) -> ExitTerms:
    """Rows one below the other, repeated over time where another row changes with it."""
    if not parts:
        return ExitTerms(NO_EXITS.kind, np.empty((0, 1, n_symbols)))
    n_times = max(part.level.shape[1] for part in parts)
    levels = [np.broadcast_to(p.level, (len(p.kind), n_times, n_symbols)) for p in parts]
    kinds = np.concatenate([part.kind for part in parts])
    return ExitTerms(kinds, np.ascontiguousarray(np.concatenate(levels)))
