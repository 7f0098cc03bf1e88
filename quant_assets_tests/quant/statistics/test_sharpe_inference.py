import math

import numpy as np
import pytest
from scipy import integrate, stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics import sharpe_inference
from quant_assets.quant.statistics.sharpe_inference import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio_autocorrelation_adjusted,
    sharpe_standard_error,
)

pytestmark = pytest.mark.slow

NAN = np.nan
FIGURES = {
    "sharpe_standard_error": sharpe_standard_error,
    "probabilistic_sharpe_ratio": probabilistic_sharpe_ratio,
    "deflated_sharpe_ratio": lambda r: deflated_sharpe_ratio(r, n_trials=9, trial_variance=0.01),
    "minimum_track_record_length": minimum_track_record_length,
    "sharpe_ratio_autocorrelation_adjusted": lambda r: sharpe_ratio_autocorrelation_adjusted(r, 4),
}
each = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)


def _returns(rows=240, columns=3):
    return np.random.default_rng(4).standard_t(5, size=(rows, columns)) * 0.01 + 0.001


def _plain_error(r):
    """Standard error of a Sharpe ratio from scipy's moments."""
    ratio = r.mean() / r.std(ddof=1)
    skew, kurt = stats.skew(r), stats.kurtosis(r, fisher=False)
    return ratio, math.sqrt((1 - skew * ratio + (kurt - 1) / 4 * ratio**2) / (len(r) - 1))


def test_probabilistic_sharpe_ratio_equals_its_formula_on_scipys_moments():
    table = _returns()
    for column, ours in zip(table.T, probabilistic_sharpe_ratio(table), strict=True):
        ratio, error = _plain_error(column)
        assert ours == pytest.approx(stats.norm.cdf(ratio / error), rel=1e-9)
        assert sharpe_standard_error(column) == pytest.approx(error, rel=1e-9)
        against = probabilistic_sharpe_ratio(column, benchmark_sharpe=0.1)
        assert against == pytest.approx(stats.norm.cdf((ratio - 0.1) / error), rel=1e-9)


def test_deflated_sharpe_ratio_equals_the_papers_numerical_example():
    # Bailey & Lopez de Prado (2014): annual SR 2.5, T 1250, N 100, annual variance of trials 1/2,
    # skewness -3, kurtosis 10: threshold .1132 a day, DSR .9004.
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    ratio, excess = 2.5 / math.sqrt(250), 2.5 / math.sqrt(250) - 0.1132
    z = excess * math.sqrt(1249) / math.sqrt(1 + 3 * ratio + 9 / 4 * ratio**2)
    assert stats.norm.cdf(z) == pytest.approx(0.9004, abs=5e-4)


def test_deflated_sharpe_ratio_is_probabilistic_against_the_expected_maximum():
    r = _returns()
    threshold = expected_maximum_sharpe(50, 0.002)
    ratio, error = _plain_error(r[:, 0])
    deflated = deflated_sharpe_ratio(r, n_trials=50, trial_variance=0.002)
    assert deflated[0] == pytest.approx(stats.norm.cdf((ratio - threshold) / error), rel=1e-9)
    alone = deflated_sharpe_ratio(r, n_trials=1, trial_variance=0.0)
    np.testing.assert_array_equal(alone, probabilistic_sharpe_ratio(r))


@pytest.mark.parametrize("n", [10, 100, 1_000])
def test_expected_maximum_is_near_the_integral_over_the_largest_of_n(n):
    def mean_of_largest(z):
        return z * n * stats.norm.pdf(z) * stats.norm.cdf(z) ** (n - 1)

    exact, _ = integrate.quad(mean_of_largest, -10, 10)
    # the papers' approximation is 2 to 3 % high for few trials
    assert expected_maximum_sharpe(n, 1.0) == pytest.approx(exact, rel=0.03)


def test_expected_maximum_by_formula_and_for_a_single_trial():
    g, n = 0.5772156649015329, 37.5
    z = stats.norm.ppf
    expected = 0.3 * ((1 - g) * z(1 - 1 / n) + g * z(1 - 1 / (n * math.e)))
    assert expected_maximum_sharpe(n, 0.09) == pytest.approx(expected, rel=1e-12)
    assert expected_maximum_sharpe(1, 0.09) == 0.0


def test_minimum_track_record_length_is_where_the_probability_is_reached():
    r = _returns()[:, 0]
    needed = float(minimum_track_record_length(r, benchmark_sharpe=0.02, confidence=0.9))
    ratio, error = _plain_error(r)
    # the same moments over `needed` rows give exactly the confidence
    stretched = error * math.sqrt((len(r) - 1) / (needed - 1))
    assert stats.norm.cdf((ratio - 0.02) / stretched) == pytest.approx(0.9, rel=1e-9)
    assert needed != round(needed)


def test_minimum_track_record_length_of_a_ratio_below_the_benchmark_is_infinite():
    r = _returns()[:, 0]
    assert minimum_track_record_length(-np.abs(r)) == np.inf
    assert minimum_track_record_length(r, benchmark_sharpe=9.0) == np.inf


def test_minimum_backtest_length_equals_the_papers_example_and_bound():
    # Bailey et al. (2014): 5 years suffice for no more than 45 independent configurations
    assert minimum_backtest_length(45) == pytest.approx(5.0, abs=0.1)
    trials = np.array([7, 45, 1_000])
    assert np.all(minimum_backtest_length(trials) < 2 * np.log(trials))
    np.testing.assert_allclose(
        minimum_backtest_length(trials, annual_sharpe=2.0), minimum_backtest_length(trials) / 4
    )


@pytest.mark.slow
@pytest.mark.parametrize("q", [1, 4, 12, 52])
def test_autocorrelation_adjustment_equals_lo_on_statsmodels_autocorrelations(q):
    from statsmodels.tsa.stattools import acf

    r = np.convolve(_returns(400, 1)[:, 0], [1, 0.4, 0.2], "valid")
    rho = acf(r, nlags=q, fft=False)
    weighted = sum((q - k) * rho[k] for k in range(1, q))
    expected = r.mean() / r.std(ddof=1) * q / math.sqrt(q + 2 * weighted)
    assert sharpe_ratio_autocorrelation_adjusted(r, q) == pytest.approx(expected, rel=1e-9)


def test_autocorrelation_adjustment_without_lags_is_the_plain_annual_ratio():
    r = _returns()
    plain = r.mean(axis=0) / r.std(axis=0, ddof=1) * math.sqrt(252)
    ours = sharpe_ratio_autocorrelation_adjusted(r, 252, max_lag=0)
    np.testing.assert_allclose(ours, plain, rtol=1e-12)


def test_autocorrelation_adjustment_with_a_negative_variance_is_nan():
    # rho_1 = -5/6: 3 + 2 (3 - 1) rho_1 < 0
    assert np.isnan(sharpe_ratio_autocorrelation_adjusted([1, 0, 1, 0, 1, 0], 3, max_lag=1))


@each
def test_figure_of_a_table_is_the_figure_of_its_columns(figure):
    table = _returns()
    table[[0, 9], 1] = NAN
    together = figure(table)
    assert together.shape == (3,)
    for column in range(3):
        np.testing.assert_allclose(figure(table[:, column]), together[column], rtol=1e-12)
    np.testing.assert_array_equal(figure(table[:, [2, 0, 1]]), together[[2, 0, 1]])


@each
@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_figure_does_not_depend_on_the_scale(figure, scale):
    table = _returns()
    np.testing.assert_allclose(figure(table * scale), figure(table), rtol=1e-9)


@each
@pytest.mark.parametrize("returns", [[], [0.1], [NAN, NAN], [0.1] * 20, [0.0] * 5])
def test_figure_of_a_series_without_a_sharpe_ratio_is_nan(figure, returns):
    assert np.isnan(figure(returns))


@each
def test_figure_of_infinite_returns_names_the_row(figure):
    with pytest.raises(DataError, match="row 1 of returns is infinite"):
        figure([0.1, np.inf, 0.2])
    with pytest.raises(DataError, match="shape"):
        figure(np.zeros((2, 2, 2)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: expected_maximum_sharpe(0.5, 1.0),
        lambda: expected_maximum_sharpe(5, -1.0),
        lambda: minimum_backtest_length(0),
        lambda: minimum_backtest_length(5, annual_sharpe=0.0),
        lambda: minimum_track_record_length([0.1, 0.2], confidence=0.5),
        lambda: sharpe_ratio_autocorrelation_adjusted([0.1, 0.2], 0),
        lambda: sharpe_ratio_autocorrelation_adjusted([0.1, 0.2], 4, max_lag=-1),
    ],
)
def test_impossible_settings_are_refused(call):
    with pytest.raises(ConfigError):
        call()


def test_many_strategies_are_looked_at_in_blocks_of_the_same_result(monkeypatch):
    table = _returns(60, 23)
    whole = minimum_track_record_length(table)
    monkeypatch.setattr(sharpe_inference, "_BLOCK", 240)
    np.testing.assert_allclose(minimum_track_record_length(table), whole, rtol=1e-12)
