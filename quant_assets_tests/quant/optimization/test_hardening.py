"""Hardening: projections by hand, a second solver, and conflicts with their numbers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import DataError, SolverError
from quant_assets.quant.optimization import projection_kernel
from quant_assets.quant.optimization.constraints.base import FeasibleSet, HardeningProblem
from quant_assets.quant.optimization.hardening import constraints_of, harden, is_reachable
from quant_assets.quant.optimization.projection import project
from quant_assets_tests.quant.optimization.plain_projection import project_plainly

CASH = np.zeros(3)


def test_harden_feasible_target_is_kept():
    target = np.array([0.5, 0.3, 0.2])
    hardened = harden(target, constraints=HardeningProblem(max_weight=0.5), previous=CASH)
    np.testing.assert_array_equal(hardened.weights, target)
    assert hardened.binding == ()
    assert hardened.distance == 0.0


def test_harden_box_and_budget_by_hand():
    # the cap takes 0.3 away, the others share it equally
    problem = HardeningProblem(max_weight=0.5)
    hardened = harden([0.8, 0.15, 0.05], constraints=problem, previous=CASH)
    np.testing.assert_allclose(hardened.weights, [0.5, 0.3, 0.2], atol=1e-15)
    assert hardened.binding == ("box", "budget")
    assert hardened.distance == pytest.approx(np.sqrt(0.3**2 + 2 * 0.15**2))


def test_harden_turnover_by_hand():
    # 0.4 may trade two-way: half of the way
    problem = HardeningProblem(max_turnover=0.4)
    hardened = harden([0.9, 0.1], constraints=problem, previous=[0.5, 0.5])
    np.testing.assert_allclose(hardened.weights, [0.7, 0.3], atol=1e-12)
    assert hardened.binding == ("turnover",)


def test_harden_turnover_spends_itself_where_the_gap_is_widest():
    # wishes +0.3, -0.2, -0.1 with 0.2 to spend: buy 0.1 of the first, sell 0.1 of the second,
    # because shrinking (0.2, 0.1) to a sum of 0.1 leaves (0.1, 0)
    previous = np.array([0.2, 0.5, 0.3])
    hardened = harden(
        [0.5, 0.3, 0.2], constraints=HardeningProblem(max_turnover=0.2), previous=previous
    )
    np.testing.assert_allclose(hardened.weights, [0.3, 0.4, 0.3], atol=1e-12)


def test_harden_turnover_zero_holds_what_it_has():
    previous = np.array([0.2, 0.5, 0.3])
    hardened = harden(
        [0.5, 0.3, 0.2], constraints=HardeningProblem(max_turnover=0.0), previous=previous
    )
    np.testing.assert_allclose(hardened.weights, previous, atol=1e-12)


def test_harden_gross_by_hand():
    # gross 1.6 to 1.2 at net 0: each side gives 0.2
    problem = HardeningProblem(budget=0.0, min_weight=-1.0, max_gross=1.2)
    hardened = harden([0.8, -0.8], constraints=problem, previous=np.zeros(2))
    np.testing.assert_allclose(hardened.weights, [0.6, -0.6], atol=1e-12)
    assert hardened.binding == ("gross",)


def test_harden_net_span_by_hand():
    problem = HardeningProblem(budget=None, max_net=0.6)
    hardened = harden([0.5, 0.3], constraints=problem, previous=np.zeros(2))
    np.testing.assert_allclose(hardened.weights, [0.4, 0.2], atol=1e-12)
    assert hardened.binding == ("net",)


def test_harden_bounds_per_asset_are_kept():
    problem = HardeningProblem(max_weight=np.array([0.5, 0.0, 0.6]))
    hardened = harden([0.2, 0.6, 0.2], constraints=problem, previous=CASH)
    np.testing.assert_allclose(hardened.weights, [0.5, 0.0, 0.5], atol=1e-12)


def test_harden_from_cash_turnover_is_not_limited():
    problem = HardeningProblem(max_turnover=0.1)
    hardened = harden([0.5, 0.3, 0.2], constraints=problem, previous=CASH)
    np.testing.assert_array_equal(hardened.weights, [0.5, 0.3, 0.2])


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            HardeningProblem(max_weight=0.3),
            r"box and budget conflict for 3 assets \(box: 0 <= weight <= 0.3; "
            r"budget: sum of weights = 1\)",
        ),
        (HardeningProblem(max_gross=0.9), r"budget and gross conflict.*sum of \|weight\| <= 0.9"),
        (HardeningProblem(min_weight=0.6, max_weight=0.5), r"^box conflict.*0.6 <= weight <= 0.5"),
        (HardeningProblem(max_net=0.5), r"budget and net conflict.*<= 0.5"),
        (
            HardeningProblem(max_weight=0.4, max_turnover=0.5),
            r"box and turnover conflict.*The others need a turnover of 0.6",
        ),
        (
            HardeningProblem(max_weight=0.45, max_turnover=1.0, max_gross=1.0),
            r"box and budget and turnover conflict.*The others need a turnover of 1.1",
        ),
        (
            HardeningProblem(budget=0.5, max_turnover=0.4),
            r"budget and turnover conflict.*The others need a turnover of 0.5",
        ),
    ],
)
def test_harden_conflict_names_the_smallest_set_with_numbers(problem, message):
    with pytest.raises(SolverError, match=message):
        harden([0.5, 0.3, 0.2], constraints=problem, previous=[1.0, 0.0, 0.0])


def test_harden_relief_allows_the_smallest_necessary_turnover():
    # 1.0 must fall to 0.45, and the 0.55 must go somewhere: 1.1, of which none is left for wishes
    problem = HardeningProblem(max_weight=0.45, max_turnover=0.2)
    previous = np.array([1.0, 0.0, 0.0])
    hardened = harden([0.2, 0.4, 0.4], constraints=problem, previous=previous, turnover_relief=True)
    assert np.abs(hardened.weights - previous).sum() == pytest.approx(1.1, abs=1e-12)
    assert hardened.weights[0] == pytest.approx(0.45)
    assert hardened.weights[1:] == pytest.approx([0.275, 0.275])
    assert "turnover_relaxed" in hardened.binding
    assert "turnover" not in hardened.binding


def test_harden_relief_is_not_used_where_turnover_suffices():
    problem = HardeningProblem(max_turnover=0.4)
    hardened = harden([0.9, 0.1], constraints=problem, previous=[0.5, 0.5], turnover_relief=True)
    assert hardened.binding == ("turnover",)


def test_harden_relief_does_not_hide_another_conflict():
    problem = HardeningProblem(max_weight=0.3, max_turnover=0.2)
    with pytest.raises(SolverError, match="box and budget conflict"):
        harden([1.0, 0, 0], constraints=problem, previous=[1.0, 0, 0], turnover_relief=True)


def test_is_reachable_agrees_with_harden():
    previous = np.array([1.0, 0.0, 0.0])
    assert not is_reachable(HardeningProblem(max_weight=0.4, max_turnover=0.5), previous)
    assert is_reachable(HardeningProblem(max_weight=0.4, max_turnover=1.2), previous)


@pytest.mark.parametrize(
    ("target", "previous"),
    [([np.nan, 1.0], [0.0, 0.0]), ([0.5, 0.5], [0.0, np.inf]), ([], []), ([[0.5]], [0.5])],
)
def test_harden_unusable_weights_are_refused(target, previous):
    with pytest.raises(DataError, match=r"finite weights of shape"):
        harden(target, constraints=HardeningProblem(), previous=previous)


def test_harden_different_lengths_are_refused():
    with pytest.raises(DataError, match="target has 2 weights, previous 3"):
        harden([0.5, 0.5], constraints=HardeningProblem(), previous=CASH)


def nearest(target, previous, problem):
    """Projection by Clarabel (what cvxpy calls); None when it proves the problem infeasible.

    Variables (w, a, d) with a >= |w| and d >= |w - previous|; rows `A x <= b`.
    """
    import clarabel
    from scipy import sparse

    n_assets = len(target)
    eye, none = np.eye(n_assets), np.zeros((n_assets, n_assets))
    ones, zero = np.ones(n_assets), np.zeros(n_assets)
    rows = [[eye, none, none], [-eye, none, none], [eye, -eye, none], [-eye, -eye, none]]
    rows += [[eye, none, -eye], [-eye, none, -eye]]
    bounds = [problem.max_weight * ones, -problem.min_weight * ones, zero, zero]
    bounds += [previous, -previous]
    sums: list[tuple[list[np.ndarray], float]] = []
    low = problem.min_net if problem.budget is None else problem.budget
    high = problem.max_net if problem.budget is None else problem.budget
    sums += [([ones, zero, zero], high), ([-ones, zero, zero], -low)]
    if problem.max_gross is not None:
        sums.append(([zero, ones, zero], problem.max_gross))
    if problem.max_turnover is not None and previous.any():
        sums.append(([zero, zero, ones], problem.max_turnover))
    matrix = np.vstack([np.hstack(row) for row in rows] + [np.hstack(row) for row, _ in sums])
    right = np.concatenate([*bounds, [limit for _, limit in sums]])
    settings_ = clarabel.DefaultSettings()
    settings_.verbose = False
    settings_.tol_gap_abs = settings_.tol_gap_rel = settings_.tol_feas = 1e-11
    solution = clarabel.DefaultSolver(
        sparse.csc_matrix(np.diag(np.concatenate([ones, zero, zero]))),
        np.concatenate([-target, zero, zero]),
        sparse.csc_matrix(matrix),
        right,
        [clarabel.NonnegativeConeT(len(right))],
        settings_,
    ).solve()
    solved = str(solution.status) in {"Solved", "AlmostSolved"}
    return np.array(solution.x)[:n_assets] if solved else None


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n_assets = draw(st.integers(1, 15))
    limits = st.sampled_from
    target = rng.standard_normal(n_assets) * 0.2 + 0.5 / n_assets
    style = draw(limits(["invested", "part", "short", "cash"]))
    previous = {
        "invested": rng.dirichlet(np.ones(n_assets)),
        "part": rng.dirichlet(np.ones(n_assets)) * 0.7,
        "short": rng.standard_normal(n_assets) * 0.1,
        "cash": np.zeros(n_assets),
    }[style]
    previous[rng.random(n_assets) < 0.2] = 0.0
    budget = draw(limits([1.0, 1.0, 0.5, 0.0, None]))
    problem = HardeningProblem(
        budget=budget,
        min_weight=draw(limits([0.0, 0.0, -0.3, 0.1 / n_assets])),
        max_weight=draw(limits([0.2, 0.5, 1.0])) + 0.5 / n_assets,
        max_gross=draw(limits([None, 1.0, 1.5])),
        min_net=-0.1 if budget is None else None,
        max_net=0.6 if budget is None else None,
        max_turnover=draw(limits([None, 1.0, 0.5, 0.2])),
    )
    return target, previous, problem


def keeps_every_constraint_or_names_a_conflict(target, previous, problem):
    if not is_reachable(problem, previous):
        with pytest.raises(SolverError, match="conflict"):
            harden(target, constraints=problem, previous=previous)
        return
    weights = harden(target, constraints=problem, previous=previous).weights
    for rule in constraints_of(problem):
        assert rule.violation(weights, previous) <= 1e-9


@settings(max_examples=20, deadline=None, derandomize=True)
@given(problems())
def test_harden_random_problem_keeps_every_constraint_or_names_a_conflict(drawn):
    keeps_every_constraint_or_names_a_conflict(*drawn)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(problems())
def test_harden_a_thousand_problems_keep_every_constraint_or_name_a_conflict(drawn):
    keeps_every_constraint_or_names_a_conflict(*drawn)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, derandomize=True)
@given(problems())
def test_harden_random_problem_agrees_with_clarabel(drawn):
    target, previous, problem = drawn
    expected = nearest(target, previous, problem)
    assert is_reachable(problem, previous) == (expected is not None)
    assume(expected is not None)
    hardened = harden(target, constraints=problem, previous=previous)
    np.testing.assert_allclose(hardened.weights, expected, atol=2e-6)
    assert hardened.distance <= np.linalg.norm(expected - target) + 1e-8


@settings(max_examples=20, deadline=None, derandomize=True)
@given(problems())
def test_harden_permuted_assets_permute_the_weights(drawn):
    target, previous, problem = drawn
    assume(is_reachable(problem, previous))
    order = np.random.default_rng(len(target)).permutation(len(target))
    plain = harden(target, constraints=problem, previous=previous)
    shuffled = harden(target[order], constraints=problem, previous=previous[order])
    np.testing.assert_allclose(shuffled.weights, plain.weights[order], atol=1e-9)
    assert shuffled.binding == plain.binding


@settings(max_examples=20, deadline=None, derandomize=True)
@given(problems())
def test_harden_twice_changes_nothing(drawn):
    target, previous, problem = drawn
    assume(is_reachable(problem, previous))
    once = harden(target, constraints=problem, previous=previous).weights
    twice = harden(once, constraints=problem, previous=previous).weights
    np.testing.assert_allclose(twice, once, atol=1e-9)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(problems())
def test_project_equals_the_plain_twin(drawn):
    target, previous, problem = drawn
    assume(is_reachable(problem, previous))
    feasible = FeasibleSet.everything(len(target))
    for rule in constraints_of(problem):
        feasible = rule.narrow(feasible, previous)
    ours = project(target, previous, feasible).weights
    np.testing.assert_allclose(ours, project_plainly(target, previous, feasible), atol=1e-10)


def test_project_compiles_for_what_warm_up_compiled():
    projection_kernel.warm_up()
    compiled = len(projection_kernel.nearest.signatures)
    problem = HardeningProblem(budget=None, min_weight=-1.0, max_gross=0.8, max_turnover=0.3)
    target = np.array([[0.5, 0.0], [-0.5, 0.0], [0.5, 0.0]])[:, 0]
    target.flags.writeable = False
    harden(target, constraints=problem, previous=[0.3, -0.3, 0.1])
    assert len(projection_kernel.nearest.signatures) == compiled


def holds(target, previous, problem, names):
    """Whether any weights keep the named constraints, by a linear program (HiGHS)."""
    from scipy.optimize import linprog

    n_assets = len(target)
    eye, none = np.eye(n_assets), np.zeros((n_assets, n_assets))
    ones, zero = np.ones(n_assets), np.zeros(n_assets)
    rows = [np.hstack([eye, -eye, none]), np.hstack([-eye, -eye, none])]
    rows += [np.hstack([eye, none, -eye]), np.hstack([-eye, none, -eye])]
    right = [zero, zero, previous, -previous]
    limits = {
        "net": [(1, problem.max_net), (-1, None if problem.min_net is None else -problem.min_net)],
        "budget": [(1, problem.budget), (-1, None if problem.budget is None else -problem.budget)],
    }
    for name, ends in limits.items():
        for sign, limit in ends:
            if name in names and limit is not None:
                rows.append(np.concatenate([sign * ones, zero, zero])[None, :])
                right.append(np.array([limit]))
    if "gross" in names:
        rows.append(np.concatenate([zero, ones, zero])[None, :])
        right.append(np.array([problem.max_gross]))
    if "turnover" in names:
        rows.append(np.concatenate([zero, zero, ones])[None, :])
        right.append(np.array([problem.max_turnover]))
    low, high = (problem.min_weight, problem.max_weight) if "box" in names else (None, None)
    bounds = [(low, high)] * n_assets + [(None, None)] * (2 * n_assets)
    solved = linprog(np.zeros(3 * n_assets), np.vstack(rows), np.concatenate(right), bounds=bounds)
    return solved.status == 0


@pytest.mark.slow
@settings(max_examples=250, deadline=None, derandomize=True)
@given(problems())
def test_harden_conflict_is_the_smallest_by_linear_programs(drawn):
    target, previous, problem = drawn
    assume(not is_reachable(problem, previous))
    with pytest.raises(SolverError) as raised:
        harden(target, constraints=problem, previous=previous)
    named = str(raised.value).split(" conflict")[0].split(" and ")
    assert not holds(target, previous, problem, named)
    for name in named:
        assert holds(target, previous, problem, [other for other in named if other != name])
