"""The compiled search for the prices of a projection; see `projection` for what they mean.

One price inside the other: net by Newton's method in a bracket, turnover and gross by regula falsi
with the Illinois rule. All measures are piecewise linear and monotone in their price. What a search
returns is the mixture of both ends of its bracket that meets the limit: convexity keeps the others.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
TOLERANCE = 1e-12
ROUNDING = 1e-13
MAX_STEPS = 200
NET, GROSS, TURNOVER = 0, 1, 2
LOW, HIGH, OVER, UNDER, SCALE_LOW, SCALE_HIGH = 0, 1, 2, 3, 4, 5


class Limits(NamedTuple):
    """Arrays (asset,), finite bounds, and limits; infinities mean no limit."""

    target: Floats
    previous: Floats
    lower: Floats
    upper: Floats
    net_low: float
    net_high: float
    max_gross: float
    max_turnover: float


class _Bracket(NamedTuple):
    """Prices on both sides of a limit: seven numbers, and the weights at either end."""

    ends: Floats
    loose: Floats
    tight: Floats


@njit(cache=True)
def _unbounded(limits: Limits, asset: int, prices: Floats) -> float:
    """Return the weight without its bounds: the prox of both kinks, one after the other."""
    held = limits.previous[asset]
    pulled = limits.target[asset] - prices[NET]
    steep = prices[GROSS] + prices[TURNOVER]
    middle = prices[GROSS] - prices[TURNOVER]
    if held < 0:
        middle = -middle
    inner = max(pulled - middle, min(held, 0.0, pulled + steep))
    return float(max(pulled - steep, min(max(held, 0.0), inner)))


@njit(cache=True)
def without_bounds(limits: Limits, prices: Floats) -> Floats:
    """All weights (asset,) at these prices, without their bounds."""
    weights = np.empty(len(limits.target))
    for i in range(len(weights)):
        weights[i] = _unbounded(limits, i, prices)
    return weights


@njit(cache=True)
def _fill(limits: Limits, prices: Floats, weights: Floats) -> float:
    """Write the weights at these prices; their sum."""
    net = 0.0
    for i in range(len(weights)):
        weight = max(_unbounded(limits, i, prices), limits.lower[i])
        weights[i] = min(weight, limits.upper[i])
        net += weights[i]
    return net


@njit(cache=True)
def _moving(limits: Limits, prices: Floats, weights: Floats) -> int:
    """Count the weights that follow the net price: not at a bound, nor at a kink with a price."""
    count = 0
    for i in range(len(weights)):
        weight = weights[i]
        is_inside = limits.lower[i] < weight < limits.upper[i]
        at_zero = weight == 0.0 and prices[GROSS] > 0.0
        at_held = weight == limits.previous[i] and prices[TURNOVER] > 0.0
        if is_inside and not at_zero and not at_held:
            count += 1
    return count


@njit(cache=True)
def _gross(weights: Floats) -> float:
    return float(np.abs(weights).sum())


@njit(cache=True)
def _turnover(limits: Limits, weights: Floats) -> float:
    return float(np.abs(weights - limits.previous).sum())


@njit(cache=True)
def _mixed(loose: Floats, tight: Floats, share: float, weights: Floats) -> None:
    for i in range(len(weights)):
        weights[i] = loose[i] + share * (tight[i] - loose[i])


@njit(cache=True)
def _extreme_price(limits: Limits, prices: Floats, lowest: bool) -> float:
    """Return a net price at which every weight is at its upper (`lowest`) or lower bound."""
    steep = prices[GROSS] + prices[TURNOVER]
    if lowest:
        return float((limits.target - limits.upper).min() - steep - 1.0)
    return float((limits.target - limits.lower).max() + steep + 1.0)


@njit(cache=True)
def _within_net(limits: Limits, prices: Floats, weights: Floats) -> None:
    """Find the net price, in place, at which the sum of the weights lies in its span."""
    prices[NET] = 0.0
    net = _fill(limits, prices, weights)
    wanted = min(max(net, limits.net_low), limits.net_high)
    if abs(net - wanted) <= TOLERANCE * 1e-2:
        return
    low = 0.0 if net > wanted else _extreme_price(limits, prices, True)
    high = 0.0 if net < wanted else _extreme_price(limits, prices, False)
    for _ in range(MAX_STEPS):
        moving = _moving(limits, prices, weights)
        guess = prices[NET] + (net - wanted) / moving if moving > 0 else low
        if not low < guess < high:
            guess = 0.5 * (low + high)
            if not low < guess < high:
                break
        prices[NET] = guess
        net = _fill(limits, prices, weights)
        if abs(net - wanted) <= 1e-16 * len(weights):
            return
        if net > wanted:
            low = guess
        else:
            high = guess
    other = np.empty_like(weights)
    prices[NET] = low
    net_of_low = _fill(limits, prices, other)
    prices[NET] = high
    fall = net_of_low - _fill(limits, prices, weights)
    share = min(max((net_of_low - wanted) / fall, 0.0), 1.0) if fall > 0.0 else 1.0
    _mixed(other, weights.copy(), share, weights)


@njit(cache=True)
def _bracket(excess: float, step: float, weights: Floats) -> _Bracket:
    """Begin at the price 0, where the limit is exceeded by `excess`."""
    ends = np.array([0.0, np.inf, excess, 0.0, 1.0, 1.0, step])
    return _Bracket(ends, weights.copy(), weights.copy())


@njit(cache=True)
def _guess(bracket: _Bracket) -> float:
    """Return the next price to try; negative when the bracket is as good as it gets."""
    low, high, over, under, scale_low, scale_high, step = bracket.ends
    if not np.isfinite(high):
        return float(max(step, 2.0 * low))
    if under >= -ROUNDING or over <= ROUNDING or high - low <= ROUNDING * high:
        return -1.0
    share = over * scale_low / (over * scale_low - under * scale_high)
    return float(low + (high - low) * share)


@njit(cache=True)
def _narrow(bracket: _Bracket, price: float, excess: float, weights: Floats) -> None:
    """Replace an end. Illinois: an end that stays twice counts half."""
    ends = bracket.ends
    is_open = not np.isfinite(ends[HIGH])
    if excess > (TOLERANCE if is_open else 0.0):
        ends[LOW], ends[OVER] = price, excess
        ends[SCALE_HIGH] *= 0.5 if ends[SCALE_LOW] == 1.0 and not is_open else 1.0
        ends[SCALE_LOW] = 1.0
        bracket.loose[:] = weights
    else:
        ends[HIGH], ends[UNDER] = price, excess
        ends[SCALE_LOW] *= 0.5 if ends[SCALE_HIGH] == 1.0 and not is_open else 1.0
        ends[SCALE_HIGH] = 1.0
        bracket.tight[:] = weights


@njit(cache=True)
def _close(bracket: _Bracket, weights: Floats) -> bool:
    """Write the mixture of both ends that meets the limit; False when there is no upper end."""
    over, under = bracket.ends[OVER], bracket.ends[UNDER]
    share = over / (over - under) if over > under else 1.0
    _mixed(bracket.loose, bracket.tight, min(max(share, 0.0), 1.0), weights)
    return bool(np.isfinite(bracket.ends[HIGH]))


@njit(cache=True)
def _within_turnover(limits: Limits, step: float, prices: Floats, weights: Floats) -> bool:
    """Find the prices of net and turnover, in place; False when no price is high enough."""
    prices[TURNOVER] = 0.0
    _within_net(limits, prices, weights)
    excess = _turnover(limits, weights) - limits.max_turnover
    if excess <= TOLERANCE:
        return True
    bracket = _bracket(excess, step, weights)
    for _ in range(MAX_STEPS):
        price = _guess(bracket)
        if price < 0.0:
            break
        prices[TURNOVER] = price
        _within_net(limits, prices, weights)
        _narrow(bracket, price, _turnover(limits, weights) - limits.max_turnover, weights)
    return _close(bracket, weights)


@njit(cache=True)
def nearest(limits: Limits, step: float, prices: Floats, weights: Floats) -> bool:
    """Write the nearest weights and the prices of net, gross and turnover.

    `step` is the first price of turnover and gross that is tried. False when no price makes the
    weights keep a limit.
    """
    prices[GROSS] = 0.0
    found = _within_turnover(limits, step, prices, weights)
    excess = _gross(weights) - limits.max_gross
    if not found or excess <= TOLERANCE:
        return found
    bracket = _bracket(excess, step, weights)
    for _ in range(MAX_STEPS):
        price = _guess(bracket)
        if price < 0.0:
            break
        prices[GROSS] = price
        if not _within_turnover(limits, step, prices, weights):
            return False
        _narrow(bracket, price, _gross(weights) - limits.max_gross, weights)
    return _close(bracket, weights)


def warm_up() -> None:
    """Compile, on two assets, with the types that `projection` passes."""
    ones = np.ones(2)
    limits = Limits(ones, 0.5 * ones, 0.0 * ones, ones, 1.0, 1.0, 2.0, 2.0)
    nearest(limits, 1.0, np.zeros(3), np.empty(2))
    without_bounds(limits, np.zeros(3))
