from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.tuning.robustness import heat_map, overfitting_scores, plateau_stability
from quant_assets.quant.tuning.space import Space
from quant_assets.quant.tuning.study import tune
from quant_assets_tests.quant.tuning.made_trials import made
from quant_assets_tests.quant.tuning.samples import Cross, market

GRID = [{"a": a, "b": b} for a in range(5) for b in range(4)]


def flat(values, points, space=None):
    returns = np.random.default_rng(0).normal(size=(60, len(values)))
    return made(returns, points, values, space)


def test_deflated_sharpe_of_each_trial_is_that_of_the_paper():
    returns = np.random.default_rng(1).normal(0.0005, 0.01, (250, 12))
    scores = overfitting_scores(made(returns), earlier=30)
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    n, gamma = 42, np.euler_gamma
    luck = sharpes.std(ddof=1) * (
        (1 - gamma) * stats.norm.ppf(1 - 1 / n) + gamma * stats.norm.ppf(1 - 1 / (n * np.e))
    )
    spread = 1 - stats.skew(returns) * sharpes + (stats.kurtosis(returns) + 2) / 4 * sharpes**2
    expected = stats.norm.cdf((sharpes - luck) * np.sqrt(249) / np.sqrt(spread))
    np.testing.assert_allclose(scores.frame["dsr"], expected, rtol=1e-10)
    np.testing.assert_allclose(scores.frame["overfitting_score"], 1.0 - expected, rtol=1e-10)
    assert (scores.n_trials, scores.expected_maximum) == (42, pytest.approx(luck))


def test_probability_of_overfitting_counts_the_splits_one_by_one():
    returns = np.random.default_rng(2).normal(0.0, 0.01, (80, 5))
    scores = overfitting_scores(made(returns))
    blocks, lost, chosen = np.split(returns, 8), [], np.zeros(5)
    lost_by = np.zeros(5)
    for inside in combinations(range(8), 4):
        own = np.concatenate([blocks[i] for i in inside])
        other = np.concatenate([blocks[i] for i in range(8) if i not in inside])
        best = int(np.argmax(own.mean(axis=0) / own.std(axis=0, ddof=1)))
        rank = stats.rankdata(other.mean(axis=0) / other.std(axis=0, ddof=1))[best]
        lost.append(rank / 6 <= 0.5)
        chosen[best] += 1
        lost_by[best] += lost[-1]
    assert scores.pbo == pytest.approx(np.mean(lost))
    np.testing.assert_allclose(scores.frame["chosen"], chosen / 70)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(scores.frame["pbo_when_chosen"], lost_by / chosen)


@pytest.mark.slow
def test_repeated_and_refused_combinations_count_once_each():
    bars = market(120)
    space = {"fast": [2, 4, 9], "slow": [6, 9]}
    grid = overfitting_scores(tune(Cross, space, bars))
    draws = tune(Cross, space, bars, search={"random": {"trials": 80, "seed": 1}})
    drawn = overfitting_scores(draws)
    assert grid.n_trials == drawn.n_trials == 6
    assert drawn.pbo == pytest.approx(grid.pbo, abs=0.15)
    assert len(drawn.frame) == 80
    by_hash = draws.frame().assign(dsr=drawn.frame["dsr"].to_numpy())
    assert (by_hash.groupby("param_hash")["dsr"].nunique() <= 1).all()
    assert by_hash.loc[by_hash["status"] == "refused", "dsr"].isna().all()


def test_short_history_has_no_probability_of_overfitting():
    scores = overfitting_scores(made(np.random.default_rng(0).normal(size=(30, 4))))
    assert np.isnan(scores.pbo)
    assert scores.frame["chosen"].isna().all()


def test_nothing_done_cannot_be_judged():
    with pytest.raises(DataError, match="nothing to judge"):
        overfitting_scores(tune(Cross, {"fast": [9], "slow": [5]}, market(40)))


def test_lone_peak_has_no_plateau_and_a_hill_has_one():
    spike = [1.0 if p == {"a": 2, "b": 2} else 0.0 for p in GRID]
    stability = plateau_stability(flat(spike, GRID))
    assert stability[GRID.index({"a": 2, "b": 2})] == 0.0
    assert stability[GRID.index({"a": 0, "b": 0})] == 1.0

    hill = [-((p["a"] - 2) ** 2 + (p["b"] - 2) ** 2) for p in GRID]
    stability = plateau_stability(flat(hill, GRID))
    # neighbours of the top are 1 lower, the range is 8
    assert stability[GRID.index({"a": 2, "b": 2})] == pytest.approx(1.0 - 1.0 / 8.0)


def test_neighbours_are_steps_between_tried_values_whatever_their_size():
    points = [{"a": a, "b": b} for a in (1, 10, 1000) for b in (0.1, 0.2, 0.3)]
    values = [0.0, 0.0, 0.0, 0.0, 1.0, 0.2, 0.0, 0.0, 0.4]
    expected = 1.0 - (1.0 - np.mean([0.0, 0.0, 0.2, 0.0]))
    assert plateau_stability(flat(values, points))[4] == pytest.approx(expected)


def test_words_are_no_neighbours():
    points = [{"kind": kind, "a": a} for kind in ("x", "y") for a in (1, 2, 3)]
    values = [0.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    stability = plateau_stability(flat(values, points))
    assert stability.tolist() == [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.slow
def test_draws_of_real_parameters_have_plateaus_too():
    rng = np.random.default_rng(3)
    points = [{"a": float(a), "b": float(b)} for a, b in rng.random((400, 2))]
    smooth = [-((p["a"] - 0.5) ** 2) - (p["b"] - 0.5) ** 2 for p in points]
    space = Space.of({"a": {"low": 0.0, "high": 1.0}, "b": {"low": 0.0, "high": 1.0}})
    stability = plateau_stability(flat(smooth, points, space))
    assert stability[int(np.argmax(smooth))] > 0.95
    spiked = [*smooth]
    spiked[17] += 2.0
    assert plateau_stability(flat(spiked, points, space))[17] < 0.2


def test_heat_map_shows_the_best_the_mean_or_the_worst_of_the_rest():
    points = [{"a": a, "b": b, "c": c} for a in (1, 2) for b in (3, 4) for c in (0, 1)]
    trials = flat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, np.nan], points)
    best = heat_map(trials, "a", "b")
    assert best.to_numpy().tolist() == [[1.0, 5.0], [3.0, 6.0]]
    assert (best.columns.tolist(), best.index.tolist()) == ([1, 2], [3, 4])
    assert heat_map(trials, "a", "b", how="mean").to_numpy().tolist() == [[0.5, 4.5], [2.5, 6.0]]
    assert heat_map(trials, "a", "b", how="worst").to_numpy().tolist() == [[0.0, 4.0], [2.0, 6.0]]
    with pytest.raises(ConfigError, match="two of"):
        heat_map(trials, "a", "z")


def test_heat_map_keeps_cells_without_a_value():
    trials = flat([1.0, np.nan, np.nan, np.nan], [{"a": a, "b": b} for a in (1, 2) for b in (1, 2)])
    assert heat_map(trials, "a", "b").shape == (2, 2)


@pytest.mark.slow
def test_best_of_trials_without_skill_is_seldom_called_skill():
    rng = np.random.default_rng(11)
    best, pbos = [], []
    for _ in range(300):
        scores = overfitting_scores(made(rng.normal(0.0, 0.01, (250, 20))))
        best.append(scores.frame["dsr"].max())
        pbos.append(scores.pbo)
    assert np.mean(np.array(best) > 0.95) < 0.07
    assert 0.4 < np.mean(pbos) < 0.6


@pytest.mark.slow
def test_skill_is_told_from_luck():
    rng = np.random.default_rng(12)
    dsr, pbos = [], []
    for _ in range(60):
        returns = rng.normal(0.0, 0.01, (500, 20))
        returns[:, 7] += 0.0025  # a Sharpe ratio of 4 a year
        scores = overfitting_scores(made(returns))
        dsr.append(scores.frame["dsr"][7])
        pbos.append(scores.pbo)
    assert np.median(dsr) > 0.95
    assert np.mean(pbos) < 0.1


def test_scores_do_not_depend_on_the_order_of_trials():
    returns = np.random.default_rng(1).normal(0.0005, 0.01, (120, 6))
    trials = made(returns)
    turned = replace(trials, items=trials.items[::-1])
    a, b = overfitting_scores(trials).frame, overfitting_scores(turned).frame
    np.testing.assert_allclose(a["dsr"], b["dsr"][::-1])
    np.testing.assert_allclose(a["plateau"], b["plateau"][::-1])
