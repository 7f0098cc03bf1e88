"""The compiled loop of the active-set method: quadratic programs with a box, a budget and kinks.

    minimise  w'Hw/2 - c'w + sum(cost_i |w_i - kink_i|)
    subject to  sum(w) = budget,  lower <= w <= upper

Every weight is fixed, or free on one side of its kink, where its cost is linear. One free weight,
the payer, pays for the others, so that the budget holds even for a singular H; the Cholesky factor
of the others' Hessian is kept up to date as weights come and go (Nocedal & Wright, Numerical
Optimization, 2nd ed., algorithm 16.3; Golub & Van Loan, Matrix Computations, section 6.5).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["ABOVE", "BELOW", "FIXED", "Point", "Terms", "pivot", "warm_up"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

BELOW, FIXED, ABOVE = -1, 0, 1
STILL = 1e-15  # a slower weight does not move
SMALLEST_PIVOT = 1e-14


class Terms(NamedTuple):
    """The problem: H (asset, asset) with about 1 on its diagonal, and vectors (asset,)."""

    hessian: Floats
    lower: Floats
    upper: Floats
    kinks: Floats
    cost: Floats


class Point(NamedTuple):
    """Feasible weights, the gradient `H w - c` there, and BELOW, FIXED or ABOVE: all (asset,).

    A fixed weight may stand anywhere; a free one is on its side of its kink.
    """

    weights: Floats
    gradient: Floats
    segments: npt.NDArray[np.int8]


class _Face(NamedTuple):
    """Places of the free weights but the payer, and the Cholesky factor of their Hessian."""

    members: Places
    factor: Floats
    step: Floats


@njit(cache=True)
def _append(hessian: Floats, face: _Face, count: int, payer: int) -> bool:
    """Factorise the row of `members[count]`; False when its pivot is not positive."""
    members, factor = face.members, face.factor
    asset, row = members[count], factor[count]
    corner = hessian[payer, payer] - hessian[payer, asset]
    square = hessian[asset, asset] - hessian[payer, asset] + corner
    for r in range(count):
        value = hessian[asset, members[r]] - hessian[payer, members[r]] + corner
        for s in range(r):
            value -= row[s] * factor[r, s]
        value /= factor[r, r]
        row[r] = value
        square -= value * value
    if not square > SMALLEST_PIVOT:
        return False
    row[count] = np.sqrt(square)
    return True


@njit(cache=True)
def _factorised(hessian: Floats, face: _Face, count: int, payer: int) -> bool:
    """Factorise the rows of all members."""
    complete = True
    for r in range(count):
        complete = complete and _append(hessian, face, r, payer)
    return complete


@njit(cache=True)
def _remove(face: _Face, count: int, place: int) -> None:
    """Drop the member at `place`: shift the later rows up, rotate them back to a triangle."""
    members, factor = face.members, face.factor
    for r in range(place, count - 1):
        members[r] = members[r + 1]
        for s in range(r + 2):
            factor[r, s] = factor[r + 1, s]
    for r in range(place, count - 1):
        head, tail = factor[r, r], factor[r, r + 1]
        length = np.hypot(head, tail)
        cosine, sine = head / length, tail / length
        factor[r, r] = length
        for below in range(r + 1, count - 1):
            left, right = factor[below, r], factor[below, r + 1]
            factor[below, r] = cosine * left + sine * right
            factor[below, r + 1] = cosine * right - sine * left


@njit(cache=True)
def _aim(terms: Terms, point: Point, face: _Face, count: int, payer: int) -> None:
    """Step of members and payer (last) to the minimum over their face, keeping the budget."""
    members, factor, step = face
    members[count] = payer
    for r in range(count + 1):
        step[r] = -point.gradient[members[r]]
        step[r] -= terms.cost[members[r]] * point.segments[members[r]]
    base = step[count]
    for r in range(count):
        value = step[r] - base
        for s in range(r):
            value -= factor[r, s] * step[s]
        step[r] = value / factor[r, r]
    paid = 0.0
    for r in range(count - 1, -1, -1):
        value = step[r] / factor[r, r]
        for s in range(r):
            step[s] -= factor[r, s] * value
        step[r] = value
        paid -= value
    step[count] = paid


@njit(cache=True)
def _longest_step(terms: Terms, point: Point, face: _Face, count: int) -> tuple[float, int, float]:
    """Share (at most 1) of the step that no end of a segment cuts, who blocks it, and where."""
    share, blocker, bound = 1.0, -1, 0.0
    for r in range(count):
        i, speed = face.members[r], face.step[r]
        if abs(speed) <= STILL:
            continue
        if speed > 0:
            end = terms.upper[i]
            if point.segments[i] == BELOW:
                end = min(end, terms.kinks[i])
        else:
            end = terms.lower[i]
            if point.segments[i] == ABOVE:
                end = max(end, terms.kinks[i])
        room = (end - point.weights[i]) / speed
        if room < share:
            share, blocker, bound = max(room, 0.0), r, end
    return share, blocker, bound


@njit(cache=True)
def _walk(terms: Terms, point: Point, face: _Face, count: int) -> int:
    """Walk the step as far as it goes; the place of the member that is fixed thereby, or -1."""
    share, blocker, bound = _longest_step(terms, point, face, count)
    weights, gradient = point.weights, point.gradient
    for r in range(count):
        move = share * face.step[r]
        weights[face.members[r]] += move
        row = terms.hessian[face.members[r]]
        for j in range(len(gradient)):
            gradient[j] += row[j] * move
    if blocker >= 0:
        weights[face.members[blocker]] = bound
        point.segments[face.members[blocker]] = FIXED
    return blocker


@njit(cache=True)
def _fix(hessian: Floats, face: _Face, count: int, payer: int, blocker: int) -> int:
    """Drop the member at `blocker` (`count`: the payer); the payer from now on, -1: failure."""
    if blocker < count:
        _remove(face, count, blocker)
        return payer
    heir = face.members[0]
    for r in range(count - 1):
        face.members[r] = face.members[r + 1]
    return heir if _factorised(hessian, face, count - 1, heir) else -1


@njit(cache=True)
def _dearest(terms: Terms, point: Point) -> tuple[int, int, float]:
    """Find the weight whose fall saves most, the side it falls on, and how much it saves."""
    asset, side, saving = -1, FIXED, -np.inf
    for i in range(len(point.weights)):
        if point.weights[i] > terms.lower[i]:
            down = BELOW if point.weights[i] <= terms.kinks[i] else ABOVE
            slope = point.gradient[i] + down * terms.cost[i]
            if slope > saving:
                asset, side, saving = i, down, slope
    return asset, side, saving


@njit(cache=True)
def _best_release(terms: Terms, point: Point, price: float) -> tuple[int, int, float]:
    """Find the fixed weight that gains most by moving, the side it moves on, and the gain."""
    asset, side, best = -1, FIXED, 0.0
    for i in range(len(point.weights)):
        if point.segments[i] != FIXED:
            continue
        weight, slope = point.weights[i], point.gradient[i] - price
        if weight < terms.upper[i]:
            up = ABOVE if weight >= terms.kinks[i] else BELOW
            gain = -slope - up * terms.cost[i]
            if gain > best:
                asset, side, best = i, up, gain
        if weight > terms.lower[i]:
            down = BELOW if weight <= terms.kinks[i] else ABOVE
            gain = slope + down * terms.cost[i]
            if gain > best:
                asset, side, best = i, down, gain
    return asset, side, best


@njit(cache=True)
def _begin(terms: Terms, point: Point, face: _Face) -> tuple[int, int]:
    """The payer (-1: none, -2: failure) and the number of the other free weights."""
    free = np.flatnonzero(point.segments != FIXED)
    if len(free) == 0:
        return -1, 0
    count = len(free) - 1
    face.members[:count] = free[1:]
    return free[0] if _factorised(terms.hessian, face, count, free[0]) else -2, count


@njit(cache=True)
def pivot(terms: Terms, point: Point, tolerance: float) -> int:
    """Improve `point` in place until no fixed weight gains more than `tolerance`.

    Returns the number of iterations; negative when 100 + 20 n were not enough, or H is not
    positive definite.
    """
    hessian, gradient, segments = terms.hessian, point.gradient, point.segments
    n_assets = len(gradient)
    face = _Face(
        np.empty(n_assets + 1, dtype=np.int64),
        np.empty((n_assets, n_assets)),
        np.empty(n_assets + 1),
    )
    payer, count = _begin(terms, point, face)
    if payer < -1:
        return -1
    for iteration in range(1, 101 + 20 * n_assets):
        if count > 0:
            _aim(terms, point, face, count, payer)
            blocker = _walk(terms, point, face, count + 1)
            if blocker >= 0:
                payer = _fix(hessian, face, count, payer, blocker)
                count -= 1
                if payer < 0:
                    return -iteration
                continue
        seller, sells = payer, FIXED
        if payer >= 0:
            price = gradient[payer] + terms.cost[payer] * segments[payer]
        else:
            seller, sells, price = _dearest(terms, point)
        asset, side, gain = _best_release(terms, point, price)
        if seller < 0 or gain <= tolerance:
            return iteration
        if payer < 0:
            payer, segments[seller] = seller, sells
        segments[asset], face.members[count] = side, asset
        if not _append(hessian, face, count, payer):
            return -iteration
        count += 1
    return -(100 + 20 * n_assets)


def warm_up() -> None:
    """Compile, on two assets, with the types that the solver passes."""
    zeros, ones = np.zeros(2), np.ones(2)
    point = Point(np.array([1.0, 0.0]), ones, np.array([ABOVE, FIXED], dtype=np.int8))
    pivot(Terms(np.eye(2), zeros, ones, zeros, zeros), point, 1e-11)
