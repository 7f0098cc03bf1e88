"""Hierarchical risk parity."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)

Floats = npt.NDArray[np.float64]


class HierarchicalRiskParity(Optimizer):
    """Risk split down a tree of similar assets (Lopez de Prado 2016).

    Distance `d_ij = sqrt((1 - rho_ij) / 2)`, tree by single linkage on the Euclidean distance of
    d's columns, leaves in the tree's order, bisection by halves, inverse variance inside a half.
    The paper's answer depends on the order of the columns; here they are first sorted by falling
    variance, so that a permutation of the assets only permutes the weights.
    Objective: variance per period. Weights are positive and sum to the budget.
    """

    name: ClassVar[str] = "hierarchical_risk_parity"

    def __init__(
        self, *, constraints: Constraints = LONG_ONLY, covariance: str = "ledoit_wolf"
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        variance = np.diag(covariance)
        if not (variance > 0).all():
            raise SolverError(
                f"asset {int(variance.argmin())} has variance {variance.min():g} and no "
                "correlation. Drop constant assets, or shrink the covariance."
            )
        by_variance = np.argsort(-variance, kind="stable")
        ordered = covariance[np.ix_(by_variance, by_variance)]
        leaves = by_variance[leaf_order(ordered)]
        weights = np.empty(len(variance))
        weights[leaves] = self.constraints.budget * bisect(covariance[np.ix_(leaves, leaves)])
        return Solution(
            weights, "recursive bisection", objective=float(weights @ covariance @ weights)
        )


def leaf_order(covariance: Floats) -> npt.NDArray[np.intp]:
    """Leaves of the single-linkage tree from left to right, as indices of the columns."""
    if len(covariance) == 1:
        return np.zeros(1, dtype=np.intp)
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    volatility = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(volatility, volatility)
    distance = np.sqrt(np.clip((1.0 - correlation) / 2.0, 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    return np.asarray(leaves_list(linkage(pdist(distance), method="single")), dtype=np.intp)


def bisect(covariance: Floats) -> Floats:
    """Weights summing to 1 by halving the columns again and again; columns in leaf order."""
    variance = np.diag(covariance)
    weights = np.ones(len(variance))
    pending = [(0, len(variance))]
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        middle = first + (last - first) // 2
        left, right = slice(first, middle), slice(middle, last)
        risk_left, risk_right = (_half_variance(covariance, half) for half in (left, right))
        share = 1.0 - risk_left / (risk_left + risk_right)
        weights[left] *= share
        weights[right] *= 1.0 - share
        pending += [(first, middle), (middle, last)]
    return weights


def _half_variance(covariance: Floats, half: slice) -> float:
    """Variance of the inverse-variance portfolio of one half."""
    block = covariance[half, half]
    inverse = 1.0 / np.diag(block)
    inverse /= inverse.sum()
    return float(inverse @ block @ inverse)
