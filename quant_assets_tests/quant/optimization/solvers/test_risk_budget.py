"""Coordinate descent against a plain twin, and the ways that follow it."""

import numpy as np
import pytest

from quant_assets.core.errors import SolverError
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.solvers import risk_budget
from quant_assets.quant.optimization.solvers.risk_budget import (
    balanced,
    balanced_weights,
    budget_error,
)
from quant_assets.quant.optimization.solvers.risk_budget_kernel import descend
from quant_assets_tests.quant.optimization.samples import market

pytestmark = pytest.mark.slow


def plain_sweep(correlation: np.ndarray, budgets: np.ndarray, position: np.ndarray) -> np.ndarray:
    """One sweep of the descent, a coordinate at a time."""
    position = position.copy()
    for i in range(len(position)):
        others = correlation[i] @ position - position[i]
        position[i] = (np.sqrt(others**2 + 4 * budgets[i]) - others) / 2
    return position


def correlation_of(n_assets: int) -> np.ndarray:
    covariance = ledoit_wolf(market(80, n_assets))
    volatility = np.sqrt(np.diag(covariance))
    return covariance / np.outer(volatility, volatility)


@pytest.mark.parametrize("sweeps", [1, 2, 7])
def test_descend_equals_the_plain_sweeps(sweeps):
    correlation, budgets = correlation_of(9), np.linspace(1, 3, 9) / 18
    expected = position = np.sqrt(budgets)
    for _ in range(sweeps):
        expected = plain_sweep(correlation, budgets, expected)
    position = np.sqrt(budgets)
    assert descend(correlation, budgets, position, 0.0, sweeps) == sweeps
    np.testing.assert_allclose(position, expected, rtol=1e-13)


def test_budgets_of_uncorrelated_assets_are_squares_by_hand():
    # shares w^2 s^2: w is proportional to sqrt(b) / s
    found = balanced_weights(np.diag([1.0, 4.0]), np.array([0.2, 0.8]))
    weights = np.array([np.sqrt(0.2), np.sqrt(0.8) / 2])
    np.testing.assert_allclose(found.weights, weights / weights.sum(), rtol=1e-10)


@pytest.mark.parametrize("n_assets", [1, 2, 30, 120])
def test_budgets_of_any_size_are_met(n_assets):
    budgets = np.random.default_rng(n_assets).uniform(0.1, 1.0, n_assets)
    budgets /= budgets.sum()
    covariance = ledoit_wolf(market(60, n_assets))
    found = balanced_weights(covariance, budgets)
    shares = found.weights * (covariance @ found.weights)
    np.testing.assert_allclose(shares / shares.sum(), budgets, atol=1e-10)
    assert found.solver == "coordinate descent"
    assert found.fallback == ""


def test_slow_descent_is_finished_by_newton_and_says_so(monkeypatch):
    monkeypatch.setattr(risk_budget, "MAX_SWEEPS", 1)
    budgets = np.full(12, 1 / 12)
    found = balanced(correlation_of(12), budgets)
    assert found.solver == found.fallback == "newton"
    assert found.error <= 1e-9


@pytest.mark.slow
def test_newton_that_fails_is_finished_by_cvxpy_and_says_so(monkeypatch):
    monkeypatch.setattr(risk_budget, "MAX_SWEEPS", 1)
    monkeypatch.setattr(risk_budget, "MAX_STEPS", 1)
    correlation, budgets = correlation_of(6), np.linspace(1, 2, 6) / 9
    found = balanced(correlation, budgets)
    assert found.fallback == "cvxpy"
    assert found.error <= 1e-5  # what an interior point leaves
    np.testing.assert_allclose(
        budget_error(correlation, found.weights, budgets), found.error, rtol=1e-12
    )


def test_budgets_of_a_constant_asset_are_refused():
    with pytest.raises(SolverError, match="asset 1 has variance 0"):
        balanced_weights(np.diag([1.0, 0.0]), np.array([0.5, 0.5]))
