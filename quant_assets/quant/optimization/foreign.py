"""Estimators of other libraries as optimizers: skfolio's, or any that learns `weights_`."""

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.optimization.base import (
    LONG_ONLY,
    Constraints,
    Optimizer,
    Problem,
    Solution,
)

__all__ = ["ForeignOptimizer"]


class ForeignOptimizer(Optimizer):
    """The estimator class at `import_path`, made with `parameters` and fitted on the returns.

    It speaks scikit-learn's protocol: `fit(returns)`, `get_params`, and after fitting `weights_`
    (asset,), fractions of the budget. Its own parameters carry its constraints; box and gross here
    only show in the report's residual and are left to hardening. Expected returns are its own.
    Anything that is not such a class is a `ConfigError`, an error while it fits a `SolverError`.
    Objective: NaN, because it is not known.
    """

    name: ClassVar[str] = "foreign"
    is_entrant: ClassVar[bool] = False
    keeps_constraints: ClassVar[bool] = False

    def __init__(
        self,
        *,
        import_path: str,
        parameters: Mapping[str, Any] | None = None,
        constraints: Constraints = LONG_ONLY,
    ) -> None:
        super().__init__(constraints=constraints)
        self.import_path = import_path
        self.parameters = parameters

    def _solve(self, problem: Problem) -> Solution:
        estimator = estimator_of(self.import_path, self.parameters or {})
        try:
            estimator.fit(problem.returns)
        except Exception as cause:  # a boundary: foreign code raises what it likes
            raise SolverError(
                f"{self.import_path} failed to fit: {type(cause).__name__}: {cause}"
            ) from cause
        learned = getattr(estimator, "weights_", None)
        if learned is None:
            raise ConfigError(
                f"{self.import_path} learned no weights_: it is an estimator, but no optimizer of "
                "portfolios"
            )
        weights = np.asarray(learned, dtype=np.float64)
        if weights.shape != (problem.n_assets,):
            raise SolverError(
                f"{self.import_path} learned weights of shape {weights.shape} for "
                f"{problem.n_assets} assets"
            )
        return Solution(self.constraints.budget * weights, self.import_path, objective=float("nan"))


def estimator_of(import_path: str, parameters: Mapping[str, Any]) -> Any:
    """Unfitted estimator, for example `skfolio.optimization.MeanRisk` with its parameters."""
    module, _, attribute = import_path.rpartition(".")
    if not module:
        raise ConfigError(f"import_path is {import_path!r}; give package.module.Class")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as cause:
        raise ConfigError(f"import_path {import_path!r} cannot be imported: {cause}") from cause
    if not isinstance(kind, type) or not all(hasattr(kind, m) for m in ("fit", "get_params")):
        raise ConfigError(
            f"{import_path} is not an estimator: scikit-learn's protocol is a class with fit and "
            "get_params"
        )
    try:
        return kind(**parameters)
    except TypeError as cause:
        raise ConfigError(f"{import_path} does not take {dict(parameters)}: {cause}") from cause
