"""Risk budgeting: shares of variance, and of the tail."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization import cvar_budgeting
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.cvar_budgeting import CVaRBudgeting
from quant_assets.quant.optimization.equal_risk_contribution import EqualRiskContribution
from quant_assets.quant.optimization.risk_budgeting import RiskBudgeting
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss
from quant_assets_tests.quant.optimization.samples import market, with_covariance

BUDGETS = (4.0, 3.0, 2.0, 1.0)


def test_risk_budgeting_shares_of_variance_are_the_budgets():
    returns = market(200, 4)
    fitted = RiskBudgeting(budgets=BUDGETS, constraints=Constraints(budget=0.5)).fit(returns)
    covariance = ledoit_wolf(returns)
    shares = fitted.weights_ * (covariance @ fitted.weights_)
    np.testing.assert_allclose(shares / shares.sum(), [0.4, 0.3, 0.2, 0.1], atol=1e-10)
    assert fitted.weights_.sum() == pytest.approx(0.5)
    assert fitted.solver_report_.objective <= 1e-10


def test_risk_budgeting_two_assets_closed_form():
    # Bruder & Roncalli (2012): with correlation 0, w1 / w2 = s2 / s1 sqrt(b1 / b2)
    returns = with_covariance(np.diag([1e-4, 4e-4]))
    weights = RiskBudgeting(budgets=(0.8, 0.2), covariance="sample").fit(returns).weights_
    assert weights[0] / weights[1] == pytest.approx(2.0 * 2.0)


def test_risk_budgeting_equal_budgets_are_equal_risk():
    returns = market(100, 6)
    weights = RiskBudgeting(budgets=(1.0,) * 6).fit(returns).weights_
    np.testing.assert_allclose(weights, EqualRiskContribution().fit(returns).weights_, rtol=1e-10)


@pytest.mark.parametrize("budgets", [(1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 1.0, -1.0)])
@pytest.mark.parametrize("kind", [RiskBudgeting, CVaRBudgeting])
def test_budgets_that_are_not_positive_numbers_per_asset_are_refused(kind, budgets):
    with pytest.raises(ConfigError, match="budgets must be 3 positive numbers"):
        kind(budgets=budgets).fit(market(50, 3))


@pytest.mark.slow
@pytest.mark.parametrize(("n_assets", "upper"), [(3, 1.0), (6, 1.0)])
def test_risk_budgeting_equals_skfolio(n_assets, upper):
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import RiskBudgeting as Theirs
    from skfolio.prior import EmpiricalPrior

    returns, budgets = market(250, n_assets), tuple(range(1, n_assets + 1))
    theirs = Theirs(
        risk_budget=np.array(budgets, dtype=float),
        prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf()),
    ).fit(returns)
    ours = RiskBudgeting(budgets=budgets).fit(returns)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, atol=2e-4)


@pytest.mark.slow
def test_cvar_budgeting_shares_of_the_tail_are_the_budgets():
    # an elliptical sample: many rows, so that moving a weight hardly changes who is in the tail
    returns = market(1000, 4)
    fitted = CVaRBudgeting(budgets=BUDGETS, level=0.8).fit(returns)
    weights, tail, step = fitted.weights_, 200.0, 1e-5
    shares = []
    for i in range(4):
        up, down = weights.copy(), weights.copy()
        up[i] += step
        down[i] -= step
        slope = tail_mean_loss(returns @ up, tail) - tail_mean_loss(returns @ down, tail)
        shares.append(weights[i] * slope / (2 * step))
    total = tail_mean_loss(returns @ weights, tail)
    assert fitted.solver_report_.objective == pytest.approx(total)
    np.testing.assert_allclose(np.array(shares) / total, [0.4, 0.3, 0.2, 0.1], atol=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "n_assets", "level"), [(250, 4, 0.9), (252, 12, 0.95)])
def test_cvar_budgeting_is_exact_for_the_probabilities_of_the_tied_rows(n_rows, n_assets, level):
    returns, budgets = market(n_rows, n_assets), np.arange(1.0, n_assets + 1)
    fitted = CVaRBudgeting(budgets=tuple(budgets), level=level).fit(returns)
    assert fitted.solver_report_.solver == "cvxpy/clarabel, newton"
    weights, tail = fitted.weights_, n_rows * (1 - level)
    losses = -returns * weights  # (time, asset): who loses how much
    depth = losses.sum(axis=1)
    threshold = np.sort(depth)[::-1][int(tail)]
    tied, above = np.abs(depth - threshold) < 1e-12, depth > threshold + 1e-12
    target = budgets / budgets.sum() * tail_mean_loss(returns @ weights, tail)
    rest = target - losses[above].sum(axis=0) / tail
    chances = np.linalg.lstsq(losses[tied].T, rest, rcond=None)[0]
    np.testing.assert_allclose(losses[tied].T @ chances, rest, atol=1e-10 * target.max())
    assert chances.min() >= -1e-9
    assert chances.max() <= 1 / tail + 1e-9
    assert above.sum() / tail + chances.sum() == pytest.approx(1.0)


@pytest.mark.slow
def test_cvar_budgeting_without_the_last_steps_says_so(monkeypatch):
    plain = CVaRBudgeting(level=0.9).fit(market(250, 4))
    monkeypatch.setattr(cvar_budgeting, "polished", lambda *_: None)
    rough = CVaRBudgeting(level=0.9).fit(market(250, 4))
    assert rough.solver_report_.solver == "cvxpy/clarabel"
    np.testing.assert_allclose(rough.weights_, plain.weights_, atol=1e-5)


@pytest.mark.slow
def test_cvar_budgeting_equals_skfolio():
    from skfolio import RiskMeasure
    from skfolio.optimization import RiskBudgeting as Theirs

    returns = market(250, 4)
    theirs = Theirs(risk_measure=RiskMeasure.CVAR, cvar_beta=0.9).fit(returns)
    ours = CVaRBudgeting(level=0.9).fit(returns)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, atol=1e-3)


def test_cvar_budgeting_level_outside_zero_one_is_refused():
    with pytest.raises(ConfigError, match="level is 1"):
        CVaRBudgeting(level=1.0).fit(market(20, 2))
