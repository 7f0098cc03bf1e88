"""Covariance estimators against hand arithmetic, scikit-learn, numpy and pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariance import (
    complete_rows,
    covariance_matrix,
    ewma_covariance,
    ledoit_wolf,
    ledoit_wolf_shrinkage,
    sample_covariance,
)

pytestmark = pytest.mark.slow


def market(n_rows: int, n_assets: int, *, scale: float = 0.01, seed: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_rows, 1))
    return scale * (0.6 * common + rng.standard_normal((n_rows, n_assets)))


def test_sample_covariance_two_assets_by_hand():
    # deviations (-1, 0, 1) and (-2, 2, 0): sums of products 2, 8, 2; divided by T - 1 = 2
    returns = [[1.0, 1.0], [2.0, 5.0], [3.0, 3.0]]
    np.testing.assert_allclose(sample_covariance(returns), [[1.0, 1.0], [1.0, 4.0]], atol=1e-15)


def test_sample_covariance_random_equals_numpy():
    returns = market(100, 6)
    np.testing.assert_allclose(sample_covariance(returns), np.cov(returns.T), rtol=1e-12)


def test_ledoit_wolf_uncorrelated_unit_rows_is_the_mean_variance():
    # three unit rows: every deviation has length sqrt(2/3); the sample says nothing but its trace
    np.testing.assert_allclose(ledoit_wolf(np.eye(3)), np.eye(3) * 2 / 9, atol=1e-16)
    assert ledoit_wolf_shrinkage(np.eye(3)) == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-8, 0.01, 1e6])
@pytest.mark.parametrize(("n_rows", "n_assets"), [(252, 20), (30, 60), (5, 3), (100, 1), (2, 2)])
def test_ledoit_wolf_any_shape_and_scale_equals_sklearn(n_rows, n_assets, scale):
    from sklearn.covariance import ledoit_wolf as oracle

    returns = market(n_rows, n_assets, scale=scale)
    expected, shrinkage = oracle(returns)
    size = np.abs(expected).max()
    np.testing.assert_allclose(ledoit_wolf(returns) / size, expected / size, atol=1e-12)
    assert ledoit_wolf_shrinkage(returns) == pytest.approx(shrinkage, abs=1e-12)


@pytest.mark.parametrize("half_life", [1.0, 20.0, 500.0])
def test_ewma_covariance_random_equals_pandas(half_life):
    returns = market(120, 4)
    frame = pd.DataFrame(returns)
    expected = frame.ewm(halflife=half_life).cov(bias=True).loc[119].to_numpy()
    actual = ewma_covariance(returns, half_life=half_life)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-18)


def test_ewma_covariance_two_rows_by_hand():
    # weights 1/3 and 2/3: mean 2/3, variance 1/3 (2/3)^2 + 2/3 (1/3)^2 = 2/9
    assert ewma_covariance([[0.0], [1.0]], half_life=1.0)[0, 0] == pytest.approx(2 / 9)


def test_ewma_covariance_without_half_life_is_refused():
    with pytest.raises(ConfigError, match="half_life is 0"):
        ewma_covariance(market(10, 2), half_life=0)


ESTIMATORS = ["ewma", "ledoit_wolf", "sample"]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_covariance_rows_with_nan_are_dropped(estimator):
    returns = market(40, 3)
    holed = np.insert(returns, [0, 17, 40], [np.nan, 1.0, 1.0], axis=0)
    expected = covariance_matrix(returns, estimator=estimator)
    np.testing.assert_array_equal(covariance_matrix(holed, estimator=estimator), expected)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("whole_rows", [0, 1])
def test_covariance_fewer_than_two_whole_rows_is_refused(estimator, whole_rows):
    returns = np.full((5, 2), np.nan)
    returns[:whole_rows] = 0.01
    with pytest.raises(DataError, match=f"{whole_rows} of 5 rows"):
        covariance_matrix(returns, estimator=estimator)


def test_complete_rows_infinity_is_refused_with_its_place():
    returns = market(5, 2)
    returns[3, 1] = np.inf
    with pytest.raises(DataError, match=r"returns\[3, 1\] is inf"):
        complete_rows(returns)


def test_complete_rows_one_dimension_is_refused():
    with pytest.raises(DataError, match=r"found shape \(3,\)"):
        complete_rows([0.1, 0.2, 0.3])


def test_covariance_matrix_unknown_estimator_lists_the_known():
    with pytest.raises(ConfigError, match=r"'best'; known: .*'ewma', .*'ledoit_wolf', .*'sample'"):
        covariance_matrix(market(5, 2), estimator="best")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_covariance_constant_and_duplicated_assets_stays_psd(estimator):
    returns = market(50, 4)
    returns[:, 1] = returns[:, 0]
    returns[:, 2] = 0.003
    matrix = covariance_matrix(returns, estimator=estimator)
    assert np.linalg.eigvalsh(matrix).min() >= -1e-15 * np.trace(matrix)
    np.testing.assert_array_equal(matrix, matrix.T)


@settings(max_examples=100, deadline=None)
@given(
    n_rows=st.integers(2, 40),
    n_assets=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    exponent=st.integers(-8, 6),
    estimator=st.sampled_from(ESTIMATORS),
)
def test_covariance_any_input_is_psd_and_permutes(n_rows, n_assets, seed, exponent, estimator):
    returns = market(n_rows, n_assets, scale=10.0**exponent, seed=seed)
    matrix = covariance_matrix(returns, estimator=estimator)
    size = np.trace(matrix)
    assert np.linalg.eigvalsh(matrix).min() >= -1e-13 * size
    order = np.random.default_rng(seed).permutation(n_assets)
    shuffled = covariance_matrix(returns[:, order], estimator=estimator)
    np.testing.assert_allclose(shuffled, matrix[np.ix_(order, order)], atol=1e-12 * size)
