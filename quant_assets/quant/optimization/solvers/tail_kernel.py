"""Least mean loss of the worst rows, by a simplex method that keeps only the ties.

With losses `L = -R w`, the problem over weights in a box with one budget is

    minimise  t + sum(max(L - t, 0)) / tail

Its vertices tie as many rows at the threshold t as there are weights strictly inside the box: a few
dozen, against a basis of hundreds in the linear program. A step walks down one edge, past every row
whose crossing leaves the slope negative.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.quant.optimization.solvers.elimination_kernel import (
    Floats,
    Places,
    compiled,
    factor,
    solve,
    solve_transposed,
)

__all__ = ["CONVERGED", "minimise_tail", "warm_up"]

CONVERGED, OUT_OF_STEPS, SINGULAR = 0, 1, 2
BELOW, TIED, ABOVE = 0, 1, 2
ASSET, ROW, NONE = 0, 1, -1
TOLERANCE = 1e-11
STILL = 1e-13
REFRESH = 64


class Program(NamedTuple):
    """Returns (time, asset), C-ordered and about 1 in size; box (asset,), budget; 1 / tail."""

    returns: Floats
    lower: Floats
    upper: Floats
    budget: float
    cap: float


class Vertex(NamedTuple):
    """Where the walk is, changed in place.

    weights (asset,); excess (time,) of losses over the threshold; place (time,) below, at or above
    it; above (asset,) sums returns of the rows above. The first sizes[0] of `free` are the weights
    inside the box, of `tied` the rows at the threshold; sizes[1] rows are above.
    """

    weights: Floats
    excess: Floats
    place: npt.NDArray[np.int8]
    above: Floats
    free: Places
    is_free: npt.NDArray[np.bool_]
    tied: Places
    sizes: Places


class Work(NamedTuple):
    """Buffers: a factored matrix and its pivots, and vectors that belong to the vertex's edges."""

    matrix: Floats
    order: Places
    prices: Floats
    gradient: Floats
    move: Floats
    change: Floats
    crossing: Places


class Edge(NamedTuple):
    """An asset that leaves its bound or a tied row that leaves the threshold, and the slope."""

    kind: int
    at: int
    sign: float
    slope: float


@compiled
def _factored(program: Program, vertex: Vertex, work: Work) -> bool:
    """Factor K: returns of the free assets (rows) on the tied rows (columns), bordered by ones."""
    count, matrix = vertex.sizes[0], work.matrix
    for row in range(count):
        for column in range(count):
            matrix[row, column] = program.returns[vertex.tied[column], vertex.free[row]]
        matrix[row, count] = 1.0
        matrix[count, row] = 1.0
    matrix[count, count] = 0.0
    return factor(matrix, count + 1, work.order)


@compiled
def _settle(program: Program, vertex: Vertex, work: Work) -> None:
    """Free weights, threshold and excesses of the vertex from scratch: rounding adds up."""
    returns, weights, count = program.returns, vertex.weights, vertex.sizes[0]
    for place in range(count):
        weights[vertex.free[place]] = 0.0
    for place in range(count):
        total = 0.0
        for asset in range(len(weights)):
            total -= returns[vertex.tied[place], asset] * weights[asset]
        work.move[place] = total
    work.move[count] = program.budget - weights.sum()
    solve_transposed(work.matrix, work.order, count + 1, work.move)
    for place in range(count):
        weights[vertex.free[place]] = work.move[place]
    for row in range(len(returns)):
        total = -work.move[count]
        for asset in range(len(weights)):
            total -= returns[row, asset] * weights[asset]
        vertex.excess[row] = total


@compiled
def _price(program: Program, vertex: Vertex, work: Work) -> None:
    """Probabilities of the tied rows, the budget's price, and the gradient of each weight."""
    count, cap = vertex.sizes[0], program.cap
    for place in range(count):
        work.prices[place] = -cap * vertex.above[vertex.free[place]]
    work.prices[count] = 1.0 - cap * vertex.sizes[1]
    solve(work.matrix, work.order, count + 1, work.prices)
    for asset in range(len(work.gradient)):
        work.gradient[asset] = -cap * vertex.above[asset] - work.prices[count]
    for place in range(count):
        row = vertex.tied[place]
        for asset in range(len(work.gradient)):
            work.gradient[asset] -= work.prices[place] * program.returns[row, asset]


@compiled
def _steepest(program: Program, vertex: Vertex, work: Work) -> Edge:
    """Find the edge that falls most; its kind is NONE when none falls."""
    edge = Edge(NONE, NONE, 0.0, -TOLERANCE)
    for asset in range(len(vertex.weights)):
        if vertex.is_free[asset]:
            continue
        rate = work.gradient[asset]
        if rate < edge.slope and vertex.weights[asset] < program.upper[asset]:
            edge = Edge(ASSET, asset, 1.0, rate)
        if -rate < edge.slope and vertex.weights[asset] > program.lower[asset]:
            edge = Edge(ASSET, asset, -1.0, -rate)
    for place in range(vertex.sizes[0]):
        price = work.prices[place]
        if price < edge.slope:
            edge = Edge(ROW, place, -1.0, price)
        if program.cap - price < edge.slope:
            edge = Edge(ROW, place, 1.0, program.cap - price)
    return edge


@compiled
def _aim(program: Program, vertex: Vertex, work: Work, edge: Edge) -> None:
    """Moves of the free weights and the threshold along the edge, and changes of the excesses."""
    returns, count, move = program.returns, vertex.sizes[0], work.move
    move[: count + 1] = 0.0
    if edge.kind == ASSET:
        for place in range(count):
            move[place] = -edge.sign * returns[vertex.tied[place], edge.at]
        move[count] = -edge.sign
    else:
        move[edge.at] = -edge.sign
    solve_transposed(work.matrix, work.order, count + 1, move)
    for row in range(len(returns)):
        total = -move[count]
        for place in range(count):
            total -= returns[row, vertex.free[place]] * move[place]
        work.change[row] = total
    if edge.kind == ASSET:
        for row in range(len(returns)):
            work.change[row] -= edge.sign * returns[row, edge.at]


@compiled
def _bound_step(program: Program, vertex: Vertex, work: Work, edge: Edge) -> tuple[float, int]:
    """Longest step inside the box, and which place of `free` blocks it."""
    longest, blocker = np.inf, NONE
    if edge.kind == ASSET:
        longest = program.upper[edge.at] - program.lower[edge.at]
    for place in range(vertex.sizes[0]):
        asset, rate = vertex.free[place], work.move[place]
        if abs(rate) <= STILL:
            continue
        bound = program.lower[asset] if rate < 0.0 else program.upper[asset]
        step = max((bound - vertex.weights[asset]) / rate, 0.0)
        if step < longest:
            longest, blocker = step, place
    return longest, blocker


@compiled
def _crossings(vertex: Vertex, work: Work, longest: float) -> int:
    """Collect in `crossing` the rows that reach the threshold before `longest`; their number."""
    found = 0
    for row in range(len(vertex.excess)):
        rate, place = work.change[row], vertex.place[row]
        rises, falls = place == BELOW and rate > STILL, place == ABOVE and rate < -STILL
        if (rises or falls) and max(-vertex.excess[row] / rate, 0.0) < longest:
            work.crossing[found] = row
            found += 1
    return found


@compiled
def _row_step(
    program: Program, vertex: Vertex, work: Work, slope: float, longest: float
) -> tuple[float, int, int]:
    """Walk past rows until the slope turns: length, row that ties or NONE, and rows passed."""
    found = _crossings(vertex, work, longest)
    for passed in range(found):
        best, least = passed, np.inf
        for place in range(passed, found):
            row = work.crossing[place]
            step = max(-vertex.excess[row] / work.change[row], 0.0)
            if step < least:
                best, least = place, step
        row = work.crossing[best]
        work.crossing[best] = work.crossing[passed]
        work.crossing[passed] = row
        slope += program.cap * abs(work.change[row])
        if slope >= 0.0:
            return least, row, passed
    return longest, NONE, found


@compiled
def _put(program: Program, vertex: Vertex, row: int, place: int) -> None:
    """Move a row below, to or above the threshold."""
    shift = int(place == ABOVE) - int(vertex.place[row] == ABOVE)
    vertex.place[row] = place
    vertex.sizes[1] += shift
    if shift != 0:
        for asset in range(len(vertex.above)):
            vertex.above[asset] += shift * program.returns[row, asset]


@compiled
def _walk(program: Program, vertex: Vertex, work: Work, length: float, passed: int) -> None:
    """Take the step, and move the rows that it passes to the other side."""
    for place in range(vertex.sizes[0]):
        vertex.weights[vertex.free[place]] += length * work.move[place]
    for row in range(len(vertex.excess)):
        vertex.excess[row] += length * work.change[row]
    for place in range(passed):
        row = work.crossing[place]
        _put(program, vertex, row, ABOVE if vertex.place[row] == BELOW else BELOW)


@compiled
def _fix(program: Program, vertex: Vertex, work: Work, blocker: int) -> None:
    """Put the blocking free weight exactly at its bound."""
    asset = vertex.free[blocker]
    at_upper = work.move[blocker] > 0.0
    vertex.weights[asset] = program.upper[asset] if at_upper else program.lower[asset]
    vertex.is_free[asset] = False


@compiled
def _free_asset(
    program: Program, vertex: Vertex, work: Work, edge: Edge, ends: tuple[float, int, int]
) -> None:
    """End an asset's edge `ends` (length, blocking place, tying row): at a row, a bound, its own.

    Free weights and tied rows stay as many as each other.
    """
    (length, blocker, row), count = ends, vertex.sizes[0]
    vertex.weights[edge.at] += edge.sign * length
    if row == NONE and blocker == NONE:
        bound = program.upper if edge.sign > 0.0 else program.lower
        vertex.weights[edge.at] = bound[edge.at]
        return
    if row != NONE:
        _put(program, vertex, row, TIED)
        vertex.tied[count], vertex.free[count] = row, edge.at
        vertex.sizes[0] += 1
    else:
        _fix(program, vertex, work, blocker)
        vertex.free[blocker] = edge.at
    vertex.is_free[edge.at] = True


@compiled
def _free_row(
    program: Program, vertex: Vertex, work: Work, edge: Edge, ends: tuple[float, int, int]
) -> None:
    """End a row's edge: another row ties in its place, or a weight reaches its bound."""
    _, blocker, row = ends
    _put(program, vertex, vertex.tied[edge.at], ABOVE if edge.sign > 0.0 else BELOW)
    if row != NONE:
        _put(program, vertex, row, TIED)
        vertex.tied[edge.at] = row
        return
    _fix(program, vertex, work, blocker)
    vertex.sizes[0] -= 1
    vertex.free[blocker] = vertex.free[vertex.sizes[0]]
    vertex.tied[edge.at] = vertex.tied[vertex.sizes[0]]


@compiled
def _start(program: Program, vertex: Vertex, first: int) -> None:
    """Tie the row at the edge of the tail, and free the asset `first`."""
    returns = program.returns
    for row in range(len(returns)):
        for asset in range(len(vertex.weights)):
            vertex.excess[row] -= returns[row, asset] * vertex.weights[asset]
    ranking = np.argsort(-vertex.excess)
    whole = min(int(1.0 / program.cap), len(returns) - 1)
    threshold = vertex.excess[ranking[whole]]
    for place in range(len(returns)):
        vertex.excess[ranking[place]] -= threshold
        if place < whole:
            _put(program, vertex, ranking[place], ABOVE)
    _put(program, vertex, ranking[whole], TIED)
    vertex.tied[0], vertex.free[0], vertex.sizes[0] = ranking[whole], first, 1
    vertex.is_free[first] = True


@compiled
def _step(program: Program, vertex: Vertex, work: Work) -> int:
    """One pivot; CONVERGED when no edge falls, SINGULAR when the vertex cannot be solved for."""
    if not _factored(program, vertex, work):
        return SINGULAR
    _price(program, vertex, work)
    edge = _steepest(program, vertex, work)
    if edge.kind == NONE:
        return CONVERGED
    _aim(program, vertex, work, edge)
    longest, blocker = _bound_step(program, vertex, work, edge)
    length, row, passed = _row_step(program, vertex, work, edge.slope, longest)
    if length == np.inf:
        return SINGULAR
    _walk(program, vertex, work, length, passed)
    if edge.kind == ASSET:
        _free_asset(program, vertex, work, edge, (length, blocker, row))
    else:
        _free_row(program, vertex, work, edge, (length, blocker, row))
    return OUT_OF_STEPS


@compiled
def minimise_tail(
    program: Program, weights: Floats, first: int, max_steps: int
) -> tuple[int, int, Floats]:
    """Walk from the vertex `weights` (asset,) to the best one, in place.

    first : the asset that starts free; all others are at a bound. Gives status, steps, and the
    probabilities (time,) in [0, cap] of the dual, which sum to 1.
    """
    n_rows, n_assets = program.returns.shape
    size = min(n_rows, n_assets) + 2
    vertex = Vertex(
        weights,
        np.zeros(n_rows),
        np.zeros(n_rows, np.int8),
        np.zeros(n_assets),
        np.zeros(size, np.int64),
        np.zeros(n_assets, np.bool_),
        np.zeros(size, np.int64),
        np.zeros(2, np.int64),
    )
    work = Work(
        np.zeros((size, size)),
        np.zeros(size, np.int64),
        np.zeros(size),
        np.zeros(n_assets),
        np.zeros(size),
        np.zeros(n_rows),
        np.zeros(n_rows, np.int64),
    )
    _start(program, vertex, first)
    status, steps = OUT_OF_STEPS, 0
    while status == OUT_OF_STEPS and steps < max_steps and 0 < vertex.sizes[0] < size - 1:
        steps += 1
        status = _step(program, vertex, work)
        if steps % REFRESH == 0 and status == OUT_OF_STEPS and _factored(program, vertex, work):
            _settle(program, vertex, work)
    probabilities = np.zeros(n_rows)
    if status == CONVERGED:
        _settle(program, vertex, work)
        probabilities[vertex.place == ABOVE] = program.cap
        for place in range(vertex.sizes[0]):
            price = work.prices[place]
            probabilities[vertex.tied[place]] = min(max(price, 0.0), program.cap)
    return status, steps, probabilities


def warm_up() -> None:
    """Compile with the types that production uses."""
    returns = np.array([[0.5, -1.0], [-1.0, 0.5], [0.2, 0.1]])
    program = Program(returns, np.zeros(2), np.ones(2), 1.0, 1.0 / 1.5)
    minimise_tail(program, np.array([1.0, 0.0]), 0, 10)
