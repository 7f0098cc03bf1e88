"""The portfolio that follows a benchmark most closely inside the constraints."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariances.given import GivenCovariance
from quant_assets.quant.moments.rows import gram
from quant_assets.quant.optimization.base import Optimizer, Problem, Solution
from quant_assets.quant.optimization.delegation import answer_of
from quant_assets.quant.optimization.mean_variance import MeanVariance

__all__ = ["BenchmarkTracking"]


class BenchmarkTracking(Optimizer):
    """Minimise the variance of `R w - b`, b the benchmark's returns (Roll 1992).

    Needs `benchmark` in `fit`. Sample moments (ddof 1): the rows are the ones to be followed.
    Objective: the tracking error, a volatility per period.
    """

    name: ClassVar[str] = "benchmark_tracking"
    is_entrant: ClassVar[bool] = False
    keeps_rules: ClassVar[bool] = MeanVariance.keeps_rules
    needs: ClassVar[tuple[str, ...]] = ("benchmark",)

    def _solve(self, problem: Problem) -> Solution:
        benchmark = np.asarray(problem.benchmark, dtype=np.float64)
        freedom = len(benchmark) - 1
        centred = problem.returns - problem.returns.mean(axis=0)
        together = (benchmark - benchmark.mean()) @ centred / freedom
        # w'Sw - 2 c'w in the form of a utility: twice c'w - w'Sw/2, with the sign turned
        inner = MeanVariance(
            constraints=self.constraints,
            risk_aversion=1.0,
            periods_per_year=1.0,
            covariance=GivenCovariance(gram(centred) / freedom),
        ).fit(problem.returns, expected_returns=together)
        apart = problem.returns @ inner.weights_ - benchmark
        return answer_of(inner, objective=float(apart.std(ddof=1)))
