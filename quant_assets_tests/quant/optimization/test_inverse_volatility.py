"""Inverse volatility by hand."""

import numpy as np
import pytest

from quant_assets.core.errors import SolverError
from quant_assets.quant.optimization.inverse_volatility import InverseVolatility
from quant_assets_tests.quant.optimization.samples import market, with_covariance


def test_inverse_volatility_one_two_four_by_hand():
    # volatilities 1 %, 2 %, 4 %: 4 : 2 : 1
    returns = with_covariance(np.diag([1e-4, 4e-4, 16e-4]))
    fitted = InverseVolatility(covariance="sample").fit(returns)
    np.testing.assert_allclose(fitted.weights_, np.array([4, 2, 1]) / 7, rtol=1e-12)
    # each asset adds 16 / 49 * 1e-4
    assert fitted.solver_report_.objective == pytest.approx(48 / 49 * 1e-4)


def test_inverse_volatility_correlation_does_not_matter():
    returns = with_covariance(np.array([[1e-4, 1.6e-4], [1.6e-4, 4e-4]]))
    weights = InverseVolatility(covariance="sample").fit(returns).weights_
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3], rtol=1e-12)


def test_inverse_volatility_constant_asset_is_refused():
    returns = market(20, 3)
    returns[:, 1] = 0.0
    with pytest.raises(SolverError, match="asset 1 has variance 0"):
        InverseVolatility(covariance="sample").fit(returns)


def test_inverse_volatility_constant_asset_shrunk_survives():
    returns = market(20, 3)
    returns[:, 1] = 0.0
    weights = InverseVolatility().fit(returns).weights_
    assert weights.argmax() == 1
    assert weights.sum() == pytest.approx(1.0)
