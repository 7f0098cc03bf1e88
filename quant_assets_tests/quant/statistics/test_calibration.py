"""Error rates in simulations where the truth is known.

Bounds are the nominal rate plus two standard errors of the simulated one.
"""

import numpy as np
import pytest
from scipy import stats

from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    bootstrap_p_values,
    confidence_interval,
)
from quant_assets.quant.statistics.event_effects import event_effect
from quant_assets.quant.statistics.families import pooled, two_level, within
from quant_assets.quant.statistics.multiplicity import benjamini_hochberg, benjamini_yekutieli
from quant_assets.quant.statistics.online_fdr import AlphaInvesting, LordPlusPlus, Saffron
from quant_assets.quant.statistics.per_period import sharpe
from quant_assets.quant.statistics.sharpe_inference import (
    deflated_sharpe_ratio,
    probabilistic_sharpe_ratio,
)
from quant_assets.quant.statistics.superiority import superior_predictive_ability

pytestmark = pytest.mark.slow

RUNS, Q = 200, 0.1
NULLS_ONLY, MIXED = 0.0, 0.1


def _p_values(seed, share, *, n=240, correlation=0.0):
    """Two-sided p-values of normal means, families of 12 cells, and which hypotheses are null."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random(n // 12) < share, 12)
    common = np.repeat(rng.normal(size=n // 12), 12)
    z = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.normal(size=n)
    return 2 * stats.norm.sf(np.abs(z + 3.5 * truth)), ~truth, np.repeat(np.arange(n // 12), 12)


def _bound(rates, nominal=Q):
    return nominal + 2 * max(np.std(rates), np.sqrt(nominal * (1 - nominal))) / np.sqrt(len(rates))


def _false_share(rejected, null):
    return np.count_nonzero(rejected & null) / max(np.count_nonzero(rejected), 1)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("share", [NULLS_ONLY, MIXED])
def test_realised_false_discovery_rates_stay_below_the_nominal_one(share, correlation):
    rates = {"bh": [], "by": [], "pooled": [], "families": []}
    for seed in range(RUNS):
        p, null, family = _p_values(seed, share, correlation=correlation)
        rates["bh"].append(_false_share(benjamini_hochberg(p, fdr=Q).rejected, null))
        rates["by"].append(_false_share(benjamini_yekutieli(p, fdr=Q).rejected, null))
        rates["pooled"].append(_false_share(pooled(p, family, fdr=Q).rejected, null))
        chosen = two_level(p, family, fdr=Q).selected
        rates["families"].append(_false_share(chosen, null.reshape(-1, 12).all(axis=1)))
    for name, values in rates.items():
        assert np.mean(values) <= _bound(values), name
    if share == MIXED:
        assert np.mean(rates["bh"]) > 0.05  # the bound is not met by rejecting nothing


def test_two_level_controls_the_average_rate_over_selected_families():
    rates = []
    for seed in range(RUNS):
        p, null, family = _p_values(seed, MIXED)
        found = two_level(p, family, fdr=Q)
        inside = [
            _false_share(found.rejected[family == f], null[family == f])
            for f in np.flatnonzero(found.selected)
        ]
        rates.append(np.mean(inside) if inside else 0.0)
    assert np.mean(rates) <= _bound(rates)


def test_within_strata_promotes_false_ones_in_most_null_runs():
    nulls = [_p_values(seed, NULLS_ONLY) for seed in range(RUNS)]
    any_within = [within(p, family, fdr=Q).n_rejected > 0 for p, _, family in nulls]
    any_two_level = [two_level(p, family, fdr=Q).n_rejected > 0 for p, _, family in nulls]
    assert np.mean(any_within) > 0.5
    assert np.mean(any_two_level) <= _bound(any_two_level)


@pytest.mark.parametrize("procedure", [LordPlusPlus, Saffron, AlphaInvesting])
@pytest.mark.parametrize("share", [NULLS_ONLY, MIXED])
def test_realised_rates_of_streams_stay_below_the_nominal_one(procedure, share):
    rates, found = [], 0
    for seed in range(RUNS):
        p, null, _ = _p_values(seed, share, n=120)
        rejected = procedure(fdr=Q).test_all(p)
        rates.append(_false_share(rejected, null))
        found += np.count_nonzero(rejected & ~null)
    assert np.mean(rates) <= _bound(rates)
    assert (found > 0) == (share == MIXED)


@pytest.mark.parametrize("share", [NULLS_ONLY, MIXED])
def test_alpha_investing_keeps_the_ratio_of_expectations(share):
    surplus = []
    for seed in range(RUNS):
        p, null, _ = _p_values(seed, share, n=120)
        rejected = AlphaInvesting(fdr=Q).test_all(p)
        false, all_found = np.count_nonzero(rejected & null), np.count_nonzero(rejected)
        surplus.append(false - Q * (all_found + 1 - Q))
    assert np.mean(surplus) <= 2 * np.std(surplus) / np.sqrt(RUNS)


def test_event_effects_of_shared_shocks_and_overlapping_windows_keep_their_size():
    naive, ours = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        market, own = rng.normal(size=(2_400, 1)), rng.normal(size=(2_400, 6))
        path = np.cumsum(0.7 * market + 0.7 * own, axis=0)
        # bursts: most symbols see an event within a few bars of the same shock
        shocks = rng.choice(2_350, 60, replace=False)
        bars = (shocks[:, None] + rng.integers(0, 4, size=(60, 6))).ravel()
        symbols = np.tile(np.arange(6), 60)
        y = path[bars + 12, symbols] - path[bars, symbols]
        naive.append(stats.ttest_1samp(y, 0.0).pvalue < 0.05)
        ours.append(event_effect(y, bars, bars // 24, horizon_bars=12).p_value < 0.05)
    assert np.mean(naive) > 0.3
    assert np.mean(ours) <= _bound(ours, 0.05)
    assert np.mean(ours) > 0.01


def test_deflated_sharpe_ratio_of_the_best_of_noise_stays_below_095():
    deflated, probabilistic = [], []
    for seed in range(RUNS):
        trials = np.random.default_rng(seed).standard_t(5, size=(250, 60)) * 0.01
        ratios = sharpe(trials)
        best = trials[:, np.argmax(ratios)]
        variance = np.var(ratios, ddof=1)
        deflated.append(deflated_sharpe_ratio(best, n_trials=60, trial_variance=variance))
        probabilistic.append(probabilistic_sharpe_ratio(best))
    assert np.mean(np.array(deflated) < 0.95) >= 0.95
    assert np.mean(np.array(probabilistic) < 0.95) < 0.1  # without deflation, luck looks like skill


def test_probability_of_backtest_overfitting_of_noise_is_about_a_half():
    values = [
        probability_of_backtest_overfitting(
            np.random.default_rng(seed).normal(size=(160, 20)), 8
        ).probability
        for seed in range(RUNS)
    ]
    assert abs(np.mean(values) - 0.5) <= 2 * np.std(values) / np.sqrt(RUNS)


def _autoregression(seed, n=300, memory=0.5):
    noise = np.random.default_rng(seed).normal(size=n + 50)
    x = np.zeros(n + 50)
    for t in range(1, n + 50):
        x[t] = memory * x[t - 1] + noise[t]
    return x[50:]


def test_block_bootstrap_covers_the_mean_of_dependent_rows_and_independent_draws_do_not():
    covered = {1.0: [], 12.0: []}
    for seed in range(300):
        x = _autoregression(seed)
        for block, hits in covered.items():
            rng = np.random.default_rng(seed)
            low, high = confidence_interval(x, np.mean, Resampling(block, 200), rng, level=0.9)
            hits.append(low <= 0.0 <= high)
    # 0.9 is reached from below: blocks keep a part of the dependence only
    assert 0.84 <= np.mean(covered[12.0]) <= 0.93
    assert np.mean(covered[1.0]) < 0.75


def test_bootstrap_p_values_of_independent_cells_keep_their_size():
    values = np.random.default_rng(0).normal(size=400 * 60)
    rng = np.random.default_rng(1)
    p = bootstrap_p_values(values, np.full(400, 60), n_draws=300, rng=rng)
    # blocks of 4 rows in 60 understate the variance a little
    assert 0.02 <= np.mean(p <= 0.05) <= _bound(p <= 0.05, 0.07)


def test_superior_predictive_ability_of_noise_keeps_its_size():
    hits = []
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(200, 15))
        hits.append(superior_predictive_ability(x, Resampling(3, 200), rng).consistent < 0.05)
    assert np.mean(hits) <= _bound(hits, 0.05)
