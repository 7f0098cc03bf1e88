"""Equal weights: the entrant that learns nothing and is hard to beat."""

from typing import ClassVar

import numpy as np

from quant_assets.quant.optimization.base import Optimizer, Problem, Solution

__all__ = ["EqualWeight"]


class EqualWeight(Optimizer):
    """The budget in equal parts (DeMiguel, Garlappi & Uppal 2009). Objective: largest weight."""

    name: ClassVar[str] = "equal_weight"
    keeps_constraints: ClassVar[bool] = False

    def _solve(self, problem: Problem) -> Solution:
        share = self.constraints.budget / problem.n_assets
        return Solution(np.full(problem.n_assets, share), "closed form", objective=share)
