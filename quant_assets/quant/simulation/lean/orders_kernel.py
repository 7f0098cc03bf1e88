"""What the lean kernels of accounts share: prices, sizes and exits of one order.

The same arithmetic in the same order as the event kernel has it, for the subset without
`obstacles`. Import it lazily: it loads numba.
"""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.simulation.lean.compiling import inlined
from quant_assets.quant.simulation.lean.terms import LeanRates

Floats = npt.NDArray[np.float64]

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
OPENS, ENDS_LONG = ENTER_LONG | ENTER_SHORT, EXIT_LONG | ENTER_SHORT  # flat; long
NOTIONAL, EQUITY_FRACTION = 1, 2
# reasons, as the event kernel numbers them
ENTRY, EXIT_SIGNAL, STOP_LOSS, TRAILING_STOP, TAKE_PROFIT, REVERSAL = 0, 1, 3, 4, 5, 11
DUST, LEAST_SHARE, LEAST_PRICE, SAME, STEPS = 1e-12, 1e-9, 1e-9, 1e-15, 30
DOUBTFUL = 1e-9  # of what is at stake: so little is left that the event kernel has to look
FINE, LEFT_TO_EVENTS = 0, 1
UNSETTLED = -1.0  # a size that fees keep from settling: the event kernel has another way to it


@inlined
def priced(reference: float, side: float, rates: LeanRates) -> float:
    """Price of a market fill; side: 1 buys, -1 sells."""
    return max(reference * (1.0 + side * rates.slippage), LEAST_PRICE * reference)


@inlined
def touched(
    side: float, bar: tuple[float, float, float], stop: float, target: float
) -> tuple[float, bool]:
    """Reference price of the exit that a bar (open, high, low) brings or NaN; if by the stop."""
    start, high, low = bar
    worst, best = (low, high) if side > 0.0 else (high, low)
    if side * start <= side * stop:
        return start, True
    if side * start >= side * target:
        return start, False
    if side * worst <= side * stop:
        return stop, True
    if side * best >= side * target:
        return target, False
    return np.nan, False


@inlined
def wanted_units(size: float, unit: int, reference: float, price: float, rates: LeanRates) -> float:
    """Units of a size in units or money, or of the money of a share of equity with its fee."""
    if unit == NOTIONAL:
        return size / price
    if unit != EQUITY_FRACTION:
        return size
    if size <= 0.0:
        return 0.0
    first = amount = size / reference
    for _ in range(STEPS):
        notional = amount * price
        fee = max(notional * rates.taker, 0.0)
        better = size / (price * (1.0 + fee / notional))
        if abs(better - amount) <= SAME * amount and amount <= 2.0 * first:
            return amount
        amount = better
    return UNSETTLED


@inlined
def fitting(wanted: float, price: float, account: tuple[float, float], rates: LeanRates) -> float:
    """The part of the units that leverage leaves, fees inside; account = (equity, gross)."""
    amount = wanted
    equity, used = account
    if equity <= 0.0:
        return 0.0
    for _ in range(STEPS):
        if amount <= 0.0:
            return 0.0
        notional = amount * price
        cost = max(notional * rates.taker, 0.0) / notional
        left = np.inf
        if rates.leverage != np.inf:
            left = max((rates.leverage * equity - used) / (1.0 + rates.leverage * cost), 0.0)
        better = min(wanted, left / price)
        if abs(better - amount) <= SAME * amount:
            return amount if amount >= LEAST_SHARE * wanted else 0.0
        amount = better
    return UNSETTLED  # pragma: no cover  # a fee that is a share of the price settles at once


@inlined
def first_exits(
    exits: Floats, place: tuple[int, int], side: float, price: float
) -> tuple[float, float, bool]:
    """Stop and target of an entry at a price, place = (row, symbol); whether the stop trails."""
    row, s = place
    stop = price - side * (exits[0, row, s] * price)
    trail = price - side * (exits[1, row, s] * price)
    trails = not np.isnan(trail) and not side * stop >= side * trail
    target = price + side * (exits[2, row, s] * price)
    return trail if trails else stop, target, trails


@inlined
def trailed(
    side: float, best: float, trail_by: float, state: tuple[float, float]
) -> tuple[float, float, bool]:
    """Extreme and stop after a bar whose best price is known; whether the stop was moved.

    `state` = (extreme, stop); a stop is never loosened.
    """
    extreme, stop = state
    if side * best > side * extreme:
        extreme = best
    moved = extreme - side * (trail_by * extreme)
    if not side * moved <= side * stop:
        return extreme, moved, True
    return extreme, stop, False
