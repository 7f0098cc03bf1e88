"""The optimizers' common behaviour: parameters, validation, reports."""

import numpy as np
import pytest
from sklearn.base import clone

from quant_assets.core.errors import ConfigError, DataError, SolverError
from quant_assets.quant.optimization.base import (
    Constraints,
    Optimizer,
    Problem,
    Solution,
    SolverReport,
)
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets_tests.quant.optimization.samples import market


def test_get_params_mean_variance_lists_the_constructor():
    optimizer = MeanVariance(constraints=Constraints(upper=0.3), risk_aversion=2.0)
    assert optimizer.get_params() == {
        "constraints": Constraints(upper=0.3),
        "covariance": "ledoit_wolf",
        "periods_per_year": 252.0,
        "risk_aversion": 2.0,
    }


def test_set_params_known_name_changes_and_returns_self():
    optimizer = MeanVariance()
    assert optimizer.set_params(risk_aversion=9.0) is optimizer
    assert optimizer.risk_aversion == 9.0


def test_set_params_unknown_name_lists_the_known():
    with pytest.raises(ConfigError, match=r"no \['gamma'\].*risk_aversion"):
        MeanVariance().set_params(gamma=1.0)


def test_clone_fitted_optimizer_is_unfitted_and_equal():
    fitted = MaximumSharpe(constraints=Constraints(upper=0.5)).fit(market(80, 4))
    copy = clone(fitted)
    assert type(copy) is MaximumSharpe
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "weights_")


def test_repr_equal_weight_shows_the_parameters():
    assert repr(EqualWeight()).startswith("EqualWeight(constraints=Constraints(budget=1.0")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_fit_unusable_return_names_its_place(bad):
    returns = market(10, 3)
    returns[4, 2] = bad
    with pytest.raises(DataError, match=r"returns\[4, 2\]"):
        EqualWeight().fit(returns)


@pytest.mark.parametrize("shape", [(10,), (1, 3), (10, 0)])
def test_fit_wrong_shape_is_refused(shape):
    with pytest.raises(DataError, match="found shape"):
        EqualWeight().fit(np.zeros(shape))


def test_fit_expected_returns_of_wrong_length_are_refused():
    with pytest.raises(DataError, match="must be 3 finite numbers"):
        MeanVariance().fit(market(10, 3), expected_returns=[0.1, 0.2])


def test_solver_report_differs_only_in_seconds_is_equal():
    first = EqualWeight().fit(market(10, 3)).solver_report_
    second = EqualWeight().fit(market(10, 3)).solver_report_
    assert first == second
    assert isinstance(first, SolverReport)
    assert first.seconds > 0


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(upper=0.2), r"3 assets x upper 0.2 = 0.6 < budget 1"),
        (Constraints(lower=0.4), r"3 assets x lower 0.4 = 1.2 > budget 1"),
        (Constraints(lower=0.3, upper=0.2), r"lower 0.3 > upper 0.2"),
        (Constraints(max_gross=0.9), r"budget 1\| > max_gross 0.9"),
    ],
)
def test_fit_infeasible_constraints_are_named_with_numbers(constraints, message):
    with pytest.raises(SolverError, match=message):
        EqualWeight(constraints=constraints).fit(market(10, 3))


class Careless(Optimizer):
    """Answers with whatever it was given."""

    name = "careless"
    answer = np.array([0.9, 0.2])

    def _solve(self, problem: Problem) -> Solution:
        return Solution(self.answer, "none", objective=0.0)


def test_fit_answer_outside_the_box_is_told_in_the_residual():
    constraints = Constraints(upper=0.5)
    report = Careless(constraints=constraints).fit(market(10, 2)).solver_report_
    assert report.residual == pytest.approx(0.4)  # 0.9 against 0.5; the budget misses by 0.1


def test_fit_answer_that_is_not_finite_is_an_error():
    class Broken(Careless):
        name = "broken"
        answer = np.array([np.nan, 1.0])

    with pytest.raises(SolverError, match="broken: none gave weights"):
        Broken().fit(market(10, 2))


def test_fit_linear_algebra_error_becomes_a_solver_error():
    class Singular(Careless):
        name = "singular"

        def _solve(self, problem: Problem) -> Solution:
            np.linalg.inv(np.zeros((2, 2)))
            return super()._solve(problem)

    with pytest.raises(SolverError, match="singular: Singular matrix"):
        Singular().fit(market(10, 2))


def test_constraints_violation_takes_the_largest():
    constraints = Constraints(lower=-0.1, upper=0.5, max_gross=1.0)
    assert constraints.violation(np.array([0.5, 0.5])) == 0.0
    assert constraints.violation(np.array([0.7, 0.5, -0.2])) == pytest.approx(0.4)  # gross 1.4
