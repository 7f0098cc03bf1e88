"""Figures beside a benchmark against empyrical, scipy and by hand."""

import empyrical
import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import metrics, relative

PPY = 252
RNG = np.random.default_rng(1)
MARKET = RNG.standard_t(5, 400) * 0.01 + 2e-4
RETURNS = 0.8 * MARKET[:, None] + RNG.standard_t(5, (400, 2)) * 0.006 + 1e-4
FREE = 1.02 ** (1 / PPY) - 1

ORACLES = {
    "beta": (
        lambda r, m: metrics.beta(r, m, PPY, 0.02),
        lambda r, m: empyrical.beta_aligned(r, m, FREE),
    ),
    "alpha": (
        lambda r, m: metrics.alpha(r, m, PPY, 0.02),
        lambda r, m: empyrical.alpha_aligned(r, m, FREE, annualization=PPY),
    ),
    "jensen_alpha": (
        lambda r, m: relative.jensen_alpha(r, m, PPY, 0.02),
        lambda r, m: stats.linregress(m - FREE, r - FREE).intercept * PPY,
    ),
    "treynor_ratio": (
        lambda r, m: relative.treynor_ratio(r, m, PPY, 0.02),
        lambda r, m: (r - FREE).mean() * PPY / stats.linregress(m - FREE, r - FREE).slope,
    ),
    "correlation": (relative.correlation, lambda r, m: np.corrcoef(r, m)[0, 1]),
    "r_squared": (relative.r_squared, lambda r, m: stats.linregress(m, r).rvalue ** 2),
    "active_return": (
        lambda r, m: relative.active_return(r, m, PPY),
        lambda r, m: (r - m).mean() * PPY,
    ),
    "tracking_error": (
        lambda r, m: relative.tracking_error(r, m, PPY),
        lambda r, m: empyrical.annual_volatility(r - m, annualization=PPY),
    ),
    "excess_cagr": (
        lambda r, m: relative.excess_cagr(r, m, PPY),
        lambda r, m: empyrical.cagr(r, annualization=PPY) - empyrical.cagr(m, annualization=PPY),
    ),
    "up_capture": (
        lambda r, m: relative.up_capture(r, m, PPY),
        lambda r, m: empyrical.up_capture(r, m, period="daily"),
    ),
    "down_capture": (
        lambda r, m: relative.down_capture(r, m, PPY),
        lambda r, m: empyrical.down_capture(r, m, period="daily"),
    ),
    "capture_ratio": (
        lambda r, m: relative.capture_ratio(r, m, PPY),
        lambda r, m: empyrical.up_down_capture(r, m, period="daily"),
    ),
    "batting_average": (relative.batting_average, lambda r, m: (r > m).mean()),
}


@pytest.mark.parametrize("name", ORACLES)
def test_figure_equals_its_oracle_for_one_and_for_several(name):
    ours, oracle = ORACLES[name]
    alone = ours(RETURNS[:, 0], MARKET)
    assert isinstance(alone, float)
    expected = [float(oracle(column, MARKET)) for column in RETURNS.T]
    assert alone == pytest.approx(expected[0], rel=1e-9)
    assert ours(RETURNS, MARKET).tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ORACLES)
def test_rows_that_either_lacks_are_left_out(name):
    ours, _ = ORACLES[name]
    returns, market = RETURNS[:, 0].copy(), MARKET.copy()
    returns[[0, 50]] = market[[60, 399]] = np.nan
    both = np.isfinite(returns) & np.isfinite(market)
    assert ours(returns, market) == pytest.approx(ours(returns[both], market[both]), rel=1e-12)


@pytest.mark.parametrize("name", [n for n in ORACLES if n != "batting_average"])
def test_a_benchmark_of_another_length_is_refused(name):
    with pytest.raises(DataError, match="the returns have 400 rows"):
        ORACLES[name][0](RETURNS, MARKET[1:])


def test_modigliani_moves_the_volatility_to_that_of_the_benchmark():
    # twice the benchmark's excess return at four times its deviation: half of it remains
    market = np.array([0.01, -0.01, 0.03, 0.01])
    returns = 2 * market.mean() + 4 * (market - market.mean())
    found = relative.modigliani(returns, market, 4)
    assert found == pytest.approx(0.5 * market.mean() * 4)
    free = np.full(4, 0.002)
    lifted = relative.modigliani(returns + free, market + free, 4, free)
    assert lifted == pytest.approx(found + 0.008)


def test_nothing_is_measured_beside_a_constant_benchmark():
    flat = np.full(400, 1e-4)
    for figure in (metrics.beta, metrics.alpha, relative.treynor_ratio, relative.jensen_alpha):
        assert np.isnan(figure(RETURNS, flat, PPY)).all()
    assert np.isnan(relative.correlation(RETURNS, flat)).all()
    assert np.isnan(relative.down_capture(RETURNS, flat, PPY)).all()


def test_tracking_error_of_the_benchmark_itself_is_zero():
    assert relative.tracking_error(MARKET, MARKET, PPY) == 0.0
