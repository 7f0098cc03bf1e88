"""Tail pivots against the linear program in HiGHS, and what they hand on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.solvers import tail_kernel
from quant_assets.quant.optimization.solvers.tail import minimise, tail_mean_loss
from quant_assets_tests.quant.optimization.samples import market

pytestmark = pytest.mark.slow


def least_loss(returns: np.ndarray, tail: float, constraints: Constraints) -> float:
    """Rockafellar and Uryasev's program as it is written."""
    n_rows, n_assets = returns.shape
    region = constraints.region(n_assets)
    cost = np.concatenate([np.zeros(n_assets), [1.0], np.full(n_rows, 1.0 / tail)])
    above = np.hstack([-returns, -np.ones((n_rows, 1)), -np.eye(n_rows)])
    total = np.concatenate([np.ones(n_assets), np.zeros(1 + n_rows)])[None, :]
    bounds = [*zip(region.box.lower, region.box.upper, strict=True), (None, None)]
    result = linprog(
        cost,
        A_ub=above,
        b_ub=np.zeros(n_rows),
        A_eq=total,
        b_eq=[constraints.budget],
        bounds=bounds + [(0, None)] * n_rows,
        method="highs",
    )
    assert result.status == 0
    return float(result.fun)


SHAPES = [
    (60, 4, 3.0, Constraints()),
    (60, 4, 2.5, Constraints(upper=0.3)),
    (40, 12, 1.0, Constraints(lower=-0.2, upper=0.4)),
    (30, 50, 4.2, Constraints(upper=0.1)),
    (50, 8, 49.0, Constraints(budget=0.5, upper=0.2)),
    (50, 5, 0.4, Constraints()),
    (20, 5, 3.0, Constraints(upper=0.2)),
]


@pytest.mark.parametrize(("n_rows", "n_assets", "tail", "constraints"), SHAPES)
def test_tail_pivots_equal_the_linear_program(n_rows, n_assets, tail, constraints):
    returns = market(n_rows, n_assets)
    answer = minimise(returns, tail, constraints.region(n_assets))
    assert answer.solver == "tail pivots"
    assert answer.fallback == ""
    assert abs(answer.gap) <= 1e-12
    assert constraints.violation(answer.weights) <= 1e-12
    reached = tail_mean_loss(returns @ answer.weights, tail)
    # below one row, the mean of the worst part of a row is that row
    assert reached == pytest.approx(least_loss(returns, max(tail, 1.0), constraints), rel=1e-9)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    n_rows=st.integers(5, 80),
    n_assets=st.integers(1, 30),
    seed=st.integers(0, 5000),
    tail_share=st.sampled_from([0.01, 0.05, 0.2, 0.5, 0.9]),
    upper=st.sampled_from([0.15, 0.5, 1.0]),
    lower=st.sampled_from([-0.3, 0.0, 0.01]),
)
def test_tail_any_problem_is_proven_optimal(n_rows, n_assets, seed, tail_share, upper, lower):
    constraints = Constraints(lower=lower, upper=max(upper, 1.5 / n_assets))
    returns, tail = market(n_rows, n_assets, seed=seed), max(n_rows * tail_share, 1.0)
    answer = minimise(returns, tail, constraints.region(n_assets))
    assert answer.fallback == ""
    assert constraints.violation(answer.weights) <= 1e-12
    reached = tail_mean_loss(returns @ answer.weights, tail)
    least = least_loss(returns, tail, constraints)
    assert reached == pytest.approx(least, rel=1e-8, abs=1e-12)


def test_tail_equal_rows_and_duplicated_assets_keep_the_optimum():
    returns = np.tile(market(12, 5), (3, 1))
    returns = np.column_stack([returns, returns[:, 0]])
    answer = minimise(returns, 4.0, Constraints().region(6))
    reached = tail_mean_loss(returns @ answer.weights, 4.0)
    assert reached == pytest.approx(least_loss(returns, 4.0, Constraints()), rel=1e-8)


def _idle(returns: np.ndarray) -> np.ndarray:
    """Most rows are zero, as in a market that hardly ever trades."""
    return np.where(np.arange(len(returns))[:, None] % 20 == 0, returns, 0.0)


def _constant(returns: np.ndarray) -> np.ndarray:
    """All assets but the first are cash."""
    return np.column_stack([returns[:, 0], np.full((len(returns), returns.shape[1] - 1), 1e-3)])


@pytest.mark.parametrize(
    "spoil", [_idle, _constant, lambda r: r.round(2), lambda r: r[:5][[0] * 90]]
)
def test_tail_with_many_ties_is_solved_without_a_fallback(spoil):
    returns = spoil(market(300, 6))
    answer = minimise(returns, 15.0, Constraints(upper=0.4).region(6))
    assert answer.fallback == ""
    reached = tail_mean_loss(returns @ answer.weights, 15.0)
    least = least_loss(returns, 15.0, Constraints(upper=0.4))
    assert reached == pytest.approx(least, rel=1e-9, abs=1e-12)


def test_tail_without_room_in_the_box_is_the_box():
    constraints = Constraints(lower=0.25, upper=0.25)
    answer = minimise(market(30, 4), 2.0, constraints.region(4))
    np.testing.assert_array_equal(answer.weights, [0.25] * 4)


@pytest.mark.slow
def test_tail_a_step_that_is_cut_short_is_handed_to_cvxpy(monkeypatch):
    def out_of_steps(program, weights, first, max_steps):
        return tail_kernel.OUT_OF_STEPS, max_steps, np.zeros(len(program.returns))

    monkeypatch.setattr(tail_kernel, "minimise_tail", out_of_steps)
    returns = market(30, 4)
    answer = minimise(returns, 2.0, Constraints().region(4))
    assert answer.fallback == "cvxpy"
    assert answer.solver == "cvxpy/highs"
    reached = tail_mean_loss(returns @ answer.weights, 2.0)
    assert reached == pytest.approx(least_loss(returns, 2.0, Constraints()), rel=1e-7)


def test_tail_kernel_probabilities_are_a_dual_solution():
    returns = market(50, 6) / 0.01
    box = Constraints().region(6).box
    weights = np.array([1.0, 0, 0, 0, 0, 0])
    program = tail_kernel.Program(returns, box.lower, box.upper, 1.0, 1.0 / 5.0)
    status, steps, chances = tail_kernel.minimise_tail(program, weights, 0, 500)
    assert status == tail_kernel.CONVERGED
    assert 0 < steps < 100
    assert chances.sum() == pytest.approx(1.0)
    assert chances.min() >= 0
    assert chances.max() <= 0.2
    # no asset loses less than the portfolio does in these rows on average
    losses = -chances @ returns
    np.testing.assert_allclose(losses[weights > 1e-9], losses.min(), rtol=1e-9)
