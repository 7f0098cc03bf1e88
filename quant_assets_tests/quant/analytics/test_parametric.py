import numpy as np
import pytest
from scipy import integrate, stats

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import parametric

RETURNS = np.random.default_rng(3).standard_t(4, (300, 2)) * 0.01 + 3e-4


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5])
def test_parametric_value_at_risk_is_the_normal_point(level):
    expected = stats.norm.ppf(level, RETURNS.mean(0), RETURNS.std(0, ddof=1))
    found = parametric.parametric_value_at_risk(RETURNS, level)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-9)


@pytest.mark.parametrize("level", [0.01, 0.05])
def test_parametric_conditional_value_at_risk_is_the_mean_of_the_normal_tail(level):
    series = RETURNS[:, 0]
    normal = stats.norm(series.mean(), series.std(ddof=1))
    point = normal.ppf(level)
    tail, _ = integrate.quad(lambda x: x * normal.pdf(x), point - 0.3, point, epsabs=1e-15)
    found = parametric.parametric_conditional_value_at_risk(series, level)
    assert found == pytest.approx(tail / level, rel=1e-9)


def test_modified_value_at_risk_of_a_symmetric_mesokurtic_series_is_the_normal_one():
    # weights 1/8, 3/4, 1/8 on -2, 0, 2: m2 = 1, m4 = 4, so k = 1, s = 0
    series = np.repeat([-0.02, 0.0, 0.02], [1, 6, 1])
    z = stats.norm.ppf(0.05)
    point = z + (z**3 - 3 * z) / 24
    expected = point * series.std(ddof=1)
    assert parametric.modified_value_at_risk(series) == pytest.approx(expected, rel=1e-9)


def test_modified_value_at_risk_by_the_formula():
    series, z = RETURNS[:, 1], stats.norm.ppf(0.01)
    s, k = stats.skew(series), stats.kurtosis(series)
    point = np.polynomial.Polynomial([-s / 6, 1 - 3 * k / 24 + 5 * s**2 / 36, s / 6])(z)
    point += z**3 * (k / 24 - 2 * s**2 / 36)
    expected = series.mean() + point * series.std(ddof=1)
    assert parametric.modified_value_at_risk(series, 0.01) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", parametric.__all__)
def test_edges(name):
    figure = getattr(parametric, name)
    holed = np.insert(RETURNS[:, 0], [0, 40], np.nan)
    assert figure(holed) == pytest.approx(figure(RETURNS[:, 0]), rel=1e-12)
    assert figure(RETURNS)[1] == pytest.approx(figure(RETURNS[:, 1]), rel=1e-14)
    assert figure(RETURNS * 1e-6)[0] == pytest.approx(figure(RETURNS)[0] * 1e-6, rel=1e-9)
    for empty in (np.array([]), np.array([0.1]), np.full(5, np.nan)):
        assert np.isnan(figure(empty))
    with pytest.raises(DataError, match=r"between 0 and 1; found 5"):
        figure(RETURNS, 5)
    with pytest.raises(DataError, match="1 returns are infinite, the first is in row 1"):
        figure(np.array([0.1, np.inf]))
