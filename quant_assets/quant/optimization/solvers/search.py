"""Branch and bound: the best weights of a box that also keep discrete rules, with a proof.

Best first (Land & Doig 1960): the part of the box with the lowest bound is split next, so that what
is left in the end cannot hold anything better than the answer.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.solvers.rule import DiscreteRule, Node

__all__ = ["Found", "Relaxed", "search"]

Floats = npt.NDArray[np.float64]
MAX_NODES = 20_000
PROVEN_GAP = 1e-7


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The best weights (asset,) of a part without the discrete rules, and their objective."""

    weights: Floats
    value: float
    solver: str


@dataclass(frozen=True, eq=False)
class Found:
    """The best weights, the number of parts looked at, and the proven relative gap."""

    relaxed: Relaxed
    nodes: int
    gap: float


def search(
    relax: Callable[[Node], Relaxed | None], root: Node, rules: Sequence[DiscreteRule]
) -> Found | None:
    """Minimise over the parts of `root`; None when none of them keeps the rules.

    `relax` returns None for an empty part. More than 20,000 parts are a `SolverError`, which tells
    the gap that was reached.
    """
    best: Relaxed | None = None
    pending: list[tuple[float, int, Node, Relaxed]] = []
    nodes = 0
    bound = -np.inf
    children = [root]
    while True:
        for child in children:
            nodes += 1
            relaxed = None if child.is_empty else relax(child)
            if relaxed is None or (best is not None and relaxed.value >= best.value):
                continue
            heapq.heappush(pending, (relaxed.value, nodes, child, relaxed))
            if all(not rule.split(relaxed.weights, child) for rule in rules):
                best = relaxed
        if not pending:
            break
        bound, _, node, relaxed = heapq.heappop(pending)
        if best is not None and _gap(best, bound) <= PROVEN_GAP:
            break
        if nodes > MAX_NODES:
            names = " and ".join(rule.name for rule in rules)
            reached = (
                "no weights that keep them" if best is None else f"gap {_gap(best, bound):.2g}"
            )
            raise SolverError(
                f"{names}: {reached} after {nodes} parts of the box. Fewer assets, or looser rules."
            )
        children = next(parts for rule in rules if (parts := rule.split(relaxed.weights, node)))
    if best is None:
        return None
    gap = max(_gap(best, bound), 0.0) if pending else 0.0
    for rule in rules:
        best = Relaxed(rule.rounded(best.weights), best.value, best.solver)
    return Found(best, nodes, gap)


def _gap(best: Relaxed, bound: float) -> float:
    return (best.value - bound) / abs(best.value) if best.value != 0 else best.value - bound
