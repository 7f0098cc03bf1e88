import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError
from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.oracle import assert_close, by_window

pytestmark = pytest.mark.slow

NAN = np.nan


@pytest.fixture(scope="module")
def values():
    """Ties, holes of one row and of several, a symbol that starts late."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(90, 4))
    table[:, 1] = np.round(table[:, 1], 1)
    table[40, 2] = table[60:64, 2] = NAN
    table[:17, 3] = NAN
    return table


@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_rolling_moments_with_holes_equal_pandas(values, n):
    window = pd.DataFrame(values).rolling(n)
    assert_close(indicators.rolling_sum(values, n), window.sum())
    for ddof in (0, 1):
        assert_close(indicators.rolling_variance(values, n, ddof=ddof), window.var(ddof=ddof))
        assert_close(indicators.rolling_std(values, n, ddof=ddof), window.std(ddof=ddof))
        score = (values - window.mean()) / window.std(ddof=ddof)
        expected = np.where(window.std() > 1e-12, score, NAN)
        assert_close(indicators.z_score(values, n, ddof=ddof), expected)


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 20])
def test_rolling_skew_and_kurtosis_equal_scipy(values, n):
    for ddof in (0, 1):
        skew = by_window(lambda w, bias=not ddof: stats.skew(w, bias=bias), n, values)
        kurtosis = by_window(lambda w, bias=not ddof: stats.kurtosis(w, bias=bias), n, values)
        assert_close(indicators.rolling_skew(values, n, ddof=ddof), skew)
        assert_close(indicators.rolling_kurtosis(values, n, ddof=ddof), kurtosis, unit=10.0)


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_rolling_extremes_and_order_equal_pandas(values, n):
    window = pd.DataFrame(values).rolling(n)
    np.testing.assert_array_equal(indicators.rolling_max(values, n), window.max())
    np.testing.assert_array_equal(indicators.rolling_min(values, n), window.min())
    assert_close(indicators.rolling_median(values, n), window.median())
    assert_close(indicators.percentile_rank(values, n), window.rank(pct=True))
    for share in (0.01, 0.25, 0.9):
        assert_close(indicators.rolling_quantile(values, n, share=share), window.quantile(share))
        numpy = by_window(lambda w, q=share: np.quantile(w, q), n, values)
        assert_close(indicators.rolling_quantile(values, n, share=share), numpy)


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_rolling_argmax_counts_rows_since_the_latest_of_equal_extremes(values, n):
    largest = by_window(lambda w: np.argmax(w[::-1]), n, values)
    smallest = by_window(lambda w: np.argmin(w[::-1]), n, values)
    np.testing.assert_array_equal(indicators.rolling_argmax(values, n), largest)
    np.testing.assert_array_equal(indicators.rolling_argmin(values, n), smallest)


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 3, 7, 20])
def test_rolling_pairs_with_holes_equal_numpy(values, n):
    other = values[:, [1, 0, 3, 2]] + 0.5 * values
    for ddof in (0, 1):
        expected = by_window(lambda x, y, d=ddof: np.cov(x, y, ddof=d)[0, 1], n, values, other)
        assert_close(indicators.rolling_covariance(values, other, n, ddof=ddof), expected)
    varies = by_window(lambda x, y: min(np.ptp(x), np.ptp(y)) > 0, n, values, other) == 1
    slope = by_window(lambda x, y: np.polyfit(y - y.mean(), x, 1)[0], n, values, other)
    varied = indicators.rolling_beta(values, other, n)
    assert_close(np.where(varies, varied, NAN), np.where(varies, slope, NAN), unit=100.0)
    if n > 2:  # of two points it is -1 or 1 but for rounding
        expected = by_window(lambda x, y: np.corrcoef(x, y)[0, 1], n, values, other)
        found = indicators.rolling_correlation(values, other, n)
        assert_close(np.where(varies, found, NAN), np.where(varies, expected, NAN))


def test_rolling_pairs_take_one_market_for_all_symbols(values):
    market = values[:, 0]
    beside = np.broadcast_to(market[:, None], values.shape)
    for function in (
        indicators.rolling_beta,
        indicators.rolling_correlation,
        indicators.rolling_covariance,
    ):
        np.testing.assert_array_equal(function(values, market, 7), function(values, beside, 7))
    assert_close(indicators.rolling_beta(values, market, 7)[6:, 0], np.ones(84))


def test_windows_without_variation_have_no_shape_and_no_score():
    flat = np.full(30, 0.1)
    assert (indicators.rolling_std(flat, 5)[4:] == 0.0).all()
    assert np.isnan(indicators.rolling_skew(flat, 5)).all()
    assert np.isnan(indicators.rolling_kurtosis(flat, 5)).all()
    assert np.isnan(indicators.z_score(flat, 5)).all()
    assert np.isnan(indicators.rolling_correlation(flat, np.arange(30.0), 5)).all()
    assert (indicators.rolling_beta(flat, np.arange(30.0), 5)[4:] == 0.0).all()
    assert (indicators.percentile_rank(flat, 5)[4:] == 0.6).all()


def test_perfect_lines_correlate_to_one_at_most():
    x = np.random.default_rng(1).normal(size=200)
    found = indicators.rolling_correlation(x, 3.0 * x - 7.0, 9)[8:]
    assert (found <= 1.0).all()
    np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("rolling_std", {"n": 1}),
        ("rolling_skew", {"n": 2, "ddof": 1}),
        ("rolling_kurtosis", {"n": 3, "ddof": 1}),
        ("rolling_variance", {"n": 5, "ddof": 2}),
        ("rolling_quantile", {"share": 1.0}),
    ],
)
def test_parameters_without_a_meaning_are_refused(values, name, arguments):
    with pytest.raises(ConfigError, match=name):
        getattr(indicators, name)(values, **arguments)
