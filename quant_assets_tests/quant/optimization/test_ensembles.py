"""Optimizers that are made of others: the average of entrants, and stacking."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError, SolverError
from quant_assets.quant.optimization.average_of_entrants import AverageOfEntrants
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.members import default_members
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.stacking import Stacking
from quant_assets_tests.quant.optimization.samples import market


def test_average_is_the_mean_of_its_members():
    returns, box = market(120, 5), Constraints(upper=0.4)
    fitted = AverageOfEntrants(members=("equal_weight", "minimum_variance"), constraints=box)
    expected = (MinimumVariance(constraints=box).fit(returns).weights_ + 0.2) / 2
    np.testing.assert_allclose(fitted.fit(returns).weights_, expected, atol=1e-15)
    assert fitted.solver_report_.solver == "mean of 2"


def test_average_parameters_and_expected_returns_reach_the_members():
    returns, alpha = market(120, 4), [0.5, 0.1, 0.1, 0.0]
    mean = AverageOfEntrants(members=("mean_variance",), risk_aversion=1.5).fit(
        returns, expected_returns=alpha
    )
    expected = MeanVariance(risk_aversion=1.5).fit(returns, expected_returns=alpha)
    np.testing.assert_array_equal(mean.weights_, expected.weights_)
    tail = AverageOfEntrants(members=("minimum_cvar",), level=0.8).fit(returns)
    np.testing.assert_array_equal(tail.weights_, MinimumCVaR(level=0.8).fit(returns).weights_)


def test_average_of_all_entrants_takes_everyone_but_itself():
    fitted = AverageOfEntrants().fit(market(100, 4), expected_returns=[0.1] * 4)
    assert fitted.solver_report_.solver == f"mean of {len(default_members())}"
    assert {"equal_weight", "kelly", "nested_clusters"} <= set(default_members())
    assert not {"average_of_entrants", "stacking", "minimum_cdar"} & set(default_members())
    assert fitted.solver_report_.fallback == ""


def test_average_member_that_fails_is_left_out_and_named():
    members = ("equal_weight", "maximum_sharpe")
    fitted = AverageOfEntrants(members=members).fit(market(80, 3), expected_returns=[-0.1] * 3)
    np.testing.assert_allclose(fitted.weights_, 1 / 3)
    assert fitted.solver_report_.fallback == "without maximum_sharpe"
    with pytest.raises(SolverError, match="every member failed: maximum_sharpe"):
        AverageOfEntrants(members=members[1:]).fit(market(80, 3), expected_returns=[-0.1] * 3)


def test_average_takes_fitted_members_with_equal_parameters_only():
    returns, members = market(120, 4), ("equal_weight", "mean_variance", "minimum_variance")
    box = Constraints(upper=0.5)
    alone = AverageOfEntrants(members=members, constraints=box).fit(returns)
    known = {
        "mean_variance": MeanVariance(risk_aversion=1.0, constraints=box).fit(returns),
        "minimum_variance": MinimumVariance(constraints=box).fit(returns),
    }
    sharing = AverageOfEntrants(members=members, constraints=box).knowing(known).fit(returns)
    np.testing.assert_array_equal(sharing.weights_, alone.weights_)
    assert sharing.solver_report_ == alone.solver_report_
    known["minimum_variance"].weights_ = np.array([1.0, 0.0, 0.0, 0.0])  # shows that it is read
    marked = AverageOfEntrants(members=members, constraints=box).knowing(known).fit(returns)
    assert marked.weights_[0] > alone.weights_[0]


@pytest.mark.parametrize("members", [(), ("average_of_entrants",)])
def test_average_of_nobody_or_of_itself_is_refused(members):
    with pytest.raises(ConfigError, match="averages other optimizers"):
        AverageOfEntrants(members=members).fit(market(20, 2))


def test_stacking_of_one_member_is_that_member():
    returns = market(100, 4)
    stacked = Stacking(members=("minimum_variance",)).fit(returns).weights_
    np.testing.assert_allclose(stacked, MinimumVariance().fit(returns).weights_, atol=1e-12)


def test_stacking_equals_the_blocks_by_hand():
    returns, half = market(90, 4), 45
    fitted = Stacking(members=("equal_weight", "minimum_variance"), n_blocks=1).fit(returns)
    early = MinimumVariance().fit(returns[:half]).weights_
    streams = np.column_stack([returns[half:].mean(axis=1), returns[half:] @ early])
    share = MinimumVariance().fit(streams).weights_
    late = MinimumVariance().fit(returns).weights_
    np.testing.assert_allclose(fitted.weights_, share[0] / 4 + share[1] * late, atol=1e-12)


def test_stacking_learns_from_the_past_only():
    # rows of the last block change who earns, never what an early fit held
    returns = market(100, 3)
    changed = returns.copy()
    changed[80:] = 0.0
    seen = []

    class Watched(EqualWeight):
        name = "watched"

        def _solve(self, problem):
            seen.append(problem.returns.copy())
            return super()._solve(problem)

    import quant_assets.quant.optimization.stacking as module

    def made(name, offer):
        return Watched() if name == "watched" else MinimumVariance()

    for rows in (returns, changed):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "member", made)
            Stacking(members=("watched",), n_blocks=4).fit(rows)
    first, second = seen[:5], seen[5:]
    assert [len(rows) for rows in first] == [20, 40, 60, 80, 100]
    for one, other in zip(first[:4], second[:4], strict=True):
        np.testing.assert_array_equal(one, other)


def test_stacking_prefers_the_member_that_was_calm_out_of_sample():
    returns = market(300, 6)
    members = ("maximum_sharpe", "minimum_variance")
    weights = Stacking(members=members).fit(returns, expected_returns=[1.0, 0, 0, 0, 0, 0]).weights_
    calm = MinimumVariance().fit(returns).weights_
    assert np.abs(weights - calm).sum() < 0.5


def test_stacking_member_that_fails_is_left_out_and_named():
    members = ("equal_weight", "maximum_sharpe")
    fitted = Stacking(members=members).fit(market(80, 3), expected_returns=[-0.1] * 3)
    np.testing.assert_allclose(fitted.weights_, 1 / 3)
    assert fitted.solver_report_.fallback == "without maximum_sharpe"
    with pytest.raises(SolverError, match="every member failed"):
        Stacking(members=members[1:]).fit(market(80, 3), expected_returns=[-0.1] * 3)


@pytest.mark.parametrize("parameters", [{"members": ("stacking",)}, {"outer": "stacking"}])
def test_stacking_of_itself_is_refused(parameters):
    with pytest.raises(ConfigError, match="needs other optimizers"):
        Stacking(**parameters).fit(market(30, 2))


def test_stacking_of_too_few_rows_is_refused():
    with pytest.raises(DataError, match="6 rows in 5 blocks leave members 1 rows"):
        Stacking().fit(market(6, 2))
