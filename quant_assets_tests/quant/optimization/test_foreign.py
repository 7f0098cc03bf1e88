"""Estimators of other libraries as optimizers."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.foreign import ForeignOptimizer
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets_tests.quant.optimization.samples import market

HERE = __name__


class Tilted(BaseEstimator):
    """Everything but `rest` in the first asset."""

    def __init__(self, rest: float = 0.0) -> None:
        self.rest = rest

    def fit(self, X, y=None):  # noqa: N803 - scikit-learn's name
        n_assets = X.shape[1]
        self.weights_ = np.full(n_assets, self.rest / (n_assets - 1))
        self.weights_[0] = 1 - self.rest
        return self


class Broken(Tilted):
    def fit(self, X, y=None):  # noqa: N803 - scikit-learn's name
        raise ZeroDivisionError("no luck")


class Short(Tilted):
    def fit(self, X, y=None):  # noqa: N803 - scikit-learn's name
        self.weights_ = np.ones(1)
        return self


def test_foreign_estimator_learns_with_its_parameters():
    fitted = ForeignOptimizer(
        import_path=f"{HERE}.Tilted",
        parameters={"rest": 0.4},
        constraints=Constraints(budget=0.5, upper=0.2),
    ).fit(market(20, 3))
    np.testing.assert_allclose(fitted.weights_, [0.3, 0.1, 0.1])
    assert fitted.solver_report_.solver == f"{HERE}.Tilted"
    assert fitted.solver_report_.residual == pytest.approx(0.1)
    assert np.isnan(fitted.solver_report_.objective)


def test_foreign_optimizer_clones():
    optimizer = ForeignOptimizer(import_path=f"{HERE}.Tilted", parameters={"rest": 0.4})
    assert clone(optimizer).get_params() == optimizer.get_params()


@pytest.mark.slow
def test_foreign_skfolio_minimum_variance_agrees_with_ours():
    returns = market(250, 6)
    theirs = ForeignOptimizer(
        import_path="skfolio.optimization.MeanRisk", parameters={"max_weights": 0.3}
    ).fit(returns)
    ours = MinimumVariance(constraints=Constraints(upper=0.3), covariance="sample").fit(returns)
    np.testing.assert_allclose(theirs.weights_, ours.weights_, atol=1e-4)


@pytest.mark.parametrize(
    ("path", "parameters", "message"),
    [
        ("MeanRisk", {}, "give package.module.Class"),
        ("no_such_package.Thing", {}, "cannot be imported: No module named 'no_such_package'"),
        ("sklearn.base.NoSuch", {}, "cannot be imported"),
        ("numpy.linalg.solve", {}, "is not an estimator"),
        ("collections.OrderedDict", {}, "is not an estimator"),
        (f"{HERE}.Tilted", {"luck": 1}, "does not take {'luck': 1}"),
        ("sklearn.preprocessing.StandardScaler", {}, "learned no weights_"),
    ],
)
def test_foreign_what_is_no_estimator_of_weights_is_refused(path, parameters, message):
    with pytest.raises(ConfigError, match=message):
        ForeignOptimizer(import_path=path, parameters=parameters).fit(market(20, 3))


def test_foreign_failure_and_weights_of_another_shape_are_solver_errors():
    with pytest.raises(SolverError, match="failed to fit: ZeroDivisionError: no luck"):
        ForeignOptimizer(import_path=f"{HERE}.Broken").fit(market(20, 3))
    with pytest.raises(SolverError, match=r"weights of shape \(1,\) for 3 assets"):
        ForeignOptimizer(import_path=f"{HERE}.Short").fit(market(20, 3))
