"""Covariances of returns with gaps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.moments.covariance import covariance_matrix
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.moments.missing import (
    available_covariance,
    nearest_correlation,
    pairwise_covariance,
)
from quant_assets_tests.quant.moments.test_covariance import market

POLICIES = ["complete_rows", "pairwise", "available"]


def holed(n_rows: int, n_assets: int, share: float, seed: int = 1) -> np.ndarray:
    returns = market(n_rows, n_assets, seed=seed)
    returns[np.random.default_rng(seed).random(returns.shape) < share] = np.nan
    return returns


@pytest.mark.parametrize("estimator", ["sample", "denoised", "detoned", "statistical_factors"])
@pytest.mark.parametrize("missing", POLICIES)
def test_policies_agree_when_nothing_is_missing(estimator, missing):
    returns = market(80, 5)
    expected = covariance_matrix(returns, estimator=estimator)
    actual = covariance_matrix(returns, estimator=estimator, missing=missing)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-16)


def test_pairwise_equals_pandas():
    returns = holed(200, 5, 0.2)
    expected = pd.DataFrame(returns).cov().to_numpy()
    np.testing.assert_allclose(pairwise_covariance(returns).covariance, expected, rtol=1e-9)


def test_available_equals_pandas_volatilities_and_correlations():
    frame = pd.DataFrame(holed(200, 5, 0.2))
    expected = frame.corr().to_numpy() * np.outer(frame.std(), frame.std())
    actual = available_covariance(frame.to_numpy()).covariance
    np.testing.assert_allclose(actual, expected, rtol=1e-9)


def test_pairwise_counts_the_thinnest_pair():
    returns = market(50, 3)
    returns[:10, 0] = np.nan
    returns[40:, 1] = np.nan
    assert pairwise_covariance(returns).n_rows == 30


def test_pair_without_common_rows_is_refused_by_name():
    returns = market(20, 3)
    returns[:10, 1] = np.nan
    returns[10:, 2] = np.nan
    with pytest.raises(DataError, match="assets 1 and 2 have 0 rows in common"):
        covariance_matrix(returns, estimator="sample", missing="pairwise")


def test_estimator_of_rows_refuses_pairs_and_lists_who_can():
    with pytest.raises(ConfigError, match=r"oas needs whole rows.*\['denoised', 'detoned'"):
        covariance_matrix(market(20, 3), estimator="oas", missing="pairwise")
    with pytest.raises(ConfigError, match=r"no policy 'fill'; known: \['available'"):
        covariance_matrix(market(20, 3), missing="fill")


def test_nearest_correlation_equals_higham():
    # the example of Higham (2002) that numerical libraries print
    given = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    expected = [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    np.testing.assert_allclose(nearest_correlation(given), expected, atol=1e-4)


@pytest.mark.slow
def test_nearest_correlation_equals_a_cone_program():
    import cvxpy as cp

    rng = np.random.default_rng(4)
    given = np.corrcoef(rng.standard_normal((6, 30))) + 0.8 * rng.standard_normal((6, 6))
    given = np.clip((given + given.T) / 2, -1, 1)
    np.fill_diagonal(given, 1.0)
    matrix = cp.Variable((6, 6), PSD=True)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(matrix - given)), [cp.diag(matrix) == 1])
    problem.solve(solver="CLARABEL")
    actual = nearest_correlation(given)
    assert np.linalg.eigvalsh(given)[0] < -0.05
    assert ((actual - given) ** 2).sum() == pytest.approx(problem.value, rel=1e-6)
    np.testing.assert_allclose(actual, matrix.value, atol=1e-4)


def test_nearest_correlation_of_a_correlation_is_itself():
    matrix = np.corrcoef(market(50, 4).T)
    np.fill_diagonal(matrix, 1.0)
    np.testing.assert_array_equal(nearest_correlation(matrix), matrix)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    n_assets=st.integers(2, 12),
    seed=st.integers(0, 2000),
    share=st.sampled_from([0.1, 0.4, 0.6]),
    missing=st.sampled_from(["pairwise", "available"]),
)
def test_gaps_of_any_kind_give_a_psd_matrix_with_the_right_variances(
    n_assets, seed, share, missing
):
    returns = holed(30, n_assets, share, seed)
    present = (~np.isnan(returns)).astype(float)
    if (present.T @ present).min() < 3:
        return
    matrix = covariance_matrix(returns, estimator="sample", missing=missing)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-12 * np.trace(matrix)
    np.testing.assert_allclose(np.diag(matrix), np.nanvar(returns, axis=0, ddof=1), rtol=1e-8)
    assert np.abs(to_correlation(matrix)[0]).max() <= 1.0
