"""The compiled active set against its plain twin, cvxpy and its own certificate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.solvers import active_set_kernel, limited, primal_dual
from quant_assets.quant.optimization.solvers.active_set import ActiveSet, Box, solve
from quant_assets.quant.optimization.solvers.distance import Distance
from quant_assets.quant.optimization.solvers.hessian import (
    RIDGE,
    Factored,
    WithCash,
    hessian_of,
    ledoit_wolf_hessian,
    whole,
)
from quant_assets_tests.quant.optimization.samples import market
from quant_assets_tests.quant.optimization.solvers.plain_active_set import solve_plainly

pytestmark = pytest.mark.slow


def box(n_assets: int, upper: float = 1.0, lower: float = 0.0, budget: float = 1.0) -> Box:
    return Box(budget, np.full(n_assets, lower), np.full(n_assets, upper))


@pytest.mark.parametrize("shape", [(20, 50), (60, 150)])
def test_ledoit_wolf_hessian_is_the_covariance_of_the_moments(shape):
    returns = market(*shape)
    hessian = ledoit_wolf_hessian(returns)
    covariance = ledoit_wolf(returns)
    np.testing.assert_allclose(
        (hessian.matrix() - RIDGE * np.eye(shape[1])) / hessian.factor,
        covariance,
        rtol=1e-10,
        atol=1e-12 * covariance.max(),
    )
    weights = np.random.default_rng(0).dirichlet(np.ones(shape[1]))
    assert hessian.variance(weights) == pytest.approx(weights @ covariance @ weights, rel=1e-12)
    np.testing.assert_allclose(hessian.times(weights), hessian.matrix() @ weights, rtol=1e-12)
    assert np.linalg.eigvalsh(hessian.matrix()).min() >= hessian.least_eigenvalue * (1 - 1e-9)


def test_hessian_of_takes_the_cheaper_form():
    assert isinstance(hessian_of(market(20, 30), "ledoit_wolf"), Factored)
    assert not isinstance(hessian_of(market(30, 20), "ledoit_wolf"), Factored)
    assert not isinstance(hessian_of(market(20, 30), "sample"), Factored)


def test_hessian_constant_returns_are_a_ridge():
    hessian = ledoit_wolf_hessian(np.full((5, 9), 0.01))
    np.testing.assert_allclose(hessian.matrix(), RIDGE * np.eye(9))
    assert hessian.variance(np.full(9, 1 / 9)) == 0.0


def test_with_cash_last_asset_has_no_risk():
    hessian = WithCash(whole(np.diag([1.0, 3.0])))
    assert hessian.n_assets == 3
    expected = np.diag([0.5 + RIDGE, 1.5 + RIDGE, RIDGE])
    np.testing.assert_allclose(hessian.matrix(), expected, atol=1e-15)
    np.testing.assert_allclose(hessian.block(np.array([2, 0])), expected[[2, 0]][:, [2, 0]])
    np.testing.assert_allclose(hessian.times(np.array([1.0, 2.0, 3.0])), expected @ [1, 2, 3])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("lower", "upper"), [(0.0, 0.1), (-0.05, 0.2), (0.0, 1.0)])
def test_solve_equals_the_plain_twin(seed, lower, upper):
    rng = np.random.default_rng(seed)
    hessian = whole(ledoit_wolf(market(60, 40, seed=seed))).values
    linear = rng.standard_normal(40) * rng.choice([0.0, 0.3, 3.0])
    limits = box(40, upper, lower)
    ours = solve(hessian, linear, limits)
    np.testing.assert_allclose(ours.weights, solve_plainly(hessian, linear, limits), atol=1e-11)
    assert ours.gap <= 1e-10


@pytest.mark.parametrize("n_assets", [129, 300])
def test_active_set_many_assets_priced_in_parts_meet_the_conditions_of_all(n_assets):
    returns = market(80, n_assets, seed=n_assets)
    hessian = ledoit_wolf_hessian(returns)
    problem = ActiveSet(hessian, box(n_assets, 0.05))
    linear = returns.mean(axis=0) * hessian.factor / 20.0
    parts = problem.solve(linear)
    assert len(problem._members) < n_assets
    gradient = hessian.matrix() @ parts.weights - linear
    growing, falling = parts.weights < 0.05, parts.weights > 0
    assert gradient[growing].min() >= gradient[falling].max() - 1e-10
    assert abs(parts.weights.sum() - 1.0) <= 1e-14
    assert parts.gap <= 1e-10 * abs(linear @ parts.weights)


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [60, 300])
@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (0.0, 0.006), (-0.01, 0.02)])
def test_active_set_that_leaps_equals_the_plain_twin(n_rows, lower, upper, monkeypatch):
    # without a common factor most assets are held: the primal-dual guess takes over
    returns = np.random.default_rng(n_rows).standard_normal((n_rows, 200)) * 0.01
    guesses = []
    monkeypatch.setattr(
        primal_dual,
        "guess",
        lambda *args, known=primal_dual.guess: guesses.append(1) or known(*args),
    )
    limits = box(200, upper, lower)
    hessian = hessian_of(returns, "ledoit_wolf")
    linear = returns.mean(axis=0) * hessian.factor / 5000.0
    ours = ActiveSet(hessian, limits).solve(linear)
    np.testing.assert_allclose(
        ours.weights, solve_plainly(hessian.matrix(), linear, limits), atol=1e-10
    )
    assert guesses or upper < 1.0  # weights at a bound of their own are not free
    assert ours.gap <= 1e-10
    assert limits.holds(ours.weights)


def test_guess_that_is_wrong_is_put_right(monkeypatch):
    # the guess holds the worse half alone: the active set goes on from there
    returns = np.random.default_rng(0).standard_normal((60, 200)) * 0.01
    hessian = hessian_of(returns, "ledoit_wolf")
    limits = box(200, 0.05)
    right = ActiveSet(hessian, limits).solve(np.zeros(200)).weights
    wrong = np.where(np.arange(200) < 100, 0.01, 0.0)
    sides = np.where(wrong > 0, 0, -1).astype(np.int8)
    monkeypatch.setattr(primal_dual, "guess", lambda *_: (wrong.copy(), sides))
    ours = ActiveSet(hessian, limits).solve(np.zeros(200))
    np.testing.assert_allclose(ours.weights, right, atol=1e-10)
    monkeypatch.setattr(primal_dual, "guess", lambda *_: None)
    ours = ActiveSet(hessian, limits).solve(np.zeros(200))
    np.testing.assert_allclose(ours.weights, right, atol=1e-10)


def test_guess_without_an_answer_is_none():
    # equal weights at the cap leave nobody free
    hessian = whole(np.eye(4))
    bounds = (np.full(4, 0.0), np.full(4, 0.25))
    assert primal_dual.guess(hessian, np.zeros(4), bounds, 1.2) is None


@pytest.mark.parametrize("n_places", [30, 90])
def test_solved_by_woodbury_is_the_solution(n_places):
    hessian = ledoit_wolf_hessian(market(50, 100))
    places, right = np.arange(n_places), np.random.default_rng(0).standard_normal((n_places, 2))
    np.testing.assert_allclose(
        hessian.block(places) @ hessian.solved(places, right), right, atol=1e-11
    )


def test_active_set_problem_before_changes_no_more_than_rounding():
    # members of an earlier problem may be factorised in another order, but not moved elsewhere
    returns = market(60, 200)
    hessian = ledoit_wolf_hessian(returns)
    linear = returns.mean(axis=0) * hessian.factor / 5.0
    cold = ActiveSet(hessian, box(200, 0.04)).solve(linear)
    problem = ActiveSet(hessian, box(200, 0.04))
    other = problem.solve(-linear)
    warm = problem.solve(linear, start=(other.weights, other.states))
    np.testing.assert_allclose(warm.weights, cold.weights, atol=1e-13)
    again = ActiveSet(hessian, box(200, 0.04)).solve(linear)
    assert again.weights.tobytes() == cold.weights.tobytes()


def test_active_set_weights_at_a_bound_are_exactly_there():
    returns = market(60, 50)
    answer = ActiveSet(whole(ledoit_wolf(returns)), box(50, 0.06)).solve(np.zeros(50))
    at_bound = answer.states != 0
    assert at_bound.sum() > 10
    assert set(answer.weights[at_bound]) <= {0.0, 0.06}


def test_warm_up_compiles_what_production_calls():
    active_set_kernel.warm_up()
    compiled = len(active_set_kernel.pivot.signatures)
    solve(np.eye(3), np.zeros(3), box(3))
    frozen = np.asfortranarray(np.eye(3) + 0.1 * np.tri(3))
    frozen.flags.writeable = False
    solve(frozen + 0.0, np.zeros(3), box(3))
    solve(frozen, np.zeros(3), box(3))
    solve(np.eye(6)[::2, ::2], np.zeros(6)[::2], box(3))
    limited.solve(whole(np.eye(3)), np.zeros(3), box(3), Distance(np.zeros(3), np.ones(3), 1.0))
    assert len(active_set_kernel.pivot.signatures) == compiled


def test_limited_turnover_by_hand():
    # H = I, c = (1, 0): the wish is (1, 0); from (0.5, 0.5) only 0.2 may move
    distance = Distance(np.array([0.5, 0.5]), np.zeros(2), 0.2)
    answer = limited.solve(whole(np.eye(2)), np.array([1.0, 0.0]), box(2), distance)
    np.testing.assert_allclose(answer.weights, [0.6, 0.4], atol=1e-13)


def test_limited_cost_by_hand():
    # the slope is 1 - 2 (w1 - 0.5) for a pair; a cost of 0.4 each way stops it at w1 = 0.6
    distance = Distance(np.array([0.5, 0.5]), np.full(2, 0.4))
    answer = limited.solve(whole(np.eye(2)), np.array([1.0, 0.0]), box(2), distance)
    np.testing.assert_allclose(answer.weights, [0.6, 0.4], atol=1e-9)


def test_limited_cost_above_the_gain_moves_nothing():
    distance = Distance(np.array([0.5, 0.5]), np.full(2, 0.6))
    answer = limited.solve(whole(np.eye(2)), np.array([1.0, 0.0]), box(2), distance)
    np.testing.assert_array_equal(answer.weights, [0.5, 0.5])


def test_limited_nothing_may_move():
    held = np.array([0.2, 0.5, 0.3])
    answer = limited.solve(
        whole(np.eye(3)), np.array([1.0, 0.0, 0.5]), box(3), Distance(held, np.zeros(3), 0.0)
    )
    np.testing.assert_allclose(answer.weights, held, atol=1e-12)


@st.composite
def trading_problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n_assets = draw(st.integers(2, 25))
    hessian = whole(ledoit_wolf(market(40, n_assets, seed=int(rng.integers(1000)))))
    lower, upper = draw(st.sampled_from([(0.0, 1.0), (0.0, 0.3), (-0.3, 0.5)]))
    limits = box(n_assets, max(upper, 1.5 / n_assets), lower)
    held = limits.repaired(rng.dirichlet(np.ones(n_assets)))
    if draw(st.booleans()):
        held = np.zeros(n_assets)  # a gross limit
    linear = rng.standard_normal(n_assets) * draw(st.sampled_from([0.01, 0.3, 3.0]))
    cost = rng.uniform(0, 0.3, n_assets) * draw(st.sampled_from([0.0, 1.0]))
    limit = draw(st.sampled_from([0.05, 0.2, 1.0, np.inf])) + (0.0 if held.any() else 1.0)
    return hessian, linear, limits, Distance(held, cost, limit)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(trading_problems())
def test_limited_random_problem_agrees_with_clarabel(drawn):
    import cvxpy as cp

    hessian, linear, limits, distance = drawn
    answer = limited.solve(hessian, linear, limits, distance)
    weights = cp.Variable(len(linear))
    traded = cp.abs(weights - distance.positions)
    constraints = [cp.sum(weights) == limits.budget, weights >= limits.lower]
    constraints.append(weights <= limits.upper)
    if np.isfinite(distance.limit):
        constraints.append(cp.sum(traded) <= distance.limit)
    risk = cp.quad_form(weights, cp.psd_wrap(hessian.values))
    problem = cp.Problem(
        cp.Minimize(risk / 2 - linear @ weights + distance.cost @ traded), constraints
    )
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    ours = answer.weights @ hessian.values @ answer.weights / 2 - linear @ answer.weights
    ours += distance.cost @ np.abs(answer.weights - distance.positions)
    assert ours == pytest.approx(problem.value, rel=1e-8, abs=1e-9)
    assert distance.of(answer.weights) <= distance.limit + 1e-12
    assert abs(answer.weights.sum() - limits.budget) <= 1e-13
    assert limits.holds(answer.weights)
    np.testing.assert_allclose(answer.weights, weights.value, atol=2e-4)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(trading_problems())
def test_limited_random_problem_no_exchange_improves(drawn):
    hessian, linear, limits, distance = drawn
    answer = limited.solve(hessian, linear, limits, distance)
    weights, step = answer.weights, 1e-5
    assert distance.of(weights) <= distance.limit + 1e-12

    def value(at: np.ndarray) -> float:
        risk = at @ hessian.values @ at / 2 - linear @ at
        return float(risk + distance.cost @ np.abs(at - distance.positions))

    here, rng = value(weights), np.random.default_rng(0)
    for _ in range(30):
        other = limits.repaired(weights + rng.standard_normal(len(weights)) * rng.choice([1, 0.1]))
        tried = weights + step * (other - weights)
        if distance.of(tried) <= distance.limit:
            assert value(tried) >= here - 1e-12
