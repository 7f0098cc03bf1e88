"""Euclidean projection onto box, net, gross and turnover limits, by their Lagrange multipliers.

With prices v (net), g (gross) and t (turnover) each weight minimises its own piecewise quadratic
`(w - target)^2 / 2 + v w + g |w| + t |w - previous|` over its bounds, in closed form. The sum falls
with v, the gross exposure with g, the turnover with t, all piecewise linearly. Newton's method on
the three prices is tried first; when it does not meet the optimality conditions, v is found exactly
from the sorted kinks, and g and t by a bracketed secant around that.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.constraints.base import FeasibleSet

Floats = npt.NDArray[np.float64]
Point = tuple[Floats, "Prices"]
TOLERANCE = 1e-12
ROUNDING = 1e-13
MAX_STEPS = 200
NEWTON_STEPS = 12


class Prices(NamedTuple):
    """Multipliers of the net, gross and turnover limits; 0 where a limit does not bind."""

    net: float = 0.0
    gross: float = 0.0
    turnover: float = 0.0


@dataclass(frozen=True)
class Projection:
    """The nearest feasible weights, the prices there, and whether a bound cut a weight off."""

    weights: Floats
    prices: Prices
    box_binds: bool


def least_gross(feasible: FeasibleSet) -> float:
    """Smallest sum of absolute weights in box and net limits (which must be compatible)."""
    nearest = np.clip(0.0, feasible.lower, feasible.upper)
    net = float(nearest.sum())
    return float(np.abs(nearest).sum()) + max(feasible.net_low - net, net - feasible.net_high, 0.0)


def least_turnover(feasible: FeasibleSet, previous: Floats) -> float:
    """Smallest turnover from `previous` into box, net and gross limits (compatible ones).

    Move into the box; then move the net into its span, by weights that thereby shrink when there
    are any; what gross is left over shrinks one for one.
    """
    inside = np.clip(previous, feasible.lower, feasible.upper)
    net = float(inside.sum())
    turnover, gross = float(np.abs(inside - previous).sum()), float(np.abs(inside).sum())
    if net < feasible.net_low:
        missing = feasible.net_low - net
        shrinkable = np.minimum(feasible.upper, 0.0) - inside
        room = float(shrinkable[inside < 0].sum())
    else:
        missing = max(net - feasible.net_high, 0.0)
        shrinkable = inside - np.maximum(feasible.lower, 0.0)
        room = float(shrinkable[inside > 0].sum())
    shrunk = min(missing, room)
    gross += missing - 2.0 * shrunk
    return turnover + missing + max(gross - feasible.max_gross, 0.0)


def is_feasible(feasible: FeasibleSet, previous: Floats) -> bool:
    """Whether any weights satisfy all limits (up to 1e-12)."""
    lower, upper = float(feasible.lower.sum()), float(feasible.upper.sum())
    return bool(
        (feasible.lower <= feasible.upper + TOLERANCE).all()
        and feasible.net_low <= feasible.net_high + TOLERANCE
        and lower <= feasible.net_high + TOLERANCE
        and upper >= feasible.net_low - TOLERANCE
        and least_gross(feasible) <= feasible.max_gross + TOLERANCE
        and least_turnover(feasible, previous) <= feasible.max_turnover + TOLERANCE
    )


def project(target: Floats, previous: Floats, feasible: FeasibleSet) -> Projection:
    """Nearest point of a non-empty `feasible` to `target`; bounds must be finite."""
    if (feasible.lower >= 0).all() and feasible.net_high <= feasible.max_gross:
        feasible = replace(feasible, max_gross=np.inf)  # gross is net, and net is limited already
    dual = _Dual(target, previous, feasible)
    found = dual.newton(dual.within_net(0.0, 0.0))
    if found is None:
        found = dual.within_turnover(0.0)
        if _gross(found[0]) > feasible.max_gross + TOLERANCE:
            limit = feasible.max_gross
            found = _restrict(dual.within_turnover, _gross, limit, name="gross", step=dual.size)
    weights, prices = found
    unbounded = dual.unbounded(prices)
    cut = (unbounded < feasible.lower - TOLERANCE) | (unbounded > feasible.upper + TOLERANCE)
    return Projection(_repaired(weights, feasible), prices, bool(cut.any()))


def _gross(weights: Floats) -> float:
    return float(np.abs(weights).sum())


class _Dual:
    """Weights as a function of the prices."""

    def __init__(self, target: Floats, previous: Floats, feasible: FeasibleSet) -> None:
        self.target, self.previous, self.feasible = target, previous, feasible
        self.first_kink = np.minimum(previous, 0.0)
        self.last_kink = np.maximum(previous, 0.0)
        self.side = np.where(previous < 0, -1.0, 1.0)
        self.size = max(float(np.abs(target - previous).max()), 1e-6)

    def unbounded(self, prices: Prices) -> Floats:
        """Return the weights without bounds: the prox of both kinks, one after the other."""
        pulled = self.target - prices.net
        steep = prices.gross + prices.turnover
        middle = self.side * (prices.gross - prices.turnover)
        inner = np.maximum(pulled - middle, np.minimum(self.first_kink, pulled + steep))
        return np.asarray(np.maximum(pulled - steep, np.minimum(self.last_kink, inner)))

    def bounded(self, prices: Prices) -> Floats:
        """Return the weights inside their bounds."""
        weights = np.maximum(self.unbounded(prices), self.feasible.lower)
        return np.asarray(np.minimum(weights, self.feasible.upper))

    def newton(self, start: Point) -> Point | None:
        """Find the optimum by Newton steps on the prices; None when they do not rest there.

        A step moves the prices of the limits that are broken or have a price already.
        """
        weights, prices = start
        for _ in range(NEWTON_STEPS):
            change = weights - self.previous
            signs = np.array([np.ones(len(weights)), np.sign(weights), np.sign(change)])
            excess = self._excess(weights, prices)
            over = np.array([abs(excess[0]), excess[1], excess[2]])
            rows = np.flatnonzero((over > ROUNDING) | (np.asarray(prices) != 0))
            if not rows.size or float(np.abs(excess[rows]).max()) <= ROUNDING:
                return (weights, prices) if self._is_optimal(weights, prices) else None
            moving = (weights > self.feasible.lower) & (weights < self.feasible.upper)
            moving &= (weights != 0) | (prices.gross == 0)
            moving &= (change != 0) | (prices.turnover == 0)
            slopes = signs[rows][:, moving]
            curvature = slopes @ slopes.T
            curvature.flat[:: len(rows) + 1] += 1e-12
            step = np.zeros(3)
            step[rows] = np.linalg.solve(curvature, excess[rows])
            net, gross, turnover = (float(value) for value in np.asarray(prices) + step)
            if net * prices.net < 0 and self.feasible.net_low < self.feasible.net_high:
                net = 0.0
            prices = Prices(net, max(gross, 0.0), max(turnover, 0.0))
            weights = self.bounded(prices)
        return None

    def _excess(self, weights: Floats, prices: Prices) -> Floats:
        """By how much net (signed), gross and turnover exceed their limits."""
        net = float(weights.sum())
        wanted = min(max(net, self.feasible.net_low), self.feasible.net_high)
        if wanted == net and prices.net != 0:
            wanted = self.feasible.net_high if prices.net > 0 else self.feasible.net_low
        gross = _gross(weights) - self.feasible.max_gross
        turnover = self._turnover(weights) - self.feasible.max_turnover
        return np.array([net - wanted, gross, turnover])

    def _is_optimal(self, weights: Floats, prices: Prices) -> bool:
        """All limits are kept, and a price stands only where its limit is met."""
        feasible, net = self.feasible, float(weights.sum())
        gross, turnover = _gross(weights), self._turnover(weights)
        return (
            feasible.net_low - TOLERANCE <= net <= feasible.net_high + TOLERANCE
            and (prices.net <= 0 or net >= feasible.net_high - TOLERANCE)
            and (prices.net >= 0 or net <= feasible.net_low + TOLERANCE)
            and gross <= feasible.max_gross + TOLERANCE
            and turnover <= feasible.max_turnover + TOLERANCE
            and (prices.gross == 0 or gross >= feasible.max_gross - TOLERANCE)
            and (prices.turnover == 0 or turnover >= feasible.max_turnover - TOLERANCE)
        )

    def within_net(self, gross: float, turnover: float) -> Point:
        """Return the weights whose net lies in its span, and the price of that."""
        prices = Prices(0.0, gross, turnover)
        weights = self.bounded(prices)
        net = float(weights.sum())
        wanted = min(max(net, self.feasible.net_low), self.feasible.net_high)
        if abs(net - wanted) <= TOLERANCE * 1e-2:
            return weights, prices
        kinks = self._kinks(gross, turnover)
        low, high = 0, len(kinks) - 1
        at_low = self.bounded(Prices(float(kinks[low]), gross, turnover))
        at_high = self.bounded(Prices(float(kinks[high]), gross, turnover))
        while high - low > 1:
            middle = (low + high) // 2
            at_middle = self.bounded(Prices(float(kinks[middle]), gross, turnover))
            if at_middle.sum() >= wanted:
                low, at_low = middle, at_middle
            else:
                high, at_high = middle, at_middle
        fall = float(at_low.sum() - at_high.sum())
        share = (float(at_low.sum()) - wanted) / fall if fall > 0 else 0.0
        share = min(max(share, 0.0), 1.0)
        price = float(kinks[low] + share * (kinks[high] - kinks[low]))
        return at_low + share * (at_high - at_low), Prices(price, gross, turnover)

    def _kinks(self, gross: float, turnover: float) -> Floats:
        """Every net price at which some weight starts or stops to move, sorted."""
        steep, middle = gross + turnover, self.side * (gross - turnover)
        bounds = (self.feasible.lower, self.feasible.upper)
        places = [self.first_kink - steep, self.first_kink + middle]
        places += [self.last_kink + middle, self.last_kink + steep]
        for bound in bounds:
            places += [bound - steep, bound + middle, bound + steep]
        return np.sort((self.target - np.array(places)).ravel())

    def within_turnover(self, gross: float) -> Point:
        """Return the weights whose net and turnover keep their limits, at a price of gross."""
        weights, prices = self.within_net(gross, 0.0)
        limit = self.feasible.max_turnover
        if self._turnover(weights) <= limit + TOLERANCE:
            return weights, prices
        return _restrict(
            lambda price: self.within_net(gross, price),
            self._turnover,
            limit,
            name="turnover",
            step=self.size,
        )

    def _turnover(self, weights: Floats) -> float:
        return float(np.abs(weights - self.previous).sum())


def _restrict(
    at_price: Callable[[float], Point],
    measure: Callable[[Floats], float],
    limit: float,
    *,
    name: str,
    step: float,
) -> Point:
    """Find the weights at the lowest price that brings `measure` down to `limit`.

    Bracket by doubling, then regula falsi with the Illinois rule. The answer is the mixture of
    both ends that meets the limit: convexity keeps every constraint.
    """
    low, high = 0.0, step
    (loose, _), (tight, prices) = at_price(low), at_price(high)
    over, under = measure(loose) - limit, measure(tight) - limit
    doublings = 0
    while under > TOLERANCE:
        low, loose, over = high, tight, under
        high *= 2.0
        doublings += 1
        if doublings > 60:
            raise SolverError(f"{name} stays {under:.3g} over its limit {limit:g} at any price")
        tight, prices = at_price(high)
        under = measure(tight) - limit
    scale_low, scale_high = 1.0, 1.0
    for _ in range(MAX_STEPS):
        if under >= -ROUNDING or over <= ROUNDING or high - low <= ROUNDING * high:
            break
        guess = low + (high - low) * over * scale_low / (over * scale_low - under * scale_high)
        weights, at_guess = at_price(guess)
        excess = measure(weights) - limit
        # Illinois: an end that stays twice counts half
        if excess > 0:
            low, loose, over = guess, weights, excess
            scale_low, scale_high = 1.0, scale_high * (0.5 if scale_low == 1.0 else 1.0)
        else:
            high, tight, under, prices = guess, weights, excess, at_guess
            scale_low, scale_high = scale_low * (0.5 if scale_high == 1.0 else 1.0), 1.0
    share = over / (over - under) if over > under else 1.0
    return loose + min(max(share, 0.0), 1.0) * (tight - loose), prices


def _repaired(weights: Floats, feasible: FeasibleSet) -> Floats:
    """Bounds and net exact to the last bit that addition allows."""
    repaired = np.clip(weights, feasible.lower, feasible.upper)
    for _ in range(3):
        net = float(repaired.sum())
        gap = min(max(net, feasible.net_low), feasible.net_high) - net
        room = feasible.upper - repaired if gap > 0 else repaired - feasible.lower
        total = float(room.sum())
        if gap == 0 or total <= 0:
            break
        repaired = np.clip(repaired + gap * room / total, feasible.lower, feasible.upper)
    return repaired
