"""Minimum semivariance, CDaR and worst loss."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.minimum_cdar import MinimumCDaR, drawdowns
from quant_assets.quant.optimization.minimum_semivariance import (
    MinimumSemivariance,
    semivariance,
)
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.minimum_worst_loss import MinimumWorstLoss
from quant_assets.quant.optimization.solvers import programs
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss
from quant_assets_tests.quant.optimization.samples import market

BOXES = [Constraints(), Constraints(upper=0.3), Constraints(lower=-0.3, upper=0.6)]


def test_semivariance_by_hand():
    # shortfalls below 1 %: 2 %, 0, 3 %
    value = semivariance(np.array([-0.01, 0.02, -0.02]), 0.01)
    assert value == pytest.approx((4e-4 + 9e-4) / 3)


def test_minimum_semivariance_two_assets_by_hand():
    # asset 1 falls 2 % in row 0, asset 2 falls 1 % in row 1; the other stands still:
    # (2 w1)^2 + (1 - w1)^2 is least at w1 = 1/5
    returns = np.array([[-0.02, 0.0], [0.0, -0.01], [0.05, 0.05]])
    fitted = MinimumSemivariance().fit(returns)
    np.testing.assert_allclose(fitted.weights_, [0.2, 0.8], atol=1e-9)
    assert fitted.solver_report_.objective == pytest.approx((0.004**2 + 0.008**2) / 3)


def test_minimum_semivariance_of_symmetric_rows_is_minimum_variance():
    half = market(150, 5)
    rows = np.vstack([half - half.mean(axis=0), half.mean(axis=0) - half])
    weights = MinimumSemivariance().fit(rows).weights_
    expected = MinimumVariance(covariance="sample").fit(rows).weights_
    np.testing.assert_allclose(weights, expected, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.0, 0.01, -0.01])
@pytest.mark.parametrize("constraints", BOXES)
def test_minimum_semivariance_equals_the_quadratic_program(constraints, target):
    returns = market(200, 8)
    fitted = MinimumSemivariance(constraints=constraints, target=target).fit(returns)
    slow = programs.minimum_semivariance(returns / 0.01, target / 0.01, constraints.region(8))
    value = semivariance(returns @ slow.weights, target)
    assert fitted.solver_report_.fallback == ""
    assert fitted.solver_report_.objective <= value * (1 + 1e-9)
    assert fitted.solver_report_.objective == pytest.approx(value, rel=1e-7)
    assert fitted.solver_report_.residual <= 1e-9


@pytest.mark.slow
def test_minimum_semivariance_equals_skfolio():
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk

    returns = market(250, 6)
    theirs = MeanRisk(risk_measure=RiskMeasure.SEMI_VARIANCE, min_acceptable_return=0.0)
    weights = theirs.fit(returns).weights_
    ours = MinimumSemivariance().fit(returns)
    assert ours.solver_report_.objective <= semivariance(returns @ weights, 0.0) * (1 + 1e-9)
    np.testing.assert_allclose(ours.weights_, weights, atol=1e-3)


def test_minimum_semivariance_of_returns_that_never_fall_short_is_zero():
    fitted = MinimumSemivariance().fit(np.abs(market(30, 3)))
    assert fitted.solver_report_.objective == 0.0
    assert fitted.weights_.sum() == pytest.approx(1.0)


def test_drawdowns_by_hand_start_from_zero():
    returns = np.array([-0.1, 0.3, -0.05, -0.05, 0.2])
    np.testing.assert_allclose(drawdowns(returns), [-0.1, 0.0, -0.05, -0.1, 0.0], atol=1e-15)


@pytest.mark.slow
def test_minimum_cdar_two_assets_by_hand():
    # each asset falls once and comes back: the deepest drawdown is max(0.1 w1, 0.02 w2)
    returns = np.array([[-0.1, 0.0], [0.1, 0.0], [0.0, -0.02], [0.0, 0.02]])
    fitted = MinimumCDaR(level=0.75).fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1 / 6, 5 / 6], atol=1e-8)
    assert fitted.solver_report_.objective == pytest.approx(1 / 60)


@pytest.mark.slow
@pytest.mark.parametrize("constraints", BOXES)
def test_minimum_cdar_no_neighbour_is_better(constraints):
    returns, rng = market(120, 5), np.random.default_rng(1)
    fitted = MinimumCDaR(constraints=constraints, level=0.9).fit(returns)
    best = fitted.solver_report_.objective
    assert best == pytest.approx(tail_mean_loss(drawdowns(returns @ fitted.weights_), 12.0))
    assert fitted.solver_report_.residual <= 1e-9
    for _ in range(500):
        step = 0.02 * rng.standard_normal(5)
        other = fitted.weights_ + step - step.mean()
        if constraints.violation(other) <= 1e-12:
            assert tail_mean_loss(drawdowns(returns @ other), 12.0) >= best - 1e-10


@pytest.mark.slow
def test_minimum_cdar_equals_skfolio():
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk

    returns = market(150, 5)
    theirs = MeanRisk(risk_measure=RiskMeasure.CDAR, cdar_beta=0.9).fit(returns).weights_
    ours = MinimumCDaR(level=0.9).fit(returns)
    value = tail_mean_loss(drawdowns(returns @ theirs), 15.0)
    assert ours.solver_report_.objective == pytest.approx(value, rel=1e-6)


def test_minimum_cdar_level_outside_zero_one_is_refused():
    with pytest.raises(ConfigError, match="level is 0"):
        MinimumCDaR(level=0.0).fit(market(10, 2))


def test_minimum_worst_loss_two_assets_by_hand():
    returns = np.array([[-0.10, 0.0], [0.0, -0.02], [0.05, 0.03], [0.02, 0.04]])
    fitted = MinimumWorstLoss().fit(returns)
    np.testing.assert_allclose(fitted.weights_, [1 / 6, 5 / 6], rtol=1e-9)
    assert fitted.solver_report_.objective == pytest.approx(1 / 60)


@pytest.mark.slow
def test_minimum_worst_loss_equals_skfolio():
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk

    returns = market(200, 8)
    theirs = MeanRisk(risk_measure=RiskMeasure.WORST_REALIZATION).fit(returns).weights_
    ours = MinimumWorstLoss().fit(returns)
    assert ours.solver_report_.objective == pytest.approx(-(returns @ theirs).min(), rel=1e-7)
