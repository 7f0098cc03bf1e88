"""The projection in plain numpy, written apart: the twin of the compiled search for its prices.

The net price is found exactly from the sorted kinks of the sum, the others by regula falsi around.
"""

from collections.abc import Callable

import numpy as np

from quant_assets.quant.optimization.constraints.base import FeasibleSet
from quant_assets.quant.optimization.projection import Prices

TOLERANCE = 1e-12
ROUNDING = 1e-13
MAX_STEPS = 200
Point = tuple[np.ndarray, Prices]


def project_plainly(target: np.ndarray, previous: np.ndarray, feasible: FeasibleSet) -> np.ndarray:
    """Nearest point of a non-empty `feasible` to `target`."""
    dual = _Dual(target, previous, feasible)
    weights = dual.within_turnover(0.0)[0]
    if np.abs(weights).sum() > feasible.max_gross + TOLERANCE:
        weights, _ = _restrict(
            dual.within_turnover,
            lambda at: float(np.abs(at).sum()),
            feasible.max_gross,
            name="gross",
            step=dual.size,
        )
    return weights


class _Dual:
    """Weights as a function of the prices."""

    def __init__(self, target: np.ndarray, previous: np.ndarray, feasible: FeasibleSet) -> None:
        self.target, self.previous, self.feasible = target, previous, feasible
        self.first_kink = np.minimum(previous, 0.0)
        self.last_kink = np.maximum(previous, 0.0)
        self.side = np.where(previous < 0, -1.0, 1.0)
        self.size = max(float(np.abs(target - previous).max()), 1e-6)

    def unbounded(self, prices: Prices) -> np.ndarray:
        """Return the weights without bounds: the prox of both kinks, one after the other."""
        pulled = self.target - prices.net
        steep = prices.gross + prices.turnover
        middle = self.side * (prices.gross - prices.turnover)
        inner = np.maximum(pulled - middle, np.minimum(self.first_kink, pulled + steep))
        return np.asarray(np.maximum(pulled - steep, np.minimum(self.last_kink, inner)))

    def bounded(self, prices: Prices) -> np.ndarray:
        """Return the weights inside their bounds."""
        weights = np.maximum(self.unbounded(prices), self.feasible.lower)
        return np.asarray(np.minimum(weights, self.feasible.upper))

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

    def _kinks(self, gross: float, turnover: float) -> np.ndarray:
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

    def _turnover(self, weights: np.ndarray) -> float:
        return float(np.abs(weights - self.previous).sum())


def _restrict(
    at_price: Callable[[float], Point],
    measure: Callable[[np.ndarray], float],
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
            raise ValueError(f"{name} stays {under:.3g} over its limit at any price")
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
