"""Drift, exponentially weighted moments, and the champion's choice, by hand and by pandas."""

import math

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.optimization.chain_state import ChainState, choose, drifted


def test_drifted_half_cash_by_hand():
    # 0.5 grows to 0.6, cash stays 0.5: total 1.1
    weights, gain = drifted(np.array([0.5]), np.array([1.2]))
    assert weights[0] == pytest.approx(0.6 / 1.1)
    assert gain == pytest.approx(0.1)


def test_drifted_long_and_short_by_hand():
    # 1 + 0.6 * 0.1 - 0.4 * 0.2 = 0.98
    weights, gain = drifted(np.array([0.6, -0.4]), np.array([1.1, 1.2]))
    np.testing.assert_allclose(weights, [0.66 / 0.98, -0.48 / 0.98])
    assert gain == pytest.approx(-0.02)


def test_drifted_fully_invested_stays_fully_invested():
    weights, _ = drifted(np.array([0.3, 0.7]), np.array([1.5, 0.8]))
    assert weights.sum() == pytest.approx(1.0)


def test_drifted_ruin_is_left_in_cash():
    # a short of everything on a price that triples
    weights, gain = drifted(np.array([-1.0]), np.array([3.0]))
    np.testing.assert_array_equal(weights, [0.0])
    assert gain == pytest.approx(-2.0)


def test_state_first_return_has_no_variance():
    assert ChainState().updated(0.03, half_life=5.0) == ChainState(0.03, 0.0, 1)


def test_state_two_returns_by_hand():
    # half-life 1: weights 1/3 and 2/3; mean 0.02, variance 1/3 0.02^2 + 2/3 0.01^2 = 2e-4
    state = ChainState().updated(0.0, half_life=1.0).updated(0.03, half_life=1.0)
    assert state.mean == pytest.approx(0.02)
    assert state.variance == pytest.approx(2e-4)
    assert state.count == 2
    assert state.score == pytest.approx(0.02 / math.sqrt(2e-4))


@pytest.mark.parametrize("half_life", [1.0, 12.0, 100.0])
def test_state_many_returns_equal_pandas(half_life):
    values = np.random.default_rng(0).normal(0.01, 0.04, 60)
    state = ChainState()
    for value in values:
        state = state.updated(value, half_life=half_life)
    weighted = pd.Series(values).ewm(halflife=half_life, adjust=True)
    assert state.mean == pytest.approx(weighted.mean().iloc[-1], rel=1e-12)
    assert state.variance == pytest.approx(weighted.var(bias=True).iloc[-1], rel=1e-10)


def test_choose_best_score_among_the_ripe():
    states = {
        "calm": ChainState(0.01, 1e-4, 6),  # score 1
        "wild": ChainState(0.02, 1e-3, 6),  # score 0.63
        "young": ChainState(0.09, 1e-4, 5),  # score 9, too young
    }
    assert choose(states, min_windows=6, default="calm") == "calm"
    assert choose(states, min_windows=5, default="calm") == "young"


def test_choose_tie_goes_by_name():
    tie = ChainState(0.01, 1e-4, 9)
    assert choose({"b": tie, "a": tie, "c": tie}, min_windows=1, default="c") == "a"


def test_choose_nobody_ripe_takes_the_default():
    states = {"alpha": ChainState(), "equal_weight": ChainState()}
    assert choose(states, min_windows=1, default="equal_weight") == "equal_weight"
    assert choose({"b": ChainState(), "a": ChainState()}, min_windows=1, default="x") == "a"


def test_choose_without_variance_is_not_ripe():
    states = {"a": ChainState(0.01, 1e-4, 9), "flat": ChainState(0.5, 0.0, 9)}
    assert choose(states, min_windows=1, default="flat") == "a"
