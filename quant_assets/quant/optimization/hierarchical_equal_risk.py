"""Hierarchical equal risk contribution."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.moments.clustering import Labels, correlation_distance, silhouette
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)

__all__ = ["HierarchicalEqualRisk"]

Floats = npt.NDArray[np.float64]
Linkage = Literal["single", "complete", "average", "ward"]
MAX_CLUSTERS = 10


class HierarchicalEqualRisk(Optimizer):
    """Risk split down a tree to its clusters, and by inverse variance inside them (Raffinot 2018).

    Distance `sqrt((1 - rho) / 2)`. At every fork above the clusters a side gets the other one's
    share of the sum of cluster variances, a cluster's variance being that of its inverse-variance
    portfolio. `n_clusters` None takes the number, up to 10, of the largest mean silhouette; one
    cluster is the inverse-variance portfolio. Objective: variance per period.
    """

    name: ClassVar[str] = "hierarchical_equal_risk"
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        covariance: Estimator = "ledoit_wolf",
        linkage: Linkage = "ward",
        n_clusters: int | None = None,
    ) -> None:
        super().__init__(constraints=constraints)
        self.covariance = covariance
        self.linkage = linkage
        self.n_clusters = n_clusters

    def _solve(self, problem: Problem) -> Solution:
        if self.n_clusters is not None and not 1 <= self.n_clusters <= problem.n_assets:
            raise ConfigError(
                f"n_clusters is {self.n_clusters}; give 1 to {problem.n_assets}, the assets"
            )
        covariance = problem.covariance(self.covariance)
        variance = np.diag(covariance)
        if not (variance > 0).all():
            raise SolverError(
                f"asset {int(variance.argmin())} has variance {variance.min():g} and no "
                "correlation. Drop constant assets, or shrink the covariance."
            )
        weights = self.constraints.budget * self._shares(covariance)
        return Solution(
            weights, "recursive bisection", objective=float(weights @ covariance @ weights)
        )

    def _shares(self, covariance: Floats) -> Floats:
        """Weights summing to 1."""
        n_assets = len(covariance)
        tree, labels = np.empty((0, 4)), np.ones(n_assets, dtype=np.int64)
        if n_assets > 1:
            tree, labels = self._clusters(correlation_distance(to_correlation(covariance)[0]))
        shares: Floats = 1.0 / np.diag(covariance)
        shares /= np.bincount(labels, weights=shares)[labels]
        # w'Sw within each cluster
        together = np.where(labels[:, None] == labels, covariance, 0.0)
        inside: Floats = shares * (together @ shares)
        risks = np.asarray(np.bincount(labels, weights=inside), dtype=np.float64)
        return np.asarray(shares * cluster_shares(tree, labels, risks)[labels])

    def _clusters(self, distance: Floats) -> tuple[Floats, Labels]:
        """Tree in scipy's form, and labels 1.. of the assets."""
        from scipy.cluster.hierarchy import fcluster, linkage

        tree = linkage(distance[np.triu_indices(len(distance), 1)], method=self.linkage)
        if self.n_clusters is not None:
            return tree, fcluster(tree, self.n_clusters, "maxclust").astype(np.int64)
        best, best_score = np.ones(len(distance), dtype=np.int64), 0.0
        for count in range(2, min(MAX_CLUSTERS, len(distance) - 1) + 1):
            labels = fcluster(tree, count, "maxclust").astype(np.int64)
            score = silhouette(distance, labels) if labels.max() > 1 else 0.0
            if score > best_score + 1e-9:
                best, best_score = labels, score
        return tree, best


def cluster_shares(tree: Floats, labels: Labels, risks: Floats) -> Floats:
    """Share of each cluster (label,), down the `tree` in scipy's form; `risks` (label,)."""
    n_assets = len(labels)
    n_nodes = n_assets + len(tree)
    children = tree[:, :2].astype(np.int64)
    first, last = np.empty((2, n_nodes), dtype=np.int64)
    first[:n_assets] = last[:n_assets] = labels
    total = np.empty(n_nodes)
    total[:n_assets] = risks[labels]
    for node, (left, right) in enumerate(children, start=n_assets):
        first[node], last[node] = min(first[left], first[right]), max(last[left], last[right])
        apart = first[node] != last[node]
        total[node] = total[left] + total[right] if apart else total[left]
    shares = np.zeros(len(risks))
    share = np.zeros(n_nodes)
    share[n_nodes - 1] = 1.0
    for node in range(n_nodes - 1, -1, -1):
        if share[node] > 0.0 and first[node] == last[node]:
            shares[first[node]] = share[node]
        elif share[node] > 0.0:
            left, right = children[node - n_assets]
            share[left] = share[node] * total[right] / (total[left] + total[right])
            share[right] = share[node] - share[left]
    return shares
