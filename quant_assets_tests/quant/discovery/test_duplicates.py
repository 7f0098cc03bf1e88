"""Screen `duplicates`."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.discovery.duplicates import Duplicates, pairwise_correlations
from quant_assets_tests.quant.discovery.inputs import make_inputs

NAN = float("nan")
RNG = np.random.default_rng(7)
BASE, OTHER = RNG.normal(size=(2, 200)) * 0.01


def judge(returns, *, close=None, **how):
    returns = np.column_stack(returns)
    close = np.where(np.isnan(returns), NAN, 1.0) if close is None else close
    inputs = make_inputs(close, returns=returns, **({"min_history_bars": 50} | how))
    screen = Duplicates()
    values = screen.measure(inputs)
    return values, screen.passes(values, screen.limit(inputs.parameters)).tolist()


def late(returns, rows):
    return np.where(np.arange(len(returns)) < rows, NAN, returns)


def test_equal_histories_keep_the_first_name():
    values, passed = judge([BASE, OTHER, 2.0 * BASE])
    assert passed == [True, True, False]
    assert values[2] == 1.0
    assert np.isnan(values[0])
    assert abs(values[1]) < 0.3


def test_longer_history_comes_before_the_name():
    values, passed = judge([late(BASE, 20), BASE])
    assert passed == [False, True]
    assert values[0] == 1.0


def test_duplicate_does_not_displace_a_third_one():
    # A ~ B above the limit, B ~ C above, A ~ C below: B goes, C stays
    mixed = [BASE, BASE + 0.5 * OTHER, BASE + 1.2 * OTHER]
    correlation = np.corrcoef(mixed)
    limit = 0.8
    assert correlation[0, 1] > limit
    assert correlation[1, 2] > limit
    assert correlation[0, 2] < limit
    values, passed = judge(mixed, max_correlation=limit)
    assert passed == [True, False, True]
    np.testing.assert_allclose(values[1:], correlation[0, 1:], rtol=1e-10)


def test_symbol_that_fails_elsewhere_never_displaces_its_twin():
    values, passed = judge([BASE, BASE], eligible=[False, True])
    assert passed == [True, True]
    # the dead line has a living twin, but comes first: nobody to be compared with
    assert np.isnan(values).all()
    assert judge([BASE, BASE], eligible=[True, False])[1] == [True, False]


def test_anticorrelated_lines_are_no_duplicates():
    values, passed = judge([BASE, -BASE])
    assert passed == [True, True]
    assert values[1] == -1.0


def test_too_short_an_overlap_is_not_compared():
    values, passed = judge([BASE, late(BASE, 160)])
    assert passed == [True, True]
    assert np.isnan(values).all()


def test_lines_that_do_not_move_are_not_compared():
    flat = np.full(200, 0.001)
    values, passed = judge([flat, flat, np.zeros(200)])
    assert passed == [True] * 3
    assert np.isnan(values).all()


def test_line_that_moves_only_where_the_other_is_missing_is_not_compared():
    half = np.where(np.arange(200) < 100, BASE, 0.003)
    values, passed = judge([half, late(OTHER, 100)])
    assert passed == [True, True]
    assert np.isnan(values).all()


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_correlations_equal_pandas_pairwise(scale):
    returns = scale * RNG.normal(0.1, 1.0, (300, 6))
    returns[:, 5] = returns[:, 0] + 0.1 * scale * RNG.normal(size=300)
    returns[RNG.random(returns.shape) < 0.2] = NAN
    expected = pd.DataFrame(returns).corr(min_periods=3).to_numpy()
    found = pairwise_correlations(returns, min_rows=3)
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_correlations_of_nothing_are_missing():
    assert np.isnan(pairwise_correlations(np.full((5, 2), NAN), min_rows=3)).all()
    assert np.isnan(pairwise_correlations(np.empty((0, 2)), min_rows=3)).all()
