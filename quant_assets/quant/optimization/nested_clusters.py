"""Nested clustered optimisation."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.quant.moments.clustering import hierarchical_labels
from quant_assets.quant.moments.covariance import Estimator
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.members import Offer, member

__all__ = ["NestedClusters"]

Floats = npt.NDArray[np.float64]


class NestedClusters(Optimizer):
    """Best weights inside clusters, then best weights of the clusters (Lopez de Prado 2019).

    Clusters are those of `moments.clustering.hierarchical_labels`, at most `max_clusters`. `inner`
    and `outer` name optimizers; both work long only on blocks of one covariance, which is what
    keeps the noise of one cluster out of the others. Objective: variance per period.
    """

    name: ClassVar[str] = "nested_clusters"
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        inner: str = "minimum_variance",
        outer: str = "minimum_variance",
        covariance: Estimator = "ledoit_wolf",
        max_clusters: int = 10,
    ) -> None:
        super().__init__(constraints=constraints)
        self.inner = inner
        self.outer = outer
        self.covariance = covariance
        self.max_clusters = max_clusters

    def _solve(self, problem: Problem) -> Solution:
        covariance = problem.covariance(self.covariance)
        labels = hierarchical_labels(to_correlation(covariance)[0], self.max_clusters)
        inside = np.zeros((problem.n_assets, int(labels.max())))
        steps = 0
        for cluster in range(inside.shape[1]):
            places = np.flatnonzero(labels == cluster + 1)
            block = covariance[np.ix_(places, places)]
            part = _part(problem, places)
            fitted = _fitted(self.inner, block, part)
            inside[places, cluster] = fitted.weights_
            steps += fitted.solver_report_.iterations
        outer = _fitted(self.outer, inside.T @ covariance @ inside, _streams(problem, inside))
        weights = self.constraints.budget * (inside @ outer.weights_)
        return Solution(
            weights,
            f"{self.inner} in {self.outer}",
            objective=float(weights @ covariance @ weights),
            iterations=steps + outer.solver_report_.iterations,
        )


def _part(problem: Problem, places: npt.NDArray[np.intp]) -> Problem:
    expected = problem.expected_returns
    return Problem(problem.returns[:, places], None if expected is None else expected[places])


def _streams(problem: Problem, inside: Floats) -> Problem:
    expected = problem.expected_returns
    return Problem(problem.returns @ inside, None if expected is None else expected @ inside)


def _fitted(name: str, covariance: Floats, problem: Problem) -> Optimizer:
    symmetric = (covariance + covariance.T) * 0.5
    made = member(name, Offer(LONG_ONLY, covariance=GivenCovariance(symmetric)))
    return made.fit(problem.returns, expected_returns=problem.expected_returns)
