"""The cvxpy path: repeated use, errors, and the limits it takes."""

from dataclasses import replace

import numpy as np
import pytest

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.constraints.turnover_limit import TurnoverLimit
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import Box
from quant_assets.quant.optimization.solvers.quadratic import minimise


def region(n_assets: int, *, upper: float = 1.0, lower: float = 0.0, gross: float | None = None):
    box = Box(1.0, np.full(n_assets, lower), np.full(n_assets, upper))
    return convex.Region(box, gross)


def test_square_root_squared_is_the_matrix():
    matrix = np.array([[2.0, 1.0], [1.0, 2.0]])
    root = convex.square_root(matrix)
    np.testing.assert_allclose(root.T @ root, matrix)


def test_quadratic_after_other_problems_gives_the_same_bits():
    hessian, linear = np.diag([1.0, 2.0, 4.0]), np.array([0.1, 0.0, 0.3])
    first = convex.quadratic(hessian, linear, region(3)).weights
    convex.quadratic(10 * np.eye(3), -linear, region(3, upper=0.4))
    np.testing.assert_array_equal(convex.quadratic(hessian, linear, region(3)).weights, first)


def test_quadratic_empty_region_is_an_infeasible_error():
    with pytest.raises(convex.InfeasibleError, match="'infeasible', not 'optimal', on 3 assets"):
        convex.quadratic(np.eye(3), np.zeros(3), region(3, upper=0.2))


def test_maximum_ratio_without_premium_is_a_solver_error():
    with pytest.raises(SolverError, match="not 'optimal'"):
        convex.maximum_ratio(np.eye(2), np.array([-1.0, -0.5]), region(2))


@pytest.mark.parametrize(
    ("lower", "gross", "binds"),
    [(0.0, 1.0, False), (-0.5, None, False), (-0.5, 9.0, False), (-0.5, 1.2, True)],
)
def test_gross_may_bind_only_with_shorts_and_a_tight_limit(lower, gross, binds):
    assert region(3, lower=lower, gross=gross).gross_may_bind is binds


def test_minimise_uncovered_by_gross_stays_on_the_fast_path():
    # the optimum (1/3 each) has gross 1: the limit could bind, and does not
    answer = minimise(np.eye(3) * 1e-4, np.zeros(3), region(3, lower=-0.5, gross=1.2))
    assert (answer.solver, answer.fallback) == ("active set", "")


def test_minimise_binding_gross_is_exact_on_the_fast_path():
    answer = minimise(np.eye(2), np.array([2.0, -2.0]), region(2, lower=-1.0, upper=2.0, gross=1.4))
    np.testing.assert_allclose(answer.weights, [1.2, -0.2], atol=1e-13)
    assert (answer.solver, answer.fallback) == ("active set", "")


def test_minimise_gross_and_turnover_that_both_bind_are_recorded_as_cvxpy():
    # from (0.5, 0.3, 0.2), 0.4 may be traded; the wish alone would have a gross of 1.24
    turnover = TurnoverLimit(np.array([0.7, 0.5, -0.2]), 0.4)
    wide = replace(region(3, lower=-1.0, upper=2.0, gross=1.3), rules=(turnover,))
    answer = minimise(np.eye(3), np.array([2.0, 0.0, -2.0]), wide)
    assert (answer.solver, answer.fallback) == ("cvxpy/clarabel", "cvxpy")
    assert np.abs(answer.weights).sum() == pytest.approx(1.3, abs=1e-8)
    assert turnover.violation(answer.weights) <= 1e-8
