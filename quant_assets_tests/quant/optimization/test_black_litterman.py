"""Black-Litterman as an optimizer."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.moments.views import (
    absolute_view,
    black_litterman,
    relative_view,
)
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.black_litterman import BlackLitterman
from quant_assets_tests.quant.optimization.samples import market

FREE = Constraints(lower=-5.0, upper=5.0)


def test_black_litterman_without_views_holds_the_market():
    # scaled by 1 / (1 + tau), because the posterior's covariance is larger: the budget hides it
    held = (0.4, 0.3, 0.2, 0.1)
    fitted = BlackLitterman(market_weights=held).fit(market(200, 4))
    sigma = ledoit_wolf(market(200, 4))
    mean = 5.0 * sigma @ held
    total = 1.05 * sigma
    ones = np.linalg.solve(total, np.ones(4))
    free = np.linalg.solve(total, mean) / 5.0
    expected = free + (1 - free.sum()) / ones.sum() * ones
    np.testing.assert_allclose(fitted.weights_, expected, atol=1e-8)
    np.testing.assert_allclose(fitted.weights_, held, atol=0.03)


def test_black_litterman_view_equals_the_closed_form():
    returns, views = market(250, 4), (relative_view(0, 3, 0.001, confidence=0.7),)
    fitted = BlackLitterman(constraints=FREE, views=views, risk_aversion=3.0).fit(returns)
    sigma = ledoit_wolf(returns)
    posterior = black_litterman(sigma, 3.0 * sigma @ np.full(4, 0.25), views)
    ones = np.linalg.solve(posterior.covariance, np.ones(4))
    free = np.linalg.solve(posterior.covariance, posterior.mean) / 3.0
    expected = free + (1 - free.sum()) / ones.sum() * ones
    assert np.abs(expected).max() < 5
    np.testing.assert_allclose(fitted.weights_, expected, atol=1e-7)
    assert fitted.weights_[0] > fitted.weights_[3]


def test_black_litterman_expected_returns_are_absolute_views():
    returns, annual = market(250, 3), np.array([0.2, 0.1, 0.0])
    told = BlackLitterman().fit(returns, expected_returns=annual)
    views = tuple(absolute_view(i, mu / 252) for i, mu in enumerate(annual))
    np.testing.assert_array_equal(told.weights_, BlackLitterman(views=views).fit(returns).weights_)


@pytest.mark.slow
def test_black_litterman_equals_skfolio():
    from skfolio.moments import EquilibriumMu, LedoitWolf
    from skfolio.optimization import MeanRisk, ObjectiveFunction
    from skfolio.prior import BlackLitterman as TheirPrior
    from skfolio.prior import EmpiricalPrior

    returns = market(250, 4)
    prior = TheirPrior(
        views=["x0 == 0.002", "x1 - x2 == 0.001"],
        prior_estimator=EmpiricalPrior(
            mu_estimator=EquilibriumMu(risk_aversion=5.0, covariance_estimator=LedoitWolf()),
            covariance_estimator=LedoitWolf(),
        ),
        tau=0.05,
    )
    theirs = MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
        risk_aversion=2.5,
        prior_estimator=prior,
    )
    import pandas as pd

    frame = pd.DataFrame(returns, columns=["x0", "x1", "x2", "x3"])
    views = (absolute_view(0, 0.002), relative_view(1, 2, 0.001))
    ours = BlackLitterman(views=views).fit(returns)
    np.testing.assert_allclose(ours.weights_, theirs.fit(frame).weights_, atol=1e-3)


def test_black_litterman_risk_aversion_zero_is_refused():
    with pytest.raises(ConfigError, match="risk_aversion is 0"):
        BlackLitterman(risk_aversion=0.0).fit(market(20, 2))
