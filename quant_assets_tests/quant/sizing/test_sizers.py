import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariance import covariance_matrix
from quant_assets.quant.sizing.fixed import Fixed
from quant_assets.quant.sizing.kelly import Kelly, growth_bet
from quant_assets.quant.sizing.kelly_bets import KellyBets
from quant_assets.quant.sizing.risk_parity import RiskParity
from quant_assets.quant.sizing.volatility_target import VolatilityTarget

FAR = 1e9  # a limit that is never met


def _rows(n_rows=250, n_names=4, seed=1):
    rng = np.random.default_rng(seed)
    market = rng.normal(size=(n_rows, 1))
    return 0.01 * (0.6 * market + rng.normal(size=(n_rows, n_names)) + 0.1)


def _outcomes(wins, losses, *, gain, loss):
    """One name that won `gain` and lost `loss`, one after the other."""
    return np.array([gain] * wins + [-loss] * losses)[:, None]


def test_fixed_gives_each_name_its_fraction_until_the_limit():
    assert_array_equal(Fixed(fraction=0.2).weights([1, 0, -1], np.zeros((0, 3))), [0.2, 0, -0.2])
    scaled = Fixed(fraction=0.4, max_leverage=0.9).weights([1, -1, 1], np.zeros((0, 3)))
    assert_allclose(scaled, [0.3, -0.3, 0.3])


def test_kelly_bets_of_two_outcomes_stake_p_minus_q_over_b():
    rows = _outcomes(12, 8, gain=1.5, loss=1.0)
    whole = KellyBets(fraction=1.0, max_leverage=FAR)
    assert_allclose(whole.weights([1], rows), [0.6 - 0.4 / 1.5])
    assert_allclose(KellyBets(fraction=0.25).weights([1], rows), [0.25 * (0.6 - 0.4 / 1.5)])
    assert_allclose(whole.weights([-1], -rows), [-(0.6 - 0.4 / 1.5)])


def test_kelly_bets_of_two_outcomes_make_wealth_grow_fastest():
    from scipy.optimize import minimize_scalar

    rows = _outcomes(13, 12, gain=0.05, loss=0.04)
    growth = minimize_scalar(
        lambda w: -np.log1p(w * rows).mean(), bounds=(0.0, 24.0), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    sized = KellyBets(fraction=1.0, max_leverage=FAR).weights([1], rows)
    assert_allclose(sized, [growth.x], rtol=1e-6)


def test_kelly_bets_of_a_negative_edge_or_unknown_odds_are_nothing():
    whole = KellyBets(fraction=1.0)
    assert whole.weights([1], _outcomes(8, 12, gain=1.0, loss=1.0))[0] == 0.0
    assert whole.weights([1], _outcomes(20, 0, gain=1.0, loss=1.0) + _wiggle())[0] == 0.0


def _wiggle():
    return 0.01 * (np.arange(20) % 2)[:, None]


def test_kelly_of_one_name_is_excess_mean_over_variance():
    rows = _rows(n_names=1)
    free = 1.03 ** (1 / 252) - 1
    expected = 0.5 * (rows.mean() - free) / rows.var(ddof=1)
    sizer = Kelly(periods_per_year=252, risk_free_rate=0.03, covariance="sample", max_leverage=FAR)
    assert_allclose(sizer.weights([1], rows), [expected])


def test_kelly_of_a_negative_edge_is_nothing():
    rows = _rows(n_names=1)
    assert Kelly(periods_per_year=252).weights([-1], rows)[0] == 0.0
    assert Kelly(periods_per_year=252, risk_free_rate=9.0).weights([1], rows)[0] == 0.0


def test_kelly_of_several_names_is_the_inverse_covariance_times_the_mean():
    rows = _rows(n_names=3) + 0.005
    sizer = Kelly(periods_per_year=252, fraction=1.0, covariance="sample", max_leverage=FAR)
    expected = np.linalg.inv(np.cov(rows.T)) @ rows.mean(axis=0)
    assert (expected > 0).all()
    assert_allclose(sizer.weights([1, 1, 1], rows), expected)


def test_growth_bet_meets_the_conditions_of_the_optimum():
    """Kuhn-Tucker: no gradient where a stake is positive, none upwards where it is 0."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = _rows(n_names=6, seed=seed)
        mean, covariance = 0.001 * rng.normal(size=6), np.cov(rows.T)
        bet = growth_bet(mean, covariance)
        gradient = mean - covariance @ bet
        assert (bet >= 0.0).all()
        assert np.abs(gradient[bet > 0]).max(initial=0.0) < 1e-12
        assert (gradient[bet == 0] <= 1e-12).all()


def test_growth_bet_without_any_edge_is_nothing():
    assert_array_equal(growth_bet(np.array([-1.0, -2.0]), np.eye(2)), [0.0, 0.0])


def test_kelly_refuses_names_that_copy_each_other():
    rows = _rows(n_names=2)[:, [0, 1, 0]]
    with pytest.raises(DataError, match="shrink"):
        Kelly(periods_per_year=252, covariance="sample").weights([1, 1, 1], rows)


@pytest.mark.parametrize("sides", [[1, 1, 1, 1], [1, -1, 1, 0]])
def test_risk_parity_gives_equal_risk_shares(sides):
    rows = _rows() * [1.0, 2.0, 0.5, 3.0]
    weights = RiskParity(max_leverage=2.0, covariance="sample").weights(sides, rows)
    shares = weights * (np.cov(rows.T) @ weights)
    shares /= shares.sum()
    held = np.array(sides) != 0
    assert_allclose(shares[held], 1.0 / held.sum(), atol=1e-6)
    assert_array_equal(np.sign(weights), sides)
    assert np.abs(weights).sum() == pytest.approx(2.0)


def test_volatility_target_of_two_unrelated_names_by_hand():
    rows = np.tile([[0.01, 0.02], [-0.01, 0.02], [0.01, -0.02], [-0.01, -0.02]], (6, 1))
    sizer = VolatilityTarget(
        periods_per_year=100, target=0.2, covariance="sample", max_leverage=FAR
    )
    deviation = np.sqrt(24 / 23) * np.array([0.01, 0.02])
    expected = 0.2 / np.sqrt(2 * 100) / deviation
    assert_allclose(sizer.weights([1, -1], rows), expected * [1, -1])


def test_volatility_target_is_met_before_the_fact_and_never_beyond_the_limit():
    rows = _rows()
    free = VolatilityTarget(periods_per_year=252, target=0.15, max_leverage=FAR)
    weights = free.weights([1, 1, -1, 1], rows)
    covariance = covariance_matrix(rows, estimator="ewma")
    assert np.sqrt(weights @ covariance @ weights * 252) == pytest.approx(0.15)
    tight = VolatilityTarget(periods_per_year=252, target=0.15, max_leverage=0.5)
    limited = tight.weights([1, 1, -1, 1], rows)
    assert np.abs(limited).sum() == pytest.approx(0.5)
    assert_allclose(limited / weights, np.full(4, 0.5 / np.abs(weights).sum()))


def test_volatility_target_of_positions_that_cancel_out_is_nothing():
    rows = _rows(n_names=1)[:, [0, 0]]
    assert_array_equal(VolatilityTarget(periods_per_year=252).weights([1, -1], rows), [0.0, 0.0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_realised_volatility_of_a_planted_series_is_the_target(seed):
    """Volatility swings between 8 and 32 % a year; the size of a row comes from the rows before."""
    rng = np.random.default_rng(seed)
    n_rows = 12_000
    planted = 0.16 * 2.0 ** np.sin(2 * np.pi * np.arange(n_rows) / 2_000) / np.sqrt(252)
    returns = (planted * rng.normal(size=n_rows))[:, None]
    sizer = VolatilityTarget(periods_per_year=252, target=0.10, max_leverage=10.0)
    weights = sizer.weights_over_time(np.ones((n_rows, 1)), returns, lookback=250)
    earned = weights[299:-1, 0] * returns[300:, 0]
    assert earned.std(ddof=1) * np.sqrt(252) == pytest.approx(0.10, rel=0.02)
    unsized = returns[300:, 0].std(ddof=1) * np.sqrt(252)
    assert unsized > 0.15
