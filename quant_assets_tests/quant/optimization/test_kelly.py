"""Kelly: bets by hand, growth against a cone program, fractions."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.kelly import Kelly
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def bet(wins: int, losses: int, odds: float) -> np.ndarray:
    """Rows of a bet of those odds beside cash."""
    outcome = np.concatenate([np.full(wins, odds), np.full(losses, -1.0)])
    return np.column_stack([outcome, np.zeros(len(outcome))])


@pytest.mark.parametrize(("wins", "odds"), [(6, 1.0), (4, 2.0), (9, 0.5)])
def test_kelly_binary_bet_is_p_minus_q_over_b(wins, odds):
    fitted = Kelly(fraction=1.0).fit(bet(wins, 10 - wins, odds))
    p = wins / 10
    expected = p - (1 - p) / odds
    assert fitted.weights_[0] == pytest.approx(expected, abs=1e-9)
    growth = p * np.log(1 + odds * expected) + (1 - p) * np.log(1 - expected)
    assert fitted.solver_report_.objective == pytest.approx(growth)


def test_kelly_bet_without_edge_is_not_taken():
    np.testing.assert_allclose(Kelly(fraction=1.0).fit(bet(4, 6, 1.0)).weights_, [0.0, 1.0])


def test_kelly_many_small_periods_is_the_inverse_covariance_times_the_mean():
    # in the limit of short periods: inv(Sigma) mu, and half of it for half Kelly
    covariance, mean = np.array([[1.0, 0.3], [0.3, 2.0]]) * 1e-8, np.array([3.0, 5.0]) * 1e-9
    rows = np.column_stack([with_covariance(covariance, mean), np.zeros(8)])
    exact = np.linalg.solve(covariance * 7 / 8, mean)
    for fraction in (1.0, 0.5):
        weights = Kelly(fraction=fraction).fit(rows).weights_
        np.testing.assert_allclose(weights[:2], fraction * exact, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("constraints", [Constraints(upper=0.4), Constraints(lower=-0.3, upper=1)])
def test_kelly_equals_a_cone_program(fraction, constraints):
    import cvxpy as cp

    rows = 5 * market(200, 6)
    weights = cp.Variable(6)
    wealth = 1 + rows @ weights
    gamma = 1 / fraction
    utility = cp.sum(cp.log(wealth)) if gamma == 1 else -cp.sum(cp.power(wealth, 1 - gamma))
    box = [cp.sum(weights) == 1, weights >= constraints.lower, weights <= constraints.upper]
    cp.Problem(cp.Maximize(utility), box).solve(solver="CLARABEL")
    fitted = Kelly(constraints=constraints, fraction=fraction).fit(rows)
    np.testing.assert_allclose(fitted.weights_, weights.value, atol=5e-4)

    def certain(w: np.ndarray) -> float:
        wealth = 1 + rows @ w
        if gamma == 1:
            return np.log(wealth).mean()
        return np.log(np.mean(wealth ** (1 - gamma))) / (1 - gamma)

    assert fitted.solver_report_.objective == pytest.approx(certain(fitted.weights_), rel=1e-9)
    assert certain(fitted.weights_) >= certain(weights.value) - 1e-9


def test_kelly_expected_returns_shift_the_rows():
    rows = market(120, 4)
    expected = np.array([0.3, 0.1, 0.0, -0.1])
    shifted = rows - rows.mean(axis=0) + expected / 252
    told = Kelly().fit(rows, expected_returns=expected).weights_
    np.testing.assert_allclose(told, Kelly().fit(shifted).weights_, atol=1e-10)


def test_kelly_less_is_less_volatile():
    rows = 3 * market(250, 6)
    bold, shy = (Kelly(fraction=f).fit(rows).weights_ for f in (1.0, 0.1))
    assert (rows @ shy).std() < (rows @ bold).std()


def test_kelly_gross_limit_is_kept():
    constraints = Constraints(lower=-1.0, upper=2.0, max_gross=1.4)
    fitted = Kelly(constraints=constraints, fraction=1.0).fit(3 * market(100, 4))
    assert np.abs(fitted.weights_).sum() <= 1.4 + 1e-8
    assert fitted.solver_report_.residual <= 1e-8


def test_kelly_ruin_that_cannot_be_avoided_is_an_error():
    with pytest.raises(SolverError, match=r"ruined in row 0 \(-1.5\)"):
        Kelly().fit(np.array([[-1.5, -1.5], [1.0, 1.0]]))


@pytest.mark.parametrize("fraction", [0.0, 1.5])
def test_kelly_fraction_outside_zero_one_is_refused(fraction):
    with pytest.raises(ConfigError, match="fraction is"):
        Kelly(fraction=fraction).fit(market(10, 2))
