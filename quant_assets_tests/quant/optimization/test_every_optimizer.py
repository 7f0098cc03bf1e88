"""What every discovered optimizer must keep: budget, bounds, symmetry, determinism, honesty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from quant_assets.core.errors import QuantAssetsError, SolverError
from quant_assets.core.registry import discover
from quant_assets.quant.optimization.base import LONG_ONLY, Constraints, Optimizer
from quant_assets.quant.optimization.limits import CHAMPION
from quant_assets_tests.quant.optimization.samples import market

pytestmark = pytest.mark.slow

KINDS = discover("quant_assets.quant.optimization", Optimizer)
# those without defaults have tests of their own
OPTIMIZERS = {name: kind for name, kind in KINDS.items() if not kind.required_parameters()}
# a program of cvxpy, or many fits, each time
SLOW = {"cvar_budgeting", "factor_neutral", "minimum_cdar", "stacking"}
# too few rows for an answer that means anything: an error that says so
REFUSED = {("cvar_budgeting", 3), ("stacking", 3)}
every = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in OPTIMIZERS],
)
MEMBERS = ("equal_risk_contribution", "minimum_variance")
BOX = Constraints(upper=0.3)


def alpha(n_assets: int) -> np.ndarray:
    return np.linspace(0.12, -0.02, n_assets)


def data(name: str, returns: np.ndarray) -> dict[str, np.ndarray]:
    """What the optimizer needs beside returns: the market as benchmark, its swings as factor."""
    market_return = returns.mean(axis=1)
    swings = np.abs(market_return) - np.abs(market_return).mean()
    given = {"benchmark": market_return, "factors": swings[:, None]}
    return {key: given[key] for key in OPTIMIZERS[name].needs}


def made(name: str, constraints: Constraints = BOX) -> Optimizer:
    if name == "factor_neutral":  # a long-only portfolio is not neutral, but nearly
        return OPTIMIZERS[name](constraints=constraints, tolerance=10.0)
    if OPTIMIZERS[name].has_members:  # all entrants together: see their own tests
        return OPTIMIZERS[name](constraints=constraints, members=MEMBERS)
    return OPTIMIZERS[name](constraints=constraints)


def fitted(name: str, returns: np.ndarray, constraints: Constraints = BOX) -> Optimizer:
    expected = alpha(returns.shape[1])
    return made(name, constraints).fit(returns, expected_returns=expected, **data(name, returns))


def test_optimizers_the_eight_entrants_are_found():
    assert {
        "equal_risk_contribution",
        "equal_weight",
        "hierarchical_risk_parity",
        "inverse_volatility",
        "maximum_sharpe",
        "mean_variance",
        "minimum_cvar",
        "minimum_variance",
    } <= set(OPTIMIZERS)
    assert CHAMPION not in OPTIMIZERS


@settings(max_examples=12, deadline=None)
@given(n_assets=st.integers(4, 25), seed=st.integers(0, 999), budget=st.sampled_from([0.5, 1.0]))
@pytest.mark.parametrize("name", sorted(OPTIMIZERS.keys() - SLOW))
def test_optimizer_any_market_keeps_budget_and_says_what_it_breaks(name, n_assets, seed, budget):
    constraints = Constraints(budget=budget, upper=0.3)
    optimizer = fitted(name, market(80, n_assets, seed=seed), constraints)
    weights, report = optimizer.weights_, optimizer.solver_report_
    assert abs(weights.sum() - budget) <= 1e-9
    assert weights.min() >= -1e-9
    assert report.residual == constraints.violation(weights)
    assert report.status == "optimal"
    assert report.fallback == ""
    if OPTIMIZERS[name].keeps_constraints:
        assert report.residual <= 1e-8


@every
def test_optimizer_permuted_assets_permute_the_weights(name):
    returns = market(150, 9)
    order = np.random.default_rng(5).permutation(9)
    optimizer = made(name)
    given = data(name, returns)
    plain = optimizer.fit(returns, expected_returns=alpha(9), **given).weights_
    moved, expected = returns[:, order], alpha(9)[order]
    shuffled = optimizer.fit(moved, expected_returns=expected, **given).weights_
    np.testing.assert_allclose(shuffled, plain[order], atol=1e-8)


@every
def test_optimizer_exchangeable_assets_get_equal_weights(name):
    # all sign patterns: equal variances, no correlation, equal means and tails
    returns = 0.01 * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    rows = returns.repeat(8, axis=0)
    optimizer = made(name, LONG_ONLY)
    optimizer.fit(rows, expected_returns=[0.1] * 3, **data(name, rows))
    weights = optimizer.weights_
    if name in ("minimum_cvar", "minimum_worst_loss"):  # all portfolios lose 1 % in the worst row
        assert optimizer.solver_report_.objective == pytest.approx(0.01)
    elif name == "minimum_cdar":  # drawdowns depend on the order of the rows
        assert optimizer.solver_report_.objective > 0
    else:
        np.testing.assert_allclose(weights, [1 / 3] * 3, atol=1e-9)


@every
@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_optimizer_scale_of_returns_does_not_matter(name, scale):
    if name == "kelly":
        pytest.skip("growth has a scale: a loss of 100 % ruins")
    returns = market(150, 6)
    optimizer = made(name)
    plain = optimizer.fit(returns, **data(name, returns)).weights_
    # utility weighs mean against variance: scaling the returns scales the aversion
    if "risk_aversion" in optimizer.get_params():
        aversion = optimizer.get_params()["risk_aversion"]
        if aversion is not None:
            optimizer = clone(optimizer).set_params(risk_aversion=aversion / scale)
    scaled = returns * scale
    weights = optimizer.fit(scaled, **data(name, scaled)).weights_
    np.testing.assert_allclose(weights, plain, atol=1e-7)


@every
def test_optimizer_same_input_gives_the_same_bits(name):
    returns = market(100, 12)
    first, second = fitted(name, returns), fitted(name, returns)
    assert first.weights_.tobytes() == second.weights_.tobytes()
    assert first.solver_report_ == second.solver_report_


@every
@pytest.mark.parametrize("n_rows", [3, 10, 100])
def test_optimizer_duplicated_and_constant_assets_are_survived(name, n_rows):
    returns = market(n_rows, 12)
    returns[:, 1] = returns[:, 0]
    returns[:, 2] = 0.0
    if (name, n_rows) in REFUSED:
        with pytest.raises(QuantAssetsError):
            fitted(name, returns)
        return
    optimizer = fitted(name, returns)
    assert abs(optimizer.weights_.sum() - 1.0) <= 1e-9
    assert np.isfinite(optimizer.weights_).all()


@every
def test_optimizer_box_too_small_is_a_named_error(name):
    with pytest.raises(SolverError, match=r"4 assets x upper 0\.2 = 0\.8 < budget 1"):
        fitted(name, market(50, 4), Constraints(upper=0.2))


@every
def test_optimizer_box_without_room_has_one_answer(name):
    weights = fitted(name, market(50, 5), Constraints(lower=0.2, upper=0.2)).weights_
    if OPTIMIZERS[name].keeps_constraints:
        np.testing.assert_allclose(weights, [0.2] * 5, atol=1e-12)


@every
def test_optimizer_clone_has_the_same_parameters(name):
    optimizer = OPTIMIZERS[name](constraints=BOX)
    assert clone(optimizer).get_params() == optimizer.get_params()


@every
def test_optimizer_input_is_left_alone(name):
    returns = market(60, 5)
    before = returns.copy()
    fitted(name, returns)
    np.testing.assert_array_equal(returns, before)
