"""Neutral terms: an execution without costs or limits, changed field by field with `_replace`.

terms = frictionless(bars)
terms = terms._replace(slippage=terms.slippage._replace(fixed=2e-4))
"""

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import UNLIMITED
from quant_assets.quant.simulation.execution.terms import (
    NEXT_OPEN,
    CarryTerms,
    CommissionTerms,
    DetailBars,
    ExecutionTerms,
    ExitTerms,
    FillTerms,
    InstrumentTerms,
    LimitTerms,
    MarginTerms,
    SlippageTerms,
)

__all__ = [
    "frictionless",
    "neutral_carry",
    "neutral_commission",
    "neutral_instruments",
    "neutral_limits",
    "neutral_margin",
    "next_open_fills",
    "no_detail",
    "no_exits",
    "no_slippage",
]

NOTHING = np.empty((0, 0))


def frictionless(bars: BarPanel) -> ExecutionTerms:
    """Market orders at the next open, no costs, no leverage, fractional quantities."""
    return ExecutionTerms(
        next_open_fills(),
        no_slippage(),
        neutral_commission(),
        neutral_carry(bars),
        neutral_margin(bars),
        neutral_instruments(bars),
        no_detail(),
    )


def next_open_fills() -> FillTerms:
    """At the next open, limits on a touch, no participation cap, remainders for 10 bars."""
    return FillTerms(NEXT_OPEN, False, np.inf, 10, 0, False)


def no_slippage() -> SlippageTerms:
    """Fills at the reference price."""
    return SlippageTerms(0.0, 0.0, 0.0, 0.5, 0.0)


def neutral_commission() -> CommissionTerms:
    """No commission."""
    zero = np.zeros(1)
    return CommissionTerms(0.0, zero, zero, 0.0, 0.0, 0.0, np.inf, 0.0, 0.0, 0.0)


def neutral_carry(bars: BarPanel) -> CarryTerms:
    """No borrow, interest or funding; `days` is left to the clock of the bars."""
    codes, numbers = np.empty(0, dtype=np.int64), np.empty(0)
    borrow = np.zeros(len(bars.symbols))
    return CarryTerms(borrow, 0.0, 0.0, numbers, codes, codes, codes, numbers, numbers)


def neutral_margin(bars: BarPanel) -> MarginTerms:
    """Gross positions up to equity, no maintenance margin, no derivatives."""
    n = len(bars.symbols)
    none = np.empty((n, 0))
    return MarginTerms(1.0, none, none, none, 0.0, *np.zeros((2, n), dtype=np.bool_))


def neutral_instruments(bars: BarPanel) -> InstrumentTerms:
    """No lots, ticks or least notional, multiplier 1, quoted in the account's currency."""
    n = len(bars.symbols)
    zero, one = np.zeros(n), np.ones(n)
    return InstrumentTerms(zero, zero, zero, one, np.ones((1, n)))


def neutral_limits(n_symbols: int) -> LimitTerms:
    """No limit of any kind."""
    inf, sector = np.inf, np.zeros(n_symbols, dtype=np.int64)
    sizes = (inf, inf, inf, inf, sector, UNLIMITED, inf)
    return LimitTerms(*sizes, inf, 0, inf, 1.0, inf, 0.0, UNLIMITED, inf, 0)


def no_exits() -> ExitTerms:
    """No stop, target or time limit."""
    return ExitTerms(np.empty(0, dtype=np.int8), np.empty((0, 0, 0)))


def no_detail() -> DetailBars:
    """No finer clock."""
    return DetailBars(NOTHING, NOTHING, NOTHING, NOTHING, np.empty(0, dtype=np.int64))
