"""Regimes beside plain numpy, pandas and statsmodels, and the filter of entries."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies import hidden_markov_kernel as kernel
from quant_assets.quant.strategies.regimes import (
    HiddenMarkov,
    MovingAverageTrend,
    RegimeFilter,
    VolatilityQuantile,
    persistence,
)
from quant_assets.quant.strategies.tester import hand_made_bars
from quant_assets_tests.quant.strategies.markets import random_bars


def test_moving_average_trend_by_hand():
    # averages of 1 and 2 closes: d = half of the last change; flat is neutral
    bars = hand_made_bars({"A": [10, 11, 12, 12, 11, 12]})
    found = MovingAverageTrend(fast=1, slow=2, confirm=2).classify(bars)
    assert found.names()[:, 0].tolist() == ["unknown", "bull", "bull", "neutral", "bear", "bull"]
    # share of the last two bars with the label of this one
    np.testing.assert_array_equal(found.confidence[:, 0], [np.nan, 0.5, 1.0, 0.5, 0.5, 0.5])


def test_moving_average_trend_of_mixed_signs_is_neutral():
    bars = hand_made_bars({"A": [10, 10, 16, 9]})  # fast 10, 13, 12.5; slow (3) 12, 11.67
    found = MovingAverageTrend(fast=2, slow=3, confirm=1).classify(bars)
    assert found.names()[:, 0].tolist() == ["unknown", "unknown", "bull", "neutral"]


def test_volatility_quantile_is_the_rank_that_pandas_gives():
    bars = random_bars(200)
    found = VolatilityQuantile(period=10, history=50, confirm=5).classify(bars)
    for column in range(3):
        returns = pd.Series(np.log(bars.close[:, column])).diff()
        rank = returns.rolling(10).std().rolling(50).rank(pct=True)
        code = np.where(rank.isna(), -1, (rank > 1 / 3).astype(int) + (rank > 2 / 3))
        np.testing.assert_array_equal(found.code[:, column], code)


def test_persistence_counts_the_bars_that_agree():
    rng = np.random.default_rng(0)
    code = rng.integers(-1, 3, (60, 2)).astype(np.int8)
    found = persistence(code, 4)
    for row, column in np.ndindex(code.shape):
        label = code[row, column]
        past = code[max(0, row - 3) : row + 1, column]
        expected = np.nan if label < 0 else np.sum(past == label) / 4
        np.testing.assert_array_equal(found[row, column], expected)


def _filtered_by_paths(density, stay, start):
    """Probability of the states at each row: the sum over every path of states up to it."""
    move = np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])
    result = np.empty((len(density), 2))
    for n in range(1, len(density) + 1):
        weight = np.zeros(2)
        for path in product(range(2), repeat=n + 1):
            p = start[path[0]]
            for t in range(n):
                p *= move[path[t], path[t + 1]] * density[t, path[t + 1]]
            weight[path[-1]] += p
        result[n - 1] = weight / weight.sum()
    return result


def test_hidden_markov_filter_is_the_sum_over_all_paths():
    x = np.array([0.1, -0.4, np.nan, 0.9, 0.0, -1.2])
    mean, deviation, stay = np.array([0.1, -0.1]), np.array([0.2, 0.8]), np.array([0.9, 0.7])
    density, states = np.empty((6, 2)), np.empty((6, 2))
    kernel.likelihoods(x, mean, deviation, density)
    expected = np.exp(-0.5 * ((x[:, None] - mean) / deviation) ** 2) / deviation
    np.testing.assert_allclose(density, np.where(np.isnan(x)[:, None], 1.0, expected), rtol=1e-14)
    start = np.array([0.3, 0.7])
    total = kernel.filtered(density, stay, start, states)
    np.testing.assert_allclose(states, _filtered_by_paths(density, stay, start), rtol=1e-12)
    move = np.array([[0.9, 0.1], [0.3, 0.7]])
    alpha = start
    for row in density:
        alpha = (alpha @ move) * row
    np.testing.assert_allclose(total, np.log(alpha.sum()), rtol=1e-12)


def _two_states(rows, seed):
    rng = np.random.default_rng(seed)
    state = np.zeros(rows, dtype=int)
    for t in range(1, rows):
        state[t] = state[t - 1] if rng.random() < 0.97 else 1 - state[t - 1]
    return state, np.where(state == 1, -0.001, 0.001) + rng.normal(size=rows) * np.where(
        state == 1, 0.03, 0.008
    )


def test_hidden_markov_finds_planted_states_nearly_as_well_as_if_it_knew_them():
    state, returns = _two_states(2_000, 4)
    _, deviation, stay = HiddenMarkov().fitted(returns)
    np.testing.assert_allclose(deviation, [0.008, 0.03], rtol=0.1)
    np.testing.assert_allclose(stay, [0.97, 0.97], atol=0.02)
    found = HiddenMarkov(history=400, refit=100).filtered(returns)
    known = ~np.isnan(found)
    assert known.sum() == 2_000 - 401
    hits = np.mean((found > 0.5)[known] == (state == 1)[known])
    # nearly as many as with the planted parameters, which nobody can do better than
    best, density = np.empty((2_000, 2)), np.empty((2_000, 2))
    kernel.likelihoods(returns, np.array([0.001, -0.001]), np.array([0.008, 0.03]), density)
    kernel.filtered(density, np.array([0.97, 0.97]), np.array([0.5, 0.5]), best)
    assert hits > np.mean((best[:, 1] > 0.5)[known] == (state == 1)[known]) - 0.02
    assert hits > 0.9


@pytest.mark.slow
def test_hidden_markov_fit_and_filter_agree_with_statsmodels():
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    _, returns = _two_states(800, 9)
    scaled = 100.0 * returns
    mean, deviation, stay = HiddenMarkov().fitted(scaled)
    model = MarkovRegression(scaled, k_regimes=2, switching_variance=True)
    # parameters: p[0->0], p[1->0], two means, two variances; it starts in the long run as the fit
    ours = np.array([stay[0], 1.0 - stay[1], *mean, *deviation**2])
    theirs = model.fit(start_params=ours, disp=False)
    assert model.loglike(ours) > theirs.llf - 0.05
    np.testing.assert_allclose(deviation**2, theirs.params[-2:], rtol=0.03)
    density, states = np.empty((800, 2)), np.empty((800, 2))
    kernel.likelihoods(scaled, mean, deviation, density)
    leave = 2.0 - stay.sum()
    start = np.array([(1.0 - stay[1]) / leave, (1.0 - stay[0]) / leave])
    kernel.filtered(density, stay, start, states)
    expected = model.filter(ours).filtered_marginal_probabilities
    np.testing.assert_allclose(states, expected, atol=1e-9)


def test_hidden_markov_without_movement_or_data_has_no_label():
    flat = hand_made_bars({"A": [10.0] * 80})
    assert (HiddenMarkov(history=60).classify(flat).code == -1).all()
    gone = hand_made_bars({"A": [10.0, 11.0] * 10 + [np.nan] * 60})
    assert (HiddenMarkov(history=60).classify(gone).code == -1).all()


def test_regime_filter_allows_by_label_and_confidence_and_never_the_unknown():
    wanted = RegimeFilter(["bull", "neutral"], 0.8)
    code = np.array([2, 2, 1, 0, -1])
    sure = np.array([0.8, 0.79, 1.0, 1.0, np.nan])
    np.testing.assert_array_equal(wanted.allows(code, sure), [True, False, True, False, False])
    assert wanted.by == MovingAverageTrend()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RegimeFilter([]), "has bear, neutral, bull"),
        (lambda: RegimeFilter(["bul"]), "has bear, neutral, bull"),
        (lambda: RegimeFilter(["bull"], 1.2), "from 0 to 1"),
        (lambda: MovingAverageTrend(fast=9, slow=9), "fast must be less"),
        (lambda: VolatilityQuantile(low=0.7, high=0.6), "low < high"),
        (lambda: HiddenMarkov(history=10), "at least 50"),
    ],
)
def test_regime_refuses_what_means_nothing(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
