"""Benchmark tracking and factor neutrality: optimizers that need data beside returns."""

import warnings

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError, SolverError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.benchmark_tracking import BenchmarkTracking
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets.quant.optimization.factor_neutral import FactorNeutral
from quant_assets_tests.quant.optimization.samples import market

NEUTRAL = Constraints(lower=-4.0, upper=4.0)


def test_tracking_a_feasible_portfolio_finds_it():
    returns, held = market(100, 5), np.array([0.1, 0.4, 0.0, 0.3, 0.2])
    fitted = BenchmarkTracking().fit(returns, benchmark=returns @ held)
    np.testing.assert_allclose(fitted.weights_, held, atol=1e-7)
    assert fitted.solver_report_.objective <= 1e-9


def test_tracking_with_bounds_equals_constrained_least_squares():
    from scipy.optimize import minimize

    returns, rng = market(120, 4), np.random.default_rng(0)
    benchmark = returns @ [0.7, 0.1, 0.1, 0.1] + 0.001 * rng.standard_normal(120)
    fitted = BenchmarkTracking(constraints=Constraints(upper=0.4)).fit(returns, benchmark=benchmark)
    theirs = minimize(
        lambda w: 1e4 * (returns @ w - benchmark).var(),
        np.full(4, 0.25),
        bounds=[(0, 0.4)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(fitted.weights_, theirs.x, atol=1e-5)
    apart = returns @ fitted.weights_ - benchmark
    assert fitted.solver_report_.objective == pytest.approx(apart.std(ddof=1))


@pytest.mark.slow
def test_tracking_is_as_close_as_skfolio():
    from skfolio.optimization import BenchmarkTracker

    returns = market(250, 8)
    benchmark = returns[:, :5].mean(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they nudge the covariance to be positive definite
        theirs = BenchmarkTracker(max_weights=0.15).fit(returns, benchmark).weights_
    ours = BenchmarkTracking(constraints=Constraints(upper=0.15)).fit(returns, benchmark=benchmark)
    apart = (returns @ theirs - benchmark).std(ddof=1)
    assert ours.solver_report_.objective <= apart * (1 + 1e-8)


def test_tracking_without_a_benchmark_names_what_is_missing():
    with pytest.raises(DataError, match="benchmark_tracking needs benchmark: pass benchmark"):
        BenchmarkTracking().fit(market(10, 2))


@pytest.mark.parametrize("benchmark", [np.zeros(9), np.zeros((10, 1)), np.full(10, np.nan)])
def test_benchmark_of_other_rows_is_refused(benchmark):
    with pytest.raises(DataError, match="benchmark must be 10 rows of finite numbers"):
        EqualWeight().fit(market(10, 2), benchmark=benchmark)


def test_factor_neutral_without_factors_names_what_is_missing():
    with pytest.raises(DataError, match="factor_neutral needs factors"):
        FactorNeutral().fit(market(10, 2))


@pytest.mark.slow
def test_factor_neutral_has_no_exposure_and_the_least_variance():
    rng = np.random.default_rng(2)
    factors = 0.01 * rng.standard_normal((300, 2))
    returns = market(300, 6) + factors @ rng.standard_normal((2, 6))
    fitted = FactorNeutral(constraints=NEUTRAL, covariance="sample").fit(returns, factors=factors)
    design = np.column_stack([np.ones(300), factors])
    loadings = np.linalg.lstsq(design, returns, rcond=None)[0][1:].T
    np.testing.assert_allclose(fitted.weights_ @ loadings, 0.0, atol=1e-8)
    # closed form with equalities only: least variance subject to A'w = e
    sigma = np.cov(returns.T)
    rules = np.column_stack([np.ones(6), loadings])
    solved = np.linalg.solve(sigma, rules)
    expected = solved @ np.linalg.solve(rules.T @ solved, [1.0, 0.0, 0.0])
    assert np.abs(expected).max() < 4
    np.testing.assert_allclose(fitted.weights_, expected, atol=1e-6)
    assert fitted.solver_report_.residual <= 1e-8
    # the portfolio's own regression shows it
    beta = np.linalg.lstsq(design, returns @ fitted.weights_, rcond=None)[0][1:]
    np.testing.assert_allclose(beta, 0.0, atol=1e-8)


@pytest.mark.slow
def test_factor_neutral_tolerance_exposure_and_utility_are_kept():
    rng = np.random.default_rng(3)
    factor = 0.01 * rng.standard_normal((200, 1))
    returns = market(200, 5) + factor @ rng.uniform(0.5, 1.5, (1, 5))
    loadings = np.linalg.lstsq(factor - factor.mean(), returns - returns.mean(axis=0), rcond=None)[
        0
    ]
    middle = float(loadings.mean())
    one = FactorNeutral(exposure=middle, tolerance=0.01).fit(returns, factors=factor)
    assert abs((loadings @ one.weights_)[0] - middle) <= 0.01 + 1e-8
    bold = FactorNeutral(constraints=NEUTRAL, exposure=(0.0,), risk_aversion=2.0)
    mu = np.array([0.3, 0.1, 0.0, 0.0, -0.2])
    bold.fit(returns, factors=factor, expected_returns=mu)
    calm = FactorNeutral(constraints=NEUTRAL).fit(returns, factors=factor).weights_
    assert abs((loadings @ bold.weights_)[0]) <= 1e-8
    utility = mu @ calm / 252 - calm @ ledoit_wolf(returns) @ calm
    assert bold.solver_report_.objective > utility


@pytest.mark.slow
def test_factor_neutral_long_only_market_is_infeasible_and_says_so():
    factor = 0.01 * np.random.default_rng(3).standard_normal((200, 1))
    returns = 0.1 * market(200, 5) + factor  # every loading is near 1
    with pytest.raises(SolverError, match="factor_exposure"):
        FactorNeutral().fit(returns, factors=factor)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"exposure": (0.0, 0.0)}, "for 1 factors"), ({"tolerance": -1.0}, "tolerance is -1")],
)
def test_factor_neutral_parameters_that_do_not_fit_are_refused(parameters, message):
    with pytest.raises(ConfigError, match=message):
        FactorNeutral(**parameters).fit(market(20, 2), factors=market(20, 1))
