from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting


def rng(seed=0):
    return np.random.default_rng(seed)


def _plain(returns, n_splits):
    """Every split by itself: numpy's Sharpe ratios, scipy's ranks."""
    blocks = np.split(returns[len(returns) % n_splits :], n_splits)
    best, logits, inside, outside = [], [], [], []
    for chosen in combinations(range(n_splits), n_splits // 2):
        halves = [
            np.concatenate([b for k, b in enumerate(blocks) if (k in chosen) == side])
            for side in (True, False)
        ]
        first, second = (half.mean(axis=0) / half.std(axis=0, ddof=1) for half in halves)
        best.append(int(np.argmax(first)))
        share = rankdata(second)[best[-1]] / (returns.shape[1] + 1)
        logits.append(np.log(share / (1 - share)))
        inside.append(first[best[-1]])
        outside.append(second[best[-1]])
    return [np.array(column) for column in (best, logits, inside, outside)]


@pytest.mark.parametrize(("rows", "n_splits", "strategies"), [(40, 4, 2), (83, 8, 7), (61, 6, 30)])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-8])
def test_probability_equals_splits_by_hand(rows, n_splits, strategies, scale):
    returns = (rng().normal(size=(rows, strategies)) + np.linspace(0, 0.3, strategies)) * scale
    result = probability_of_backtest_overfitting(returns, n_splits)
    best, logits, inside, outside = _plain(returns, n_splits)
    np.testing.assert_array_equal(result.best, best)
    np.testing.assert_allclose(result.logits, logits, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.sharpe_inside, inside, rtol=1e-9)
    np.testing.assert_allclose(result.sharpe_outside, outside, rtol=1e-9)
    assert result.probability == np.mean(logits <= 0)
    assert result.probability_of_loss == np.mean(outside < 0)
    assert result.n_rows_dropped == rows % n_splits


def test_two_blocks_by_hand():
    # first half: column 0 is better (mean 2, std sqrt 2; mean 0); second half: column 1
    returns = np.array([[1.0, 1.0], [3.0, -1.0], [0.0, 3.0], [1.0, 4.0]])
    result = probability_of_backtest_overfitting(returns, 2)
    assert result.best.tolist() == [0, 1]
    np.testing.assert_allclose(result.sharpe_inside, [2 / np.sqrt(2), 3.5 / np.sqrt(0.5)])
    np.testing.assert_allclose(result.sharpe_outside, [0.5 / np.sqrt(0.5), 0.0])
    np.testing.assert_allclose(result.logits, np.log(0.5))  # rank 1 of 2: w = 1/3
    assert result.probability == 1.0


def test_a_strategy_with_skill_is_not_overfit_and_degrades_little():
    returns = rng().normal(size=(400, 20)) * 0.01
    returns[:, 4] += 0.01
    result = probability_of_backtest_overfitting(returns, 8)
    assert result.probability == 0.0
    assert set(result.best) == {4}
    intercept, slope = result.degradation
    expected = np.polyfit(result.sharpe_inside, result.sharpe_outside, 1)
    np.testing.assert_allclose([slope, intercept], expected, rtol=1e-9)


def test_copies_share_their_average_rank():
    column = rng().normal(size=(48, 1))
    result = probability_of_backtest_overfitting(np.repeat(column, 3, axis=1), 4)
    np.testing.assert_array_equal(result.logits, 0.0)  # rank 2 of 3: w = 1/2
    assert result.probability == 1.0
    assert not result.best.any()


@pytest.mark.parametrize("flat", [0.0, 1e-9, 0.5])
def test_a_strategy_that_does_not_vary_has_a_ratio_of_0(flat):
    rising = np.tile([0.01, 0.02], 20)
    returns = np.column_stack([np.full(40, flat), -rising, np.full(40, flat)])
    result = probability_of_backtest_overfitting(returns, 4)
    assert not result.best.any()
    np.testing.assert_array_equal(result.sharpe_inside, 0.0)
    np.testing.assert_allclose(result.logits, np.log(2.5 / 1.5))  # ranks 1, 2.5, 2.5 of 3
    assert np.isnan(result.degradation).all()


def test_a_strategy_that_is_flat_in_one_half_only_has_a_ratio_of_0_there():
    returns = rng().normal(size=(40, 3)) * 0.01 - 0.02
    returns[:20, 0] = 0.0
    result = probability_of_backtest_overfitting(returns, 2)
    assert (result.best[0], result.sharpe_inside[0]) == (0, 0.0)


def test_permuting_strategies_permutes_the_choice_and_layout_does_not_matter():
    returns = rng(2).normal(size=(64, 6))
    order = rng(3).permutation(6)
    one = probability_of_backtest_overfitting(returns, 8)
    two = probability_of_backtest_overfitting(np.asfortranarray(returns[:, order]), 8)
    np.testing.assert_array_equal(order[two.best], one.best)
    np.testing.assert_array_equal(two.logits, one.logits)


@pytest.mark.parametrize(
    ("returns", "n_splits", "error", "words"),
    [
        (np.zeros((40, 3)), 5, ConfigError, "n_splits 5"),
        (np.zeros((40, 3)), 0, ConfigError, "n_splits 0"),
        (np.zeros((90, 3)), 22, ConfigError, "n_splits 22"),
        (np.zeros((40, 1)), 4, DataError, ">= 2 strategies"),
        (np.zeros(40), 4, DataError, "shape"),
        (np.zeros((7, 3)), 4, DataError, "7 rows are fewer"),
        (np.array([[0.0, 1.0], [0.0, np.nan]] * 8), 4, DataError, "row 1 of strategy 1"),
        (np.array([[0.0, 1.0], [np.inf, 0.0]] * 8), 4, DataError, "row 1 of strategy 0"),
    ],
)
def test_bad_input_says_what(returns, n_splits, error, words):
    with pytest.raises(error, match=words):
        probability_of_backtest_overfitting(returns, n_splits)
