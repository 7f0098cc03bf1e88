"""What keeps a run from the lean kernel."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    TARGET_FRACTION,
    TRAIL_FRACTION,
    UNLIMITED,
    ExitTerms,
    LimitTerms,
)
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN, ExecutionTerms
from quant_assets.quant.sizing.entry.units import RISK_FRACTION
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

__all__ = ["obstacles"]

BORROW = "borrow"
LEAN_EXITS = (STOP_FRACTION, TRAIL_FRACTION, TARGET_FRACTION)
INACTIVE = {"cut_scale", "resume_drawdown", "halt_bars", "correlation_bars", "sector"}


def obstacles(
    bars: BarPanel, signals: Signals, plan: Plan, terms: ExecutionTerms, *, shared: bool = True
) -> tuple[str, ...]:
    """Names of what only the event kernel does; none: the lean kernel gives the same result."""
    found = (*decision_obstacles(bars, signals, plan, shared), *terms_obstacles(terms))
    if plan.exits is not None and plan.exits.kind.size and _opens_unknown(bars):
        found = (*found, "exits in bars whose open is unknown")
    if bars.universe is not None:
        found = (*found, "a universe of members")
    if signals.entry_short is None or not signals.entry_short.any():
        return tuple(name for name in found if name != BORROW)  # nothing is ever short
    return found


def terms_obstacles(terms: ExecutionTerms) -> tuple[str, ...]:
    """Those that the execution brings."""
    return (*_of_execution(terms), *_of_account(terms))


def decision_obstacles(bars: BarPanel, signals: Signals, plan: Plan, shared: bool) -> Iterator[str]:
    """Those that signals and plan bring."""
    if signals.target is not None:
        yield "target weights"
    if signals.limit is not None or signals.stop is not None:
        yield "limit or stop entries"
    if signals.strength is not None and shared and len(bars.symbols) > 1:
        yield "strength of signals"
    if shared and list(bars.symbols) != sorted(bars.symbols):
        yield "symbols that are not sorted"
    yield from _of_plan(plan)
    if bars.late:
        yield "bars that become known after the next one opens"


def _of_plan(plan: Plan) -> Iterator[str]:
    if plan.sizes is not None and plan.sizes.unit == RISK_FRACTION:
        yield "sizes by risk"
    if plan.resize.bars:
        yield "positions that are resized"
    if plan.exits is not None and not set(plan.exits.kind.tolist()) <= set(LEAN_EXITS):
        yield "exits by price distance or time"
    if plan.limits is not None and not _unlimited(plan.limits):
        yield "limits of the account"
    if plan.exits is not None and _tied(plan.exits):
        yield "stops and trailing stops at one distance"


def _opens_unknown(bars: BarPanel) -> bool:
    """Whether a bar has prices but no open."""
    if not np.isnan(bars.open.sum()):  # the usual case, without an array
        return False
    return bool((np.isnan(bars.open) & ~np.isnan(bars.low)).any())


def _tied(exits: ExitTerms) -> bool:
    """Whether a stop and a trailing stop start at one price: the first rule names the exit."""
    tightest = [
        np.fmin.reduce(exits.level[exits.kind == kind], axis=0, initial=np.inf)
        for kind in (STOP_FRACTION, TRAIL_FRACTION)
    ]
    same = (tightest[0] == tightest[1]) & np.isfinite(tightest[0])
    return bool(exits.kind.size and same.any())


def _unlimited(limits: LimitTerms) -> bool:
    counts = {"max_positions": UNLIMITED, "cool_down": 0}
    return all(
        getattr(limits, name) == counts.get(name, np.inf)
        for name in limits._fields
        if name not in INACTIVE
    )


def _of_execution(terms: ExecutionTerms) -> Iterator[str]:
    fills, slippage, fee = terms.fills, terms.slippage, terms.commission
    if fills.model != NEXT_OPEN or fills.latency != 0:
        yield "fills elsewhere than at the next open"
    if fills.participation != np.inf:
        yield "a participation cap"
    if fills.optimistic or fills.through:
        yield "targets before stops, or traded through"
    if terms.detail.first.size:
        yield "detail bars"
    if slippage.half_spread != 0.0 or slippage.impact != 0.0 or slippage.volume_share != 0.0:
        yield "slippage that is not a rate"
    units = fee.unit_maker, fee.unit_taker, fee.unit_sell
    extra = (fee.flat, fee.sell_rate, fee.buy_rate, fee.increment, *units)
    floor = fee.minimum > 0.0 or (fee.taker < 0.0 and fee.minimum != -np.inf)
    if any(extra) or floor or _any(fee.per_unit) or fee.maximum != np.inf:
        yield "commission that is not a rate"


def _of_account(terms: ExecutionTerms) -> Iterator[str]:
    carry, margin, it = terms.carry, terms.margin, terms.instruments
    if _any(carry.borrow):
        yield BORROW
    if carry.cash_rate != 0.0 or carry.debit_rate != 0.0 or carry.rebate != 0.0:
        yield "interest"
    if carry.funding_bar.size:
        yield "funding"
    if margin.tier_rate.size or _any(margin.inverse) or _any(margin.linear):
        yield "maintenance margin, inverse or linear derivatives"
    if _any(it.lot) or _any(it.tick) or _any(it.least_notional):
        yield "lots, ticks or least notional"
    if _any(it.multiplier != 1.0) or _any(it.fx != 1.0):
        yield "multipliers or currencies"


def _any(values: npt.NDArray[np.generic]) -> bool:
    return bool(values.any())
