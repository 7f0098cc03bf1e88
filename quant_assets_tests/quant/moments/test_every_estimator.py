"""What every discovered estimator of covariance and means must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.registry import discover
from quant_assets.quant.moments.covariance import (
    COVARIANCES,
    covariance_estimator,
    covariance_matrix,
)
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.expected import MEANS, expected_returns
from quant_assets.quant.moments.means.base import MeanEstimator
from quant_assets_tests.quant.moments.test_covariance import market

pytestmark = pytest.mark.slow

KINDS = discover(COVARIANCES, CovarianceEstimator)
WITH_DATA = {"given", "given_factors"}  # these have tests of their own
NAMES = sorted(KINDS.keys() - WITH_DATA)
MEAN_NAMES = sorted(discover(MEANS, MeanEstimator))
every = pytest.mark.parametrize("name", NAMES)
every_mean = pytest.mark.parametrize("name", MEAN_NAMES)


def test_estimators_the_promised_ones_are_found():
    assert set(KINDS) == {
        "correlation",
        "denoised",
        "detoned",
        "ewma",
        "gerber",
        "given",
        "given_factors",
        "ledoit_wolf",
        "ledoit_wolf_constant_correlation",
        "ledoit_wolf_nonlinear",
        "oas",
        "sample",
        "statistical_factors",
    }
    assert MEAN_NAMES == ["bayes_stein", "bodnar", "equilibrium", "ewma", "james_stein", "sample"]


@every
@pytest.mark.parametrize("scale", [1e-8, 1e6])
@pytest.mark.parametrize(("n_rows", "n_assets"), [(60, 5), (14, 30), (20, 1)])
def test_covariance_any_shape_and_scale_is_psd(name, n_rows, n_assets, scale):
    matrix = covariance_matrix(market(n_rows, n_assets, scale=scale), estimator=name)
    assert matrix.shape == (n_assets, n_assets)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-13 * np.trace(matrix)
    plain = covariance_matrix(market(n_rows, n_assets), estimator=name)
    factor = 1.0 if name == "correlation" else (scale / 0.01) ** 2
    np.testing.assert_allclose(matrix, plain * factor, rtol=1e-6, atol=1e-9 * np.trace(matrix))


@every
def test_covariance_constant_and_duplicated_assets_stay_psd(name):
    returns = market(50, 6)
    returns[:, 1] = returns[:, 0]
    returns[:, 2] = 0.003
    matrix = covariance_matrix(returns, estimator=name)
    assert np.isfinite(matrix).all()
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-13 * np.trace(matrix)
    assert matrix[0, 1] == pytest.approx(matrix[1, 0])


@every
def test_covariance_without_any_movement_is_zero_or_the_identity(name):
    matrix = covariance_matrix(np.zeros((20, 3)), estimator=name)
    expected = np.eye(3) if name == "correlation" else np.zeros((3, 3))
    np.testing.assert_array_equal(matrix, expected)


@every
def test_covariance_permuted_assets_permute_the_matrix(name):
    returns, order = market(60, 7), np.array([3, 0, 6, 2, 5, 1, 4])
    moved = covariance_matrix(returns[:, order], estimator=name)
    plain = covariance_matrix(returns, estimator=name)
    np.testing.assert_allclose(moved, plain[np.ix_(order, order)], atol=1e-8 * np.trace(plain))


@every
def test_covariance_input_is_left_alone_and_the_same_bits_come_back(name):
    returns = market(40, 4)
    before = returns.copy()
    returns.flags.writeable = False
    first = covariance_matrix(returns, estimator=name)
    assert first.tobytes() == covariance_matrix(returns, estimator=name).tobytes()
    np.testing.assert_array_equal(returns, before)


@every
def test_covariance_rows_with_nan_are_dropped_and_infinity_is_refused(name):
    returns = market(40, 3)
    holed = np.insert(returns, [0, 17, 40], [np.nan, 1.0, 1.0], axis=0)
    expected = covariance_matrix(returns, estimator=name)
    np.testing.assert_array_equal(covariance_matrix(holed, estimator=name), expected)
    holed[5, 1] = np.inf
    with pytest.raises(DataError, match=r"returns\[5, 1\] is inf"):
        covariance_matrix(holed, estimator=name)


@every
@pytest.mark.parametrize("returns", [np.empty((0, 2)), np.ones((1, 2)), np.full((9, 2), np.nan)])
def test_covariance_without_rows_is_refused(name, returns):
    with pytest.raises(DataError, match="rows are free of NaN"):
        covariance_matrix(returns, estimator=name)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    n_rows=st.integers(13, 60),
    n_assets=st.integers(1, 40),
    seed=st.integers(0, 10_000),
    exponent=st.integers(-8, 6),
)
def test_covariance_any_market_is_psd(name, n_rows, n_assets, seed, exponent):
    matrix = covariance_matrix(
        market(n_rows, n_assets, scale=10.0**exponent, seed=seed), estimator=name
    )
    assert np.isfinite(matrix).all()
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-12 * np.trace(matrix)


@pytest.mark.parametrize("name", sorted(WITH_DATA))
def test_covariance_estimator_that_needs_data_is_refused_by_name(name):
    with pytest.raises(ConfigError, match="has no defaults"):
        covariance_estimator(name)


@every_mean
@pytest.mark.parametrize("scale", [1e-8, 1e6])
def test_mean_any_scale_and_order_moves_with_the_returns(name, scale):
    returns, order = market(60, 5) + np.linspace(0.0, 0.002, 5), np.array([4, 2, 0, 1, 3])
    plain = expected_returns(returns, estimator=name)
    assert plain.shape == (5,)
    moved = expected_returns(returns[:, order], estimator=name)
    np.testing.assert_allclose(moved, plain[order], rtol=1e-8)
    # the equilibrium is a variance times an aversion, the others are means
    factor = scale**2 if name == "equilibrium" else scale
    scaled = expected_returns(returns * scale, estimator=name)
    np.testing.assert_allclose(scaled, plain * factor, rtol=1e-8)


@every_mean
def test_mean_rows_with_nan_are_dropped(name):
    returns = market(40, 3)
    holed = np.insert(returns, [0, 40], [np.nan, 1.0, 1.0], axis=0)
    expected = expected_returns(returns, estimator=name)
    np.testing.assert_array_equal(expected_returns(holed, estimator=name), expected)


@every_mean
def test_mean_of_constant_assets_is_finite_or_refused(name):
    returns = np.full((20, 3), 0.001)
    if name in ("bayes_stein", "bodnar"):
        with pytest.raises(DataError, match="singular"):
            expected_returns(returns, estimator=name)
    else:
        expected = 0.0 if name == "equilibrium" else 0.001
        np.testing.assert_allclose(expected_returns(returns, estimator=name), expected, atol=1e-18)


def test_expected_returns_unknown_name_lists_the_known():
    with pytest.raises(ConfigError, match=r"'best'; known: \['bayes_stein', 'bodnar'"):
        expected_returns(market(10, 2), estimator="best")
