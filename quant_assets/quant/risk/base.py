"""What a risk rule is: a protective exit, or a limit of the account.

A rule gives terms; the event kernel obeys them. Add one by adding a file.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import Parameters, choice, number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory
from quant_assets.quant.risk.terms import UNLIMITED, ExitTerms, Floats, LimitTerms

__all__ = ["ExitRule", "ExposureLimit", "LimitRule", "RiskRule"]

RISK = "quant_assets.quant.risk"
NO_EXITS = ExitTerms(np.empty(0, dtype=np.int8), np.empty((0, 0, 0)))


@dataclass(frozen=True, kw_only=True)
class RiskRule(Parameters, ABC):
    """A protective exit or a limit."""

    @property
    def memory(self) -> Memory | None:
        """Earlier bars on which its terms depend; None, unless told otherwise: all of them."""
        return None


@dataclass(frozen=True, kw_only=True)
class ExitRule(RiskRule):
    """A protective exit of every entry; its level is read at the decision bar.

    `kind` is a constant of `risk.terms`. Rules with `after_stops` are asked last and are shown
    the terms of the others.
    """

    kind: ClassVar[int]
    after_stops: ClassVar[bool] = False

    @abstractmethod
    def level(self, bars: BarPanel) -> Floats:
        """`(time or 1, symbol)`: a fraction, a distance in price, or bars; NaN: none.

        Row t from bars up to t.
        """

    def exits(self, bars: BarPanel, stops: ExitTerms) -> ExitTerms:
        """The terms of the rule; `stops` are those of the rules without `after_stops`."""
        del stops
        return ExitTerms(np.array([self.kind], dtype=np.int8), self.level(bars)[None])

    def everywhere(self, bars: BarPanel, value: float) -> Floats:
        """One level for all bars and symbols."""
        return np.full((1, len(bars.symbols)), value)


@dataclass(frozen=True, kw_only=True)
class LimitRule(RiskRule):
    """A limit of the account. Of several limits of one kind the tightest holds."""

    @property
    def memory(self) -> Memory | None:
        """None but the account's own; a limit that looks at bars says how many."""
        return NOTHING

    @abstractmethod
    def limits(self, bars: BarPanel) -> Mapping[str, Any]:
        """Fields of `LimitTerms` that the rule sets, and their values."""


@dataclass(frozen=True, kw_only=True)
class ExposureLimit(LimitRule):
    """A limit of notional, which prices move beyond it as well.

    drift : `cut`: what is beyond the limit at a close, by more than `band` of it, is cut back to
        the limit at the next fill; `keep`: the limit holds at entries alone. A band of 0 trades
        whatever is beyond, however little.
    """

    drift: str = choice("cut", "keep")
    band: float = number(0.01, least=0.0)

    def bounds(self, name: str, limit: float) -> dict[str, float]:
        """Fields of `LimitTerms`: of entries, of what is held, and beyond what that is cut."""
        fields = {f"max_{name}": limit}
        if self.drift == "cut":
            fields |= {f"held_{name}": limit, f"drift_{name}": (1.0 + self.band) * limit}
        return fields


def no_limits(n_symbols: int) -> LimitTerms:
    """No limit of any kind."""
    return LimitTerms(
        max_position=np.inf,
        max_gross=np.inf,
        max_net=np.inf,
        max_sector=np.inf,
        sector=np.zeros(n_symbols, dtype=np.int64),
        max_positions=UNLIMITED,
        max_heat=np.inf,
        correlation=np.inf,
        correlation_bars=0,
        cut_drawdown=np.inf,
        cut_scale=1.0,
        halt_drawdown=np.inf,
        resume_drawdown=0.0,
        halt_bars=UNLIMITED,
        daily_loss=np.inf,
        cool_down=0,
    )


def named_symbols(rule: RiskRule, named: Mapping[str, object], bars: BarPanel) -> None:
    """`ConfigError` when a rule speaks of symbols that the bars do not have."""
    unknown = sorted(set(named) - set(bars.symbols))
    if unknown:
        raise ConfigError(f"{rule.name}: {unknown} are not among the symbols of the bars")
