"""An optimizer of optimizers, fitted on what they would have earned."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError, SolverError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)
from quant_assets.quant.optimization.members import Offer, default_members, member

__all__ = ["Stacking"]

Floats = npt.NDArray[np.float64]
MIN_ROWS = 2


class Stacking(Optimizer):
    """Weights of `members` by the optimizer `outer`, from their returns out of sample.

    The rows are cut into `n_blocks + 1` blocks; for each but the first, members are fitted on all
    rows before it and earn its returns (Wolpert 1992, with the past only). `outer`, long only and
    summing to 1, weighs these streams; the answer is that mixture of the members fitted on all
    rows. A member that fails once is left out and named in the fallback. It fits every member
    `n_blocks + 1` times, so that it does not enter a tournament by default.
    Objective: what `outer` reached.
    """

    name: ClassVar[str] = "stacking"
    is_entrant: ClassVar[bool] = False
    has_members: ClassVar[bool] = True
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        constraints: Constraints = LONG_ONLY,
        members: tuple[str, ...] | None = None,
        outer: str = "minimum_variance",
        n_blocks: int = 4,
        risk_aversion: float = 5.0,
        periods_per_year: float = 252.0,
    ) -> None:
        super().__init__(constraints=constraints)
        self.members = members
        self.outer = outer
        self.n_blocks = n_blocks
        self.risk_aversion = risk_aversion
        self.periods_per_year = periods_per_year

    def _solve(self, problem: Problem) -> Solution:
        names = default_members() if self.members is None else self.members
        if not names or self.name in (*names, self.outer) or self.n_blocks < 1:
            raise ConfigError(
                f"{self.name} needs other optimizers and a block: members {list(names)}, outer "
                f"{self.outer!r}, n_blocks {self.n_blocks}"
            )
        cuts = np.linspace(0, len(problem.returns), self.n_blocks + 2).astype(np.int64)[1:]
        if cuts[0] < MIN_ROWS:
            raise DataError(
                f"{len(problem.returns)} rows in {self.n_blocks + 1} blocks leave members "
                f"{cuts[0]} rows; they need {MIN_ROWS}"
            )
        weights, streams, failed = self._backtests(problem, names, cuts)
        outer = member(self.outer, self._offer(LONG_ONLY)).fit(streams)
        report = outer.solver_report_
        return Solution(
            np.asarray(outer.weights_ @ weights),
            f"{self.outer} of {len(weights)}",
            objective=report.objective,
            iterations=report.iterations,
            fallback="without " + ", ".join(failed) if failed else report.fallback,
        )

    def _backtests(
        self, problem: Problem, names: tuple[str, ...], cuts: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, list[str]]:
        """Weights (member, asset) on all rows, out-of-sample returns (time, member), who failed."""
        weights, streams, failed = [], [], []
        for name in names:
            try:
                fits = [self._fitted(name, problem, int(cut)) for cut in cuts]
            except SolverError:
                failed.append(name)
                continue
            blocks = zip(cuts[:-1], cuts[1:], fits[:-1], strict=True)
            streams.append([problem.returns[a:b] @ w for a, b, w in blocks])
            weights.append(fits[-1])
        if not weights:
            raise SolverError(f"{self.name}: every member failed: {', '.join(failed)}")
        return np.array(weights), np.array([np.concatenate(s) for s in streams]).T, failed

    def _fitted(self, name: str, problem: Problem, n_rows: int) -> Floats:
        made = member(name, self._offer(self.constraints))
        rows = problem.returns[:n_rows]
        return made.fit(rows, expected_returns=problem.expected_returns).weights_

    def _offer(self, constraints: Constraints) -> Offer:
        return Offer(
            constraints, risk_aversion=self.risk_aversion, periods_per_year=self.periods_per_year
        )
