"""Maximum Sharpe ratio: closed forms, a grid, and the missing premium."""

import numpy as np
import pytest

from quant_assets.core.errors import SolverError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def test_maximum_sharpe_uncorrelated_assets_by_hand():
    # w ~ mu / variance: 0.08/4 : 0.09/9 = 2 : 1
    returns = with_covariance(np.diag([4e-4, 9e-4]))
    fitted = MaximumSharpe(covariance="sample").fit(returns, expected_returns=[0.08, 0.09])
    np.testing.assert_allclose(fitted.weights_, [2 / 3, 1 / 3], rtol=1e-9)
    # squared ratio = sum(mu^2 / variance) per period
    squared = (0.08 / 252) ** 2 / 4e-4 + (0.09 / 252) ** 2 / 9e-4
    assert fitted.solver_report_.objective == pytest.approx(np.sqrt(squared), rel=1e-12)


def test_maximum_sharpe_unconstrained_is_the_tangency_portfolio():
    returns = market(300, 5)
    tangency = np.linalg.solve(ledoit_wolf(returns), returns.mean(axis=0))
    constraints = Constraints(lower=-20.0, upper=20.0)
    fitted = MaximumSharpe(constraints=constraints).fit(returns)
    np.testing.assert_allclose(fitted.weights_, tangency / tangency.sum(), rtol=1e-7)


def test_maximum_sharpe_three_assets_beats_a_fine_grid():
    returns = market(120, 3)
    mean, covariance = returns.mean(axis=0), ledoit_wolf(returns)
    best = MaximumSharpe(constraints=Constraints(upper=0.5)).fit(returns).solver_report_.objective
    side = np.linspace(0.0, 0.5, 201)
    first, second = (axis.ravel() for axis in np.meshgrid(side, side))
    third = 1.0 - first - second
    grid = np.column_stack([first, second, third])[(third >= 0) & (third <= 0.5)]
    ratios = grid @ mean / np.sqrt(np.einsum("ki,ij,kj->k", grid, covariance, grid))
    assert ratios.max() <= best * (1 + 1e-12)
    assert ratios.max() >= best * 0.999


def test_maximum_sharpe_scale_of_alpha_does_not_matter():
    returns, alpha = market(120, 8), np.linspace(-0.1, 0.1, 8)
    optimizer = MaximumSharpe(constraints=Constraints(upper=0.3))
    small = optimizer.fit(returns, expected_returns=alpha * 1e-6).weights_
    large = optimizer.fit(returns, expected_returns=alpha * 1e3).weights_
    np.testing.assert_allclose(small, large, atol=1e-9)


def test_maximum_sharpe_without_premium_is_refused():
    with pytest.raises(SolverError, match="no feasible portfolio has a positive expected return"):
        MaximumSharpe().fit(market(50, 3), expected_returns=[-0.1, 0.0, -0.2])


def test_maximum_sharpe_cap_that_forces_a_loss_is_refused():
    # 0.4 * 0.1 + 0.4 * -0.1 + 0.2 * -0.2 < 0 although one asset gains
    optimizer = MaximumSharpe(constraints=Constraints(upper=0.4))
    with pytest.raises(SolverError, match=r"largest single asset 0\.000396825"):
        optimizer.fit(market(50, 3), expected_returns=[0.1, -0.1, -0.2])


def test_maximum_sharpe_without_premium_falls_back_when_told():
    returns = market(50, 3)
    optimizer = MaximumSharpe(fallback="minimum_variance")
    fitted = optimizer.fit(returns, expected_returns=[-0.1, 0.0, -0.2])
    np.testing.assert_array_equal(fitted.weights_, MinimumVariance().fit(returns).weights_)
    assert fitted.solver_report_.fallback == "minimum_variance"
    assert fitted.solver_report_.objective < 0


def test_maximum_sharpe_gross_limit_keeps_gross_and_says_cvxpy():
    returns, alpha = market(120, 6), np.linspace(-0.2, 0.2, 6)
    loose = Constraints(lower=-1.0, upper=1.0)
    tight = Constraints(lower=-1.0, upper=1.0, max_gross=1.5)
    assert (
        np.abs(MaximumSharpe(constraints=loose).fit(returns, expected_returns=alpha).weights_).sum()
        > 1.5
    )
    fitted = MaximumSharpe(constraints=tight).fit(returns, expected_returns=alpha)
    assert fitted.solver_report_.fallback == "cvxpy"
    assert np.abs(fitted.weights_).sum() == pytest.approx(1.5, abs=1e-7)
    assert fitted.solver_report_.residual <= 1e-8


def test_maximum_sharpe_gross_limit_without_premium_is_refused():
    # only 1.5 short of the loser would pay for the budget; gross 1.2 forbids it
    constraints = Constraints(lower=-2.0, upper=2.0, max_gross=1.2)
    with pytest.raises(SolverError, match="no feasible portfolio"):
        MaximumSharpe(constraints=constraints).fit(market(50, 2), expected_returns=[-0.1, -0.3])


def test_maximum_sharpe_one_asset_is_the_budget():
    fitted = MaximumSharpe().fit(market(50, 1), expected_returns=[0.1])
    np.testing.assert_array_equal(fitted.weights_, [1.0])
