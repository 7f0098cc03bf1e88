import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.model_selection.labels import forward_returns

NAN = np.nan


def test_forward_returns_by_hand_start_after_the_row():
    returns = np.array([[NAN], [0.5], [0.1], [-0.2]])
    # row 0: 1.5 * 1.1 - 1; row 1: 1.1 * 0.8 - 1; the others end after the history
    np.testing.assert_allclose(forward_returns(returns, 2), [[0.65], [-0.12], [NAN], [NAN]])


def test_forward_returns_across_a_gap_are_nan():
    returns = np.array([[0.1], [NAN], [0.1], [0.1]])
    np.testing.assert_allclose(forward_returns(returns, 1), [[NAN], [0.1], [0.1], [NAN]])


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_forward_returns_longer_than_the_history_are_all_nan(rows):
    assert np.isnan(forward_returns(np.zeros((rows, 2)), 3)).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_forward_returns_equal_the_product_of_the_next_bars(rows, horizon, seed):
    rng = np.random.default_rng(seed)
    returns = rng.uniform(-0.5, 0.5, size=(rows, 3))
    returns[rng.random(returns.shape) < 0.1] = NAN
    expected = np.full(returns.shape, NAN)
    for t in range(rows - horizon):
        expected[t] = np.prod(1 + returns[t + 1 : t + 1 + horizon], axis=0) - 1
    np.testing.assert_allclose(forward_returns(returns, horizon), expected, atol=1e-12)


def test_forward_returns_of_a_prefix_differ_only_where_the_label_is_not_yet_known():
    returns = np.random.default_rng(0).normal(size=(50, 2)) * 0.01
    whole, prefix = forward_returns(returns, 5), forward_returns(returns[:30], 5)
    np.testing.assert_array_equal(prefix[:25], whole[:25])
    assert np.isnan(prefix[25:]).all()
