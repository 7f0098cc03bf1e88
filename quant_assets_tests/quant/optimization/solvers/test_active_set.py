"""The box-and-budget quadratic program: hand arithmetic and optimality on random problems."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.optimization.solvers.active_set import (
    AT_LOWER,
    AT_UPPER,
    FREE,
    Box,
    scaled,
    solve,
)

pytestmark = pytest.mark.slow


def box(budget: float, lower: list[float], upper: list[float]) -> Box:
    return Box(budget, np.array(lower, dtype=float), np.array(upper, dtype=float))


def test_vertex_fills_the_best_first():
    weights, states = box(1.0, [0, 0, 0], [0.6, 0.6, 0.6]).vertex(np.array([1.0, 3.0, 2.0]))
    np.testing.assert_allclose(weights, [0.0, 0.6, 0.4])
    assert states.tolist() == [AT_LOWER, AT_UPPER, FREE]


def test_vertex_budget_at_the_lower_bounds_leaves_nothing_free():
    weights, states = box(0.3, [0.1, 0.2], [1, 1]).vertex(np.array([1.0, 2.0]))
    np.testing.assert_allclose(weights, [0.1, 0.2])
    assert states.tolist() == [AT_LOWER, AT_LOWER]


def test_repaired_spreads_the_gap_over_the_room():
    # 0.9 after clipping; 0.1 goes to the rooms 0.4 and 0.1 in proportion
    repaired = box(1.0, [0, 0, 0], [0.5, 0.5, 0.4]).repaired(np.array([0.1, 0.4, 0.7]))
    np.testing.assert_allclose(repaired, [0.18, 0.42, 0.4])


def test_scaled_has_mean_diagonal_one():
    matrix, factor = scaled(np.diag([1e-4, 3e-4]))
    np.testing.assert_allclose(np.diag(matrix), [0.5, 1.5], rtol=1e-9)
    assert factor == pytest.approx(1 / 2e-4)


def test_solve_identity_is_a_projection_by_hand():
    # project (0.9, 0.3, -0.4) on the simplex: subtract 0.1 from the first two
    solution = solve(np.eye(3), np.array([0.9, 0.3, -0.4]), box(1.0, [0] * 3, [1] * 3))
    np.testing.assert_allclose(solution.weights, [0.8, 0.2, 0.0], atol=1e-15)
    assert solution.states.tolist() == [FREE, FREE, AT_LOWER]
    assert solution.is_optimal


def test_solve_fixed_weights_are_kept():
    solution = solve(np.eye(3), np.zeros(3), box(1.0, [0.5, 0, 0], [0.5, 1, 1]))
    np.testing.assert_allclose(solution.weights, [0.5, 0.25, 0.25])


def test_solve_warm_start_at_the_answer_takes_one_step():
    hessian, linear = np.diag([1.0, 2.0, 3.0]), np.array([0.1, 0.0, 0.2])
    first = solve(hessian, linear, box(1.0, [0] * 3, [1] * 3))
    again = solve(hessian, linear, box(1.0, [0] * 3, [1] * 3), start=(first.weights, first.states))
    assert again.iterations == 1
    np.testing.assert_allclose(again.weights, first.weights, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    n_assets=st.integers(1, 40),
    rank=st.integers(1, 60),
    seed=st.integers(0, 100_000),
    lower=st.sampled_from([0.0, -0.2, 0.005]),
    upper=st.sampled_from([0.06, 0.2, 1.0]),
)
def test_solve_random_problem_meets_the_optimality_conditions(n_assets, rank, seed, lower, upper):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((rank, n_assets))
    hessian, _ = scaled(factors.T @ factors / rank)
    linear = rng.standard_normal(n_assets) * rng.choice([0.0, 0.01, 1.0])
    lowest, highest = np.full(n_assets, lower), np.full(n_assets, max(upper, 1.2 / n_assets))
    budget = rng.uniform(lowest.sum(), highest.sum())
    solution = solve(hessian, linear, Box(budget, lowest, highest))
    weights = solution.weights
    assert abs(weights.sum() - budget) <= 1e-12
    assert (weights >= lowest).all()
    assert (weights <= highest).all()
    # no feasible exchange of two weights improves: what can grow costs no less than what can fall
    gradient = hessian @ weights - linear
    growing, falling = weights < highest - 1e-12, weights > lowest + 1e-12
    if growing.any() and falling.any():
        scale = max(1.0, np.abs(gradient).max())
        assert gradient[growing].min() >= gradient[falling].max() - 1e-8 * scale
    assert solution.is_optimal
