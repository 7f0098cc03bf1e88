"""Hierarchical risk parity."""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.core.lazy import Deferred
from quant_assets.quant.moments.clustering import correlation_distance
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.moments.rows import gram
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)

__all__ = ["HierarchicalRiskParity"]

if TYPE_CHECKING:
    from quant_assets.quant.optimization.solvers import tree_kernel
else:
    tree_kernel = Deferred("quant_assets.quant.optimization.solvers.tree_kernel")

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Distance = Literal["of_distances", "of_correlations"]


class HierarchicalRiskParity(Optimizer):
    """Risk split down a tree of similar assets (Lopez de Prado 2016).

    Distance `d_ij = sqrt((1 - rho_ij) / 2)`, tree by single linkage on the Euclidean distance of
    d's columns (`of_distances`, the paper's), or on d itself (`of_correlations`), leaves in the
    tree's order, bisection by halves, inverse variance inside a half. The paper's answer depends on
    the order of the columns; here they are first sorted by falling variance, so that a permutation
    of the assets only permutes the weights.
    Objective: variance per period. Weights are positive and sum to the budget.
    """

    name: ClassVar[str] = "hierarchical_risk_parity"
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        covariance: Estimator = "ledoit_wolf",
        distance: Distance = "of_distances",
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance
        self.distance = distance

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        variance = np.diag(covariance)
        if not (variance > 0).all():
            raise SolverError(
                f"asset {int(variance.argmin())} has variance {variance.min():g} and no "
                "correlation. Drop constant assets, or shrink the covariance."
            )
        by_variance = np.argsort(-variance, kind="stable").astype(np.int64)
        leaves = by_variance[leaf_order(covariance, by_variance, distance=self.distance)]
        weights = self.constraints.budget * tree_kernel.bisect(covariance, leaves)
        return Solution(
            weights, "recursive bisection", objective=float(weights @ covariance @ weights)
        )


def leaf_order(
    covariance: Floats, order: Places | None = None, *, distance: Distance = "of_distances"
) -> Places:
    """Leaves of the single-linkage tree from left to right, as places in `order`.

    `order` (asset,) is the sequence in which ties are broken: the columns' own without one.
    """
    points = correlation_distance(to_correlation(covariance)[0])
    sequence = np.arange(len(points)) if order is None else order
    if distance == "of_correlations":
        edges = tree_kernel.spanning_tree(points, sequence)
    elif distance == "of_distances":
        edges = _tree_of_distances(points, sequence)
    else:
        raise ConfigError(f"distance is {distance!r}; give 'of_distances' or 'of_correlations'")
    places: Places = tree_kernel.single_linkage_leaves(*edges)
    return places


def _tree_of_distances(points: Floats, sequence: Places) -> tuple[Places, Places, Floats]:
    """Shortest tree of the Euclidean distances between the columns of `points`.

    All distances come from one matrix product; those of the tree's edges are measured again, so
    that its rounding does not change the order of the merges.
    """
    product = gram(points)
    norms = np.diag(product)
    first, second, _ = tree_kernel.spanning_tree(norms + norms[:, None] - 2.0 * product, sequence)
    apart = points[sequence[first]] - points[sequence[second]]
    return first, second, np.einsum("ij,ij->i", apart, apart)
