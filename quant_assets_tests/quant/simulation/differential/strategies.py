"""The cases as strategies of ours."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np

from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import TRAIL_FRACTION, ExitTerms
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION, UNITS, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.crossing import Crossing, CrossingStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.differential import cases


@dataclass(frozen=True, kw_only=True)
class AverageCross(CrossingStrategy):
    """Of the cases: fixed units, or all that the account has."""

    name: ClassVar[str] = "average_cross_of_the_cases"
    short: bool = False
    all_in: bool = False
    trail: float | None = None

    def crossing(self):
        return Crossing(fast=Line(Sma(cases.FAST)), slow=Line(Sma(cases.SLOW)), short=self.short)

    def plan(self, bars):
        n = len(bars.symbols)
        size = np.full((1, n), 1.0 if self.all_in else cases.UNITS)
        exits = None
        if self.trail is not None:
            kind = np.array([TRAIL_FRACTION], dtype=np.int8)
            exits = ExitTerms(kind, np.full((1, 1, n), self.trail))
        unit = EQUITY_FRACTION if self.all_in else UNITS
        return Plan(sizes=EntrySizes(size, unit), exits=exits)


@dataclass(frozen=True, kw_only=True)
class StoppedCross(VectorStrategy):
    """Between the crosses as the peers see them, with exits at fractions of the price paid."""

    name: ClassVar[str] = "stopped_cross"
    units: float = 10.0
    exits: Any = ()

    def signals(self, bars):
        up, down = cases.crosses(bars.close)
        return Signals(entry_long=up, exit_long=down)

    def plan(self, bars):
        kinds = np.array([kind for kind, _ in self.exits], dtype=np.int8)
        levels = np.array([[[level]] for _, level in self.exits])
        sizes = EntrySizes(np.full((1, 1), self.units), UNITS)
        return Plan(sizes=sizes, exits=ExitTerms(kinds, levels))


def real_bars():
    close, days = cases.closes()
    return BarPanel.from_arrays(days, cases.SYMBOLS, timedelta(days=1), close=close)


def terms_of(bars, *, slippage=cases.SLIPPAGE):
    terms = frictionless(bars)
    return terms._replace(
        slippage=terms.slippage._replace(fixed=slippage),
        commission=terms.commission._replace(taker=cases.FEE, maker=cases.FEE),
    )
