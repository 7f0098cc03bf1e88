"""Rules inside the optimizers: hand arithmetic, a second formulation, brute force, conflicts."""

from itertools import combinations, product

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.core.registry import discover
from quant_assets.quant.optimization.base import Constraints, Optimizer
from quant_assets.quant.optimization.constraints.cardinality import Cardinality
from quant_assets.quant.optimization.constraints.factor_exposure import FactorExposure
from quant_assets.quant.optimization.constraints.group_limits import GroupLimits
from quant_assets.quant.optimization.constraints.lots import Lots
from quant_assets.quant.optimization.constraints.maximum_correlation import MaximumCorrelation
from quant_assets.quant.optimization.constraints.tracking_error import TrackingErrorLimit
from quant_assets.quant.optimization.constraints.transaction_cost import TransactionCost
from quant_assets.quant.optimization.constraints.turnover_limit import TurnoverLimit
from quant_assets.quant.optimization.constraints.volatility_cap import VolatilityCap
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.solvers.rule import Rule
from quant_assets_tests.quant.optimization.samples import market, with_covariance

N = 8
RETURNS = market(150, N, seed=3)
COVARIANCE = np.cov(RETURNS.T)
ANNUAL = COVARIANCE * 252
EQUAL = np.full(N, 1 / N)
LOADINGS = np.random.default_rng(0).standard_normal((N, 2))
SECTORS = ("a", "b") * (N // 2)
CONVEX = {
    "turnover": TurnoverLimit(EQUAL, 0.3),
    "transaction_cost": TransactionCost(EQUAL, 0.0004),
    "impact": TransactionCost(EQUAL, 0.0001, np.linspace(0.001, 0.004, N)),
    "group": GroupLimits(SECTORS, {"a": (0.3, 0.4)}),
    "factor_exposure": FactorExposure(LOADINGS, np.array([0.0, -0.1]), np.array([0.0, 0.1])),
    "volatility": VolatilityCap(ANNUAL, 0.125),
    "tracking_error": TrackingErrorLimit(EQUAL, ANNUAL, 0.03),
}
every_convex = pytest.mark.parametrize("name", list(CONVEX))
every_limit = pytest.mark.parametrize(
    "name", [name for name, rule in CONVEX.items() if not rule.is_cost]
)


def fitted(kind: type[Optimizer], *rules: Rule, **limits: object) -> Optimizer:
    return kind(constraints=Constraints(rules=rules, **limits), covariance="sample").fit(RETURNS)


def test_rules_every_kind_is_found():
    kinds = discover("quant_assets.quant.optimization.constraints", Rule)
    assert set(kinds) == {rule.name for rule in CONVEX.values()} | {
        "cardinality",
        "correlation",
        "lots",
    }


@pytest.mark.parametrize(
    ("rule", "broken", "kept"),
    [
        (TurnoverLimit(np.array([0.5, 0.5]), 0.2), ([0.7, 0.3], 0.2), [0.6, 0.4]),
        (TurnoverLimit(np.zeros(2), 0.2), ([0.7, 0.3], 0.0), [1.0, 0.0]),
        (GroupLimits(("x", "y"), {"x": (0.2, 0.4)}), ([0.5, 0.5], 0.1), [0.4, 0.6]),
        (
            FactorExposure(np.array([[2.0], [1.0]]), np.array([0.0]), np.array([1.0])),
            ([0.5, 0.5], 0.5),
            [0.0, 1.0],
        ),
        (VolatilityCap(np.diag([0.04, 0.09]), 0.1), ([1.0, 0.0], 0.1), [0.5, 0.0]),
        (
            TrackingErrorLimit(np.array([0.5, 0.5]), np.diag([0.04, 0.04]), 0.02),
            ([1.0, 0.5], 0.08),
            [0.6, 0.5],
        ),
        (Cardinality(1, 0.3), ([0.7, 0.2], 0.2), [1.0, 0.0]),
        (Cardinality(2, 0.3), ([0.7, 0.2], 0.1), [0.7, 0.3]),
        (Lots(np.array([0.1, 0.3])), ([0.14, 0.3], 0.04), [0.2, 0.9]),
        (
            MaximumCorrelation(np.array([[1.0, 0.9], [0.9, 1.0]]), 0.8),
            ([0.7, 0.3], 0.3),
            [1.0, 0.0],
        ),
    ],
)
def test_violation_by_hand(rule, broken, kept):
    weights, excess = broken
    assert rule.violation(np.array(weights)) == pytest.approx(excess)
    assert rule.violation(np.array(kept)) == pytest.approx(0.0, abs=1e-12)
    assert any(digit in rule.describe() for digit in "0123456789")


def test_transaction_cost_by_hand():
    cost = TransactionCost(np.array([0.5, 0.5]), 0.001, 0.01)
    # 0.04 each way: 0.08 * 0.001 + 2 * 0.008 * 0.01
    assert cost.cost(np.array([0.54, 0.46])) == pytest.approx(0.00008 + 0.00016)
    assert cost.violation(np.array([0.54, 0.46])) == 0.0


def test_turnover_mean_variance_by_hand():
    # daily utility m w1 - 2.5 (w1^2 + w2^2) s^2: from (0.5, 0.5) only 0.1 each way is allowed
    returns = with_covariance(np.diag([1e-4, 1e-4]), np.array([0.01, 0.0]))
    rules = (TurnoverLimit(np.array([0.5, 0.5]), 0.2),)
    optimizer = MeanVariance(constraints=Constraints(rules=rules), covariance="sample")
    optimizer.fit(returns)
    np.testing.assert_allclose(optimizer.weights_, [0.6, 0.4], atol=1e-13)
    assert optimizer.solver_report_.solver == "active set"
    assert optimizer.solver_report_.gap <= 1e-10


def test_costs_that_eat_the_gain_keep_the_portfolio():
    rules = (TransactionCost(EQUAL, 0.1),)
    np.testing.assert_array_equal(fitted(MeanVariance, *rules).weights_, EQUAL)


def test_min_net_leaves_cash_where_risk_is_not_paid():
    # no expected return: hold as little as allowed
    least = fitted(MinimumVariance, min_net=0.4)
    assert least.weights_.sum() == pytest.approx(0.4, abs=1e-12)
    full = fitted(MinimumVariance, budget=0.4)
    np.testing.assert_allclose(least.weights_, full.weights_, atol=1e-9)
    assert least.solver_report_.solver == "active set"


def test_bounds_per_asset_are_kept():
    upper = (0.1,) * 4 + (0.3,) * 4
    weights = fitted(MinimumVariance, upper=upper).weights_
    assert (weights <= np.array(upper)).all()
    assert np.isclose(weights, upper).any()


def test_bounds_of_an_array_compare_like_those_of_a_tuple():
    assert Constraints(upper=np.full(2, 0.5)) == Constraints(upper=(0.5, 0.5))


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ({"upper": (0.5, 0.5)}, ConfigError, "upper has 2 bounds for 8 assets"),
        ({"upper": (0.1,) * 8}, SolverError, r"8 upper bounds sum to 0.8, which = 0.8|sum to"),
        ({"min_net": 1.2}, SolverError, "min_net 1.2 > budget 1"),
        ({"min_net": 0.9, "upper": 0.1}, SolverError, "< budget 0.9"),
    ],
)
def test_unusable_limits_are_named(limits, error, message):
    with pytest.raises(error, match=message):
        fitted(MinimumVariance, **limits)


def test_group_limit_without_a_group_is_refused():
    with pytest.raises(ConfigError, match=r"groups \['z'\]"):
        GroupLimits(("x", "y"), {"z": (0.0, 1.0)})


def test_optimizer_that_cannot_keep_rules_refuses_them():
    rules = (Cardinality(3),)
    with pytest.raises(ConfigError, match="equal_weight cannot keep cardinality"):
        EqualWeight(constraints=Constraints(rules=rules)).fit(RETURNS)
    with pytest.raises(ConfigError, match="equal_weight cannot keep min_net"):
        EqualWeight(constraints=Constraints(min_net=0.5)).fit(RETURNS)


@pytest.mark.parametrize("kind", [MinimumVariance, MaximumSharpe])
def test_costs_without_an_objective_in_returns_are_refused(kind):
    with pytest.raises(ConfigError, match="to weigh transaction_cost against"):
        fitted(kind, TransactionCost(EQUAL, 0.001))


def oracle(rule: Rule, mean: np.ndarray, aversion: float, upper: float) -> float:
    """Largest mean-variance utility, written anew: quadratic form, explicit variables."""
    import cvxpy as cp

    w = cp.Variable(N)
    risk = cp.quad_form(w, cp.psd_wrap(COVARIANCE * 1e4))
    extra, cost = [], 0.0
    if isinstance(rule, TurnoverLimit):
        buys, sells = cp.Variable(N, nonneg=True), cp.Variable(N, nonneg=True)
        extra = [w == rule.previous + buys - sells, cp.sum(buys + sells) <= rule.limit]
    elif isinstance(rule, TransactionCost):
        buys, sells = cp.Variable(N, nonneg=True), cp.Variable(N, nonneg=True)
        extra = [w == rule.previous + buys - sells]
        traded = buys + sells
        cost = 1e4 * cp.sum(rule.rate * traded)
        if np.any(rule.impact):
            power = cp.power(traded, 1.5, approx=False)
            cost += 1e4 * cp.sum(cp.multiply(rule.impact, power))
    elif isinstance(rule, GroupLimits):
        inside = np.array([group == "a" for group in rule.groups], dtype=float)
        extra = [inside @ w <= 0.4, inside @ w >= 0.3]
    elif isinstance(rule, FactorExposure):
        extra = [rule.loadings.T @ w >= rule.lowest, rule.loadings.T @ w <= rule.highest]
    elif isinstance(rule, VolatilityCap):
        extra = [cp.norm(np.linalg.cholesky(ANNUAL).T @ w) <= rule.limit]
    elif isinstance(rule, TrackingErrorLimit):
        root = np.linalg.cholesky(ANNUAL).T  # not the library's
        extra = [cp.norm(root @ (w - EQUAL)) <= rule.limit]
    objective = 1e4 * mean @ w - aversion / 2 * risk - cost
    problem = cp.Problem(cp.Maximize(objective), [cp.sum(w) == 1, w >= 0, w <= upper, *extra])
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    assert problem.status == "optimal"
    return float(problem.value) / 1e4


@pytest.mark.slow
@every_convex
def test_mean_variance_with_a_rule_agrees_with_another_formulation(name):
    rule = CONVEX[name]
    optimizer = MeanVariance(
        constraints=Constraints(upper=0.4, rules=(rule,)), covariance="sample", risk_aversion=10.0
    ).fit(RETURNS)
    best = oracle(rule, RETURNS.mean(axis=0), 10.0, 0.4)
    report = optimizer.solver_report_
    assert report.objective == pytest.approx(best, rel=1e-7)
    assert report.residual <= 1e-8
    assert report.fallback == ""
    assert report.gap <= 1e-7


@pytest.mark.slow
@every_limit
def test_minimum_variance_with_a_rule_agrees_with_another_formulation(name):
    rule = CONVEX[name]
    report = fitted(MinimumVariance, rule, upper=0.4).solver_report_
    best = -2 * oracle(rule, np.zeros(N), 1.0, 0.4)
    assert report.objective == pytest.approx(best, rel=1e-7)
    assert report.residual <= 1e-8


@pytest.mark.slow
@every_limit
def test_maximum_sharpe_with_a_rule_solves_its_own_trade_off(name):
    # the optimum also maximises mu'w - t/2 w'Sw with t = mu'w / w'Sw
    rule = CONVEX[name]
    optimizer = fitted(MaximumSharpe, rule, upper=0.4)
    weights, mean = optimizer.weights_, RETURNS.mean(axis=0)
    variance = weights @ COVARIANCE @ weights
    aversion = float(mean @ weights) / variance
    utility = mean @ weights - aversion / 2 * variance
    assert utility == pytest.approx(oracle(rule, mean, aversion, 0.4), rel=1e-7)
    assert optimizer.solver_report_.residual <= 1e-8


@pytest.mark.slow
def test_programs_are_compiled_once_per_shape():
    from quant_assets.quant.optimization.solvers import convex

    convex._quadratic_program.cache_clear()
    for limit in (0.35, 0.4, 0.45):
        rule = GroupLimits(SECTORS, {"a": (0.3, limit)})
        first = fitted(MeanVariance, rule).weights_
    assert convex._quadratic_program.cache_info().misses == 1
    problem = convex._quadratic_program(Constraints(rules=(rule,)).region(N).form).problem
    assert problem.is_dcp(dpp=True)
    np.testing.assert_array_equal(fitted(MeanVariance, rule).weights_, first)


def supports(most: int) -> list[np.ndarray]:
    chosen = [c for size in range(1, most + 1) for c in combinations(range(N), size)]
    return [np.isin(np.arange(N), c) for c in chosen]


def best_of_boxes(boxes: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Least variance over boxes, each solved apart, by brute force."""
    values = []
    for lower, upper in boxes:
        if lower.sum() > 1 or upper.sum() < 1:
            continue
        limits = Constraints(lower=tuple(lower), upper=tuple(upper))
        fit = MinimumVariance(constraints=limits, covariance="sample").fit(RETURNS)
        values.append(fit.solver_report_.objective)
    return min(values)


@pytest.mark.slow
@pytest.mark.parametrize(("most", "floor"), [(1, 0.0), (3, 0.0), (4, 0.2), (8, 0.12)])
def test_cardinality_finds_what_brute_force_finds(most, floor):
    found = fitted(MinimumVariance, Cardinality(most, floor))
    boxes = [(np.where(s, floor, 0.0), np.where(s, 1.0, 0.0)) for s in supports(most)]
    assert found.solver_report_.objective == pytest.approx(best_of_boxes(boxes), rel=1e-9)
    assert found.solver_report_.gap <= 1e-6
    assert found.solver_report_.residual <= 1e-8
    assert "branch and bound" in found.solver_report_.solver


@pytest.mark.slow
def test_maximum_correlation_finds_what_brute_force_finds():
    correlation = np.corrcoef(RETURNS.T)
    limit = float(np.quantile(correlation[np.triu_indices(N, 1)], 0.7))
    found = fitted(MinimumVariance, MaximumCorrelation(correlation, limit))
    alike = np.triu(correlation > limit, 1)
    allowed = [s for s in supports(N) if not alike[np.ix_(s, s)].any()]
    boxes = [(np.zeros(N), s.astype(float)) for s in allowed]
    assert found.solver_report_.objective == pytest.approx(best_of_boxes(boxes), rel=1e-9)


def test_lots_find_what_brute_force_finds():
    # three assets in steps of 0.2, at most 0.2 in cash: 3^k portfolios, valued by hand
    returns = RETURNS[:, :3]
    covariance = np.cov(returns.T)
    optimizer = MeanVariance(
        constraints=Constraints(min_net=0.8, rules=(Lots(np.full(3, 0.2)),)),
        covariance="sample",
        risk_aversion=3.0,
    ).fit(returns)
    mean = returns.mean(axis=0)
    steps = [np.array(s) * 0.2 for s in product(range(6), repeat=3) if 4 <= sum(s) <= 5]
    values = [mean @ w - 1.5 * w @ covariance @ w for w in steps]
    assert optimizer.solver_report_.objective == pytest.approx(max(values), rel=1e-9)
    np.testing.assert_allclose(optimizer.weights_, steps[int(np.argmax(values))], atol=1e-15)
    assert optimizer.solver_report_.gap <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MinimumVariance, MeanVariance, MaximumSharpe])
def test_cardinality_of_twenty_assets_is_proven(kind):
    returns = market(250, 20, seed=3)
    rules = (Cardinality(5, 0.05),)
    limits = Constraints(upper=0.3, rules=rules)
    report = kind(constraints=limits).fit(returns).solver_report_
    assert report.gap <= 1e-6
    assert report.residual <= 1e-8


@pytest.mark.slow
def test_cardinality_with_groups_goes_through_cvxpy():
    groups = GroupLimits(SECTORS, {"a": (0.3, 0.4)})
    found = fitted(MinimumVariance, Cardinality(3, 0.1), groups)
    assert found.solver_report_.solver == "branch and bound over cvxpy/clarabel"
    assert found.solver_report_.residual <= 1e-8
    assert (found.weights_ > 1e-9).sum() <= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "limits", "message"),
    [
        (
            (VolatilityCap(ANNUAL, 0.01),),
            {},
            r"^budget and volatility conflict for 8 assets .*volatility <= 0.01",
        ),
        (
            (GroupLimits(SECTORS, {"a": (0.6, 1.0), "b": (0.6, 1.0)}),),
            {},
            "^budget and group conflict",
        ),
        (
            (TurnoverLimit(np.eye(N)[0], 0.5), GroupLimits(SECTORS, {"a": (0.0, 0.5)})),
            {},
            "^budget and group and turnover conflict",
        ),
        ((TurnoverLimit(np.eye(N)[0], 0.5),), {"upper": 0.4}, "^box and turnover conflict"),
        ((Cardinality(3),), {"upper": 0.3}, "^box and budget and cardinality conflict"),
        (
            (Cardinality(5), MaximumCorrelation(np.ones((N, N)), 0.5)),
            {"upper": 0.9},
            "^box and budget and correlation conflict",
        ),
        (
            (FactorExposure(np.ones((N, 1)), np.array([2.0]), np.array([3.0])),),
            {"max_gross": 1.5, "lower": -1.0},
            "^(budget|gross) and factor_exposure conflict",
        ),
    ],
)
def test_infeasible_rules_are_named(rules, limits, message):
    with pytest.raises(SolverError, match=message):
        fitted(MinimumVariance, *rules, **limits)


def test_search_that_is_too_long_says_how_far_it_came(monkeypatch):
    from quant_assets.quant.optimization.solvers import search

    monkeypatch.setattr(search, "MAX_NODES", 5)
    with pytest.raises(SolverError, match=r"cardinality: .* after \d+ parts of the box"):
        fitted(MinimumVariance, Cardinality(3, 0.2))


@pytest.mark.slow
def test_search_tells_of_a_part_that_fell_back(monkeypatch):
    from quant_assets.quant.optimization.solvers import quadratic

    monkeypatch.setattr(quadratic, "_fast", lambda *_: None)
    report = fitted(MinimumVariance, Cardinality(3)).solver_report_
    assert report.fallback == "cvxpy"
    assert report.solver == "branch and bound over cvxpy/clarabel"
