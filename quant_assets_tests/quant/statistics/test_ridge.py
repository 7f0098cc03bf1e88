import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from quant_assets.quant.statistics.ridge import ridge_path

PENALTIES = np.array([0.01, 1.0, 100.0, 1e5])


def _expected(x, y, new):
    fits = [make_pipeline(StandardScaler(), Ridge(alpha=p)).fit(x, y) for p in PENALTIES]
    return np.stack([fit.predict(new) for fit in fits])


def test_ridge_path_by_hand_shrinks_the_slope_by_n_over_n_plus_penalty():
    x = np.array([[1.0], [3.0]])  # standardised: -1, 1; z'y = 4, z'z = 2
    path = ridge_path(x, np.array([0.0, 4.0]), np.array([2.0]))
    assert path.coefficients[0, 0] == pytest.approx(1.0)
    assert path.intercepts[0] == pytest.approx(0.0)
    np.testing.assert_allclose(path.predict(x), [[1.0, 3.0]])


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-8])
def test_ridge_path_equals_scikit_learn(scale):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 7)) * scale + 3 * scale
    y = x @ rng.normal(size=7) / scale + rng.normal(size=200)
    new = rng.normal(size=(20, 7)) * scale
    predicted = ridge_path(x, y, PENALTIES).predict(new)
    np.testing.assert_allclose(predicted, _expected(x, y, new), rtol=1e-9, atol=1e-9)


def test_ridge_path_with_duplicated_and_constant_columns_equals_scikit_learn():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(50, 4))
    x[:, 1] = x[:, 0]
    x[:, 2] = 0.1
    y = rng.normal(size=50)
    path = ridge_path(x, y, PENALTIES)
    np.testing.assert_allclose(path.predict(x), _expected(x, y, x), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(path.coefficients[:, 2], 0.0)
    np.testing.assert_allclose(path.coefficients[:, 0], path.coefficients[:, 1], rtol=1e-6)


def test_ridge_path_with_fewer_rows_than_features_equals_scikit_learn():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(3, 8)), rng.normal(size=3)
    predicted = ridge_path(x, y, PENALTIES).predict(x)
    np.testing.assert_allclose(predicted, _expected(x, y, x), rtol=1e-9, atol=1e-9)
