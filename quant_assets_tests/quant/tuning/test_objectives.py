import numpy as np
import pytest
from scipy import stats

from quant_assets.core.parameters import plug_in
from quant_assets.core.registry import discover
from quant_assets.quant.tuning.objectives.base import OBJECTIVES, Objective

RETURNS = np.random.default_rng(2).normal(0.001, 0.01, 300)


def value(name, returns=RETURNS, periods=252.0):
    return plug_in(OBJECTIVES, Objective, name).measure(returns, periods)


def test_objectives_are_those_worked_by_hand():
    wealth = np.cumprod(1.0 + RETURNS)
    peaks = np.maximum.accumulate(np.r_[1.0, wealth])
    drawdown = (np.r_[1.0, wealth] / peaks - 1.0).min()
    growth = wealth[-1] ** (252 / 300) - 1.0
    shortfall = np.sqrt((np.minimum(RETURNS, 0.0) ** 2).mean())
    expected = {
        "sharpe": RETURNS.mean() / RETURNS.std(ddof=1) * np.sqrt(252),
        "sortino": RETURNS.mean() / shortfall * np.sqrt(252),
        "calmar": growth / -drawdown,
        "cagr": growth,
        "total_return": wealth[-1] - 1.0,
        "max_drawdown": drawdown,
        "omega": np.maximum(RETURNS, 0.0).sum() / -np.minimum(RETURNS, 0.0).sum(),
    }
    found = {name: value(name) for name in expected}
    assert found == pytest.approx(expected, rel=1e-12)


def _psr(returns, threshold):
    sharpe = returns.mean() / returns.std(ddof=1)
    spread = 1.0 - stats.skew(returns) * sharpe + (stats.kurtosis(returns) + 2) / 4 * sharpe**2
    return stats.norm.cdf((sharpe - threshold) * np.sqrt(len(returns) - 1) / np.sqrt(spread))


def test_deflated_sharpe_is_that_of_the_paper_with_trials_without_skill():
    luck = (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / 40) + np.euler_gamma * stats.norm.ppf(
        1 - 1 / (40 * np.e)
    )
    expected = _psr(RETURNS, luck / np.sqrt(299))
    assert value({"deflated_sharpe": {"n_trials": 40}}) == pytest.approx(expected, rel=1e-10)


def test_probabilistic_sharpe_takes_a_yearly_benchmark():
    expected = _psr(RETURNS, 0.5 / np.sqrt(252))
    assert value({"probabilistic_sharpe": {"benchmark": 0.5}}) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", sorted(discover(OBJECTIVES, Objective)))
def test_objective_of_a_trial_that_never_trades_is_no_large_number(name):
    found = value(name, np.zeros(50))
    assert np.isnan(found) or found <= 0.0


@pytest.mark.parametrize("name", sorted(discover(OBJECTIVES, Objective)))
def test_objective_prefers_the_better_of_two_series(name):
    noise = np.random.default_rng(0).normal(0.0, 0.01, 400)
    assert value(name, noise - noise.mean() + 0.002) > value(name, noise - noise.mean() - 0.002)
