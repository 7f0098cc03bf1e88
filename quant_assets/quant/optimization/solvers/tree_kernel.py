"""Single-linkage trees and recursive bisection, compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["bisect", "single_linkage_leaves", "spanning_tree", "warm_up"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))


@compiled
def spanning_tree(distances: Floats, order: Places) -> tuple[Places, Places, Floats]:
    """Shortest tree by Prim's algorithm on `distances` (asset, asset), assets taken in `order`.

    Gives its edges as they are added: places in `order` of both ends, and lengths, (asset - 1,).
    """
    n_items = len(order)
    first, second = np.empty(n_items - 1, np.int64), np.empty(n_items - 1, np.int64)
    length = np.empty(n_items - 1)
    nearest = np.full(n_items, np.inf)
    link = np.zeros(n_items, np.int64)
    open_items = np.arange(1, n_items)
    current, n_open = 0, n_items - 1
    for edge in range(n_items - 1):
        row = distances[order[current]]
        best, chosen = np.inf, 0
        for place in range(n_open):
            item = open_items[place]
            distance = row[order[item]]
            if distance < nearest[item]:
                nearest[item] = distance
                link[item] = current
            if nearest[item] < best:
                best, chosen = nearest[item], place
        item = open_items[chosen]
        first[edge], second[edge], length[edge] = link[item], item, nearest[item]
        for place in range(chosen, n_open - 1):
            open_items[place] = open_items[place + 1]
        n_open -= 1
        current = item
    return first, second, length


@compiled
def _root(above: Places, item: int) -> int:
    """Top of the tree of `item`; the path to it is halved."""
    while above[item] != item:
        above[item] = above[above[item]]
        item = above[item]
    return item


@compiled
def single_linkage_leaves(first: Places, second: Places, length: Floats) -> Places:
    """Leaves of the single-linkage tree from left to right, from the edges of `spanning_tree`.

    Of a merge the cluster that was formed first stands left, as in scipy.
    """
    n_edges = len(length)
    n_items = n_edges + 1
    above = np.arange(2 * n_items - 1)
    left, right = np.empty(n_edges, np.int64), np.empty(n_edges, np.int64)
    for step, edge in enumerate(np.argsort(length, kind="mergesort")):
        one, other = _root(above, first[edge]), _root(above, second[edge])
        left[step], right[step] = min(one, other), max(one, other)
        above[one] = above[other] = n_items + step
    leaves = np.empty(n_items, np.int64)
    pending = np.empty(n_items + 1, np.int64)
    pending[0], n_pending, found = 2 * n_items - 2, 1, 0
    while n_pending > 0:
        n_pending -= 1
        node = pending[n_pending]
        if node < n_items:
            leaves[found] = node
            found += 1
        else:
            pending[n_pending] = right[node - n_items]
            pending[n_pending + 1] = left[node - n_items]
            n_pending += 2
    return leaves


@compiled
def _half_variance(covariance: Floats, leaves: Places, first: int, last: int) -> float:
    """Variance of the inverse-variance portfolio of the leaves first..last-1."""
    total, risk = 0.0, 0.0
    for place in range(first, last):
        total += 1.0 / covariance[leaves[place], leaves[place]]
    for place in range(first, last):
        asset = leaves[place]
        row = covariance[asset]
        mixed = 0.0
        for other in range(first, place):
            mixed += row[leaves[other]] / covariance[leaves[other], leaves[other]]
        risk += (2.0 * mixed + 1.0) / row[asset]
    return risk / total / total


@compiled
def bisect(covariance: Floats, leaves: Places) -> Floats:
    """Weights (asset,) summing to 1 by halving `leaves` again and again."""
    n_items = len(leaves)
    weights = np.ones(n_items)
    starts, ends = np.empty(n_items + 1, np.int64), np.empty(n_items + 1, np.int64)
    starts[0], ends[0], n_pending = 0, n_items, 1
    while n_pending > 0:
        n_pending -= 1
        first, last = starts[n_pending], ends[n_pending]
        if last - first < 2:
            continue
        middle = first + (last - first) // 2
        left = _half_variance(covariance, leaves, first, middle)
        right = _half_variance(covariance, leaves, middle, last)
        share = 1.0 - left / (left + right)
        for place in range(first, middle):
            weights[leaves[place]] *= share
        for place in range(middle, last):
            weights[leaves[place]] *= 1.0 - share
        starts[n_pending], ends[n_pending] = first, middle
        starts[n_pending + 1], ends[n_pending + 1] = middle, last
        n_pending += 2
    return weights


def warm_up() -> None:
    """Compile with the types that production uses."""
    order = np.arange(3)
    single_linkage_leaves(*spanning_tree(np.ones((3, 3)), order))
    bisect(np.eye(3), order)
