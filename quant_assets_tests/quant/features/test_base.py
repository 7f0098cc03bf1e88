"""Trailing windows against pandas and against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.features.base import (
    Bars,
    Months,
    centred_blocks,
    lagged,
    rows_from,
    to_blocks,
    trailing,
    trailing_variance,
    window_is_present,
)
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes

NAN = float("nan")


def test_months_scale_with_the_venue_and_bars_do_not():
    assert Months(12).bars(21) == 252
    assert Bars(30).bars(21) == 30


def test_lagged_shifts_down_and_never_wraps_around():
    values = np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_array_equal(lagged(values, 1)[:, 0], [NAN, 1.0, 2.0])
    np.testing.assert_array_equal(lagged(values, 0), values)
    assert np.isnan(lagged(values, 3)).all()
    assert np.isnan(lagged(values, 99)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 3), st.floats(0.0, 0.5))
def test_trailing_maximum_and_sum_equal_pandas_rolling(n_times, n_rows, n_columns, missing):
    n_rows = min(n_rows, n_times)
    values = random_closes(n_times, n_columns, seed=n_times, missing=missing)
    blocks = to_blocks(values, n_rows)
    rolling = pd.DataFrame(values).rolling(n_rows)
    peak = rows_from(trailing(np.maximum, blocks, blocks, n_times), n_times)
    np.testing.assert_array_equal(peak, rolling.max().to_numpy())
    total = rows_from(trailing(np.add, blocks, blocks, n_times), n_times)
    np.testing.assert_allclose(total, rolling.sum().to_numpy(), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(2, 12), st.floats(0.0, 0.2))
def test_trailing_variance_equals_pandas_rolling(n_times, n_rows, missing):
    values = random_closes(n_times, 2, seed=n_rows, missing=missing)
    expected = pd.DataFrame(values).rolling(n_rows).var(ddof=1).to_numpy()
    np.testing.assert_allclose(trailing_variance(values, n_rows), expected, rtol=1e-8)


@pytest.mark.parametrize("level", [1e-8, 1.0, 1e6])
def test_trailing_variance_keeps_its_digits_on_a_high_level(level):
    noise = np.random.default_rng(1).normal(size=(400, 1))
    values = 1000.0 * level + level * noise
    windows = np.lib.stride_tricks.sliding_window_view(values[:, 0], 50)
    expected = windows.var(axis=1, ddof=1)
    np.testing.assert_allclose(trailing_variance(values, 50)[49:, 0], expected, rtol=1e-9)


def test_trailing_variance_of_a_constant_is_zero_after_a_jump_too():
    values = np.concatenate([np.full(13, 7.0), np.full(20, 0.01)])[:, None]
    variance = trailing_variance(values, 5)[:, 0]
    assert np.isnan(variance[:4]).all()
    assert (variance[4:13] == 0.0).all()
    assert (variance[13:17] > 0.0).all()
    assert (variance[17:] == 0.0).all()


def test_outlier_and_missing_value_are_forgotten_with_the_window():
    values = np.random.default_rng(2).normal(size=(40, 1))
    spoiled = values.copy()
    spoiled[10], spoiled[15] = 1e12, NAN
    clean, after = trailing_variance(values, 6)[:, 0], trailing_variance(spoiled, 6)[:, 0]
    assert np.isnan(after[15:21]).all()
    np.testing.assert_allclose(after[24:], clean[24:], rtol=1e-12)


def test_trailing_variance_of_too_few_rows_is_missing():
    assert np.isnan(trailing_variance(np.ones((3, 2)), 4)).all()
    assert np.isnan(trailing_variance(np.ones((3, 2)), 1)).all()
    assert trailing_variance(np.ones((0, 2)), 4).shape == (0, 2)


def test_centred_blocks_use_the_level_of_the_block_where_a_window_begins():
    older, newer = centred_blocks(np.array([[1.0], [3.0], [10.0], [20.0]]), 2)
    np.testing.assert_array_equal(older[:, :, 0], [[-1.0, 1.0], [-5.0, 5.0]])
    np.testing.assert_array_equal(newer[:, :, 0], [[-1.0, 1.0], [8.0, 18.0]])


def test_window_is_present_allows_five_per_cent_to_be_missing():
    values = np.ones((260, 3))
    values[120:125, 1] = NAN
    values[120:126, 2] = NAN
    present = window_is_present(values, 100)
    assert not present[:99].any()
    assert present[99:, 0].all()
    assert np.flatnonzero(~present[99:, 1]).tolist() == list(range(120 - 99, 125 - 99))
    assert np.flatnonzero(~present[99:, 2]).tolist() == list(range(120 - 99, 220 - 99))
    assert not window_is_present(values, 261).any()


def test_tail_keeps_the_last_rows_of_every_array():
    inputs = make_inputs(random_closes(10, 2))
    tail = inputs.tail(4)
    np.testing.assert_array_equal(tail.close, inputs.close[-4:])
    np.testing.assert_array_equal(tail.returns, inputs.returns[-4:])
    np.testing.assert_array_equal(tail.market, inputs.market[-4:])
    assert tail.ts.equals(inputs.ts[-4:])
    assert inputs.tail(99).close.shape == inputs.close.shape
