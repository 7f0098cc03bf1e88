"""What records prove after all trials: by the formulas of the papers, and on noise."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.contracts.overfitting import Overfitting
from quant_assets.contracts.trial_ledger import TrialLedger
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.analytics.overfitting import (
    common_days,
    effective_number,
    overfitting_probability,
    overfitting_venue,
)
from quant_assets.quant.analytics.trial_ledger import streams, trial_ledger_venue
from quant_assets_tests.quant.analytics.accounts import context, days, equity


def judged(account, before=None):
    before = TrialLedger.empty() if before is None else before
    ledger = trial_ledger_venue(context(), NullTelemetry(), equity=account, trial_ledger=before)
    found = overfitting_venue(context(), NullTelemetry(), equity=account, trial_ledger=ledger)
    return Overfitting.check_frame(found, where="overfitting"), ledger


def noise(n_days, n, *, seed=0, mean=0.0):
    values = np.random.default_rng(seed).normal(mean, 0.01, (n_days, n))
    return {f"e{column:02d}": values[:, column].tolist() for column in range(n)}


def test_overfitting_deflates_by_the_number_and_spread_of_the_trials():
    net = noise(250, 5, mean=0.001)
    found, _ = judged(equity(net, days(250)))
    returns = np.array(list(net.values()))
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    euler = 0.5772156649015329
    z = stats.norm.ppf([1 - 1 / 5, 1 - 1 / (5 * np.e)])
    threshold = ratios.std(ddof=1) * ((1 - euler) * z[0] + euler * z[1])
    skew, kurtosis = stats.skew(returns[0]), stats.kurtosis(returns[0], fisher=False)
    spread = np.sqrt(1 - skew * ratios[0] + (kurtosis - 1) / 4 * ratios[0] ** 2)
    for name, benchmark in (("psr", 0.0), ("dsr", threshold)):
        expected = stats.norm.cdf((ratios[0] - benchmark) * np.sqrt(249) / spread)
        assert found[name].iloc[0] == pytest.approx(expected, rel=1e-9)
    assert found["expected_maximum"].iloc[0] == pytest.approx(threshold, rel=1e-9)
    assert found["n_trials"].tolist() == [5] * 5


def test_overfitting_trials_that_were_thrown_away_lower_the_deflated_ratio():
    kept = noise(250, 2, mean=0.001)
    alone, _ = judged(equity(kept, days(250)))
    _, ledger = judged(equity(noise(250, 40, seed=1), days(250)))
    after, _ = judged(equity(kept, days(250)), ledger)
    assert after["n_trials"].iloc[0] == 42
    assert (after["dsr"] < alone["dsr"]).all()
    np.testing.assert_array_equal(after["psr"], alone["psr"])


def test_overfitting_of_one_short_entrant_says_what_it_does_not_know():
    found, _ = judged(equity({"a": [0.01, 0.02, 0.03]}))
    assert np.isnan(found["pbo"].item())
    assert found["n_trials"].item() == 1
    assert found["expected_maximum"].item() == 0.0


def test_overfitting_without_equity_is_empty():
    assert len(judged(equity({"a": [0.01]}).iloc[:0])[0]) == 0


def test_common_days_leaves_short_trials_out():
    account = {"a": [0.01] * 10, "b": [0.02] * 10}
    _, ledger = judged(equity(account))
    _, ledger = judged(equity({"c": [0.03, 0.04]}), ledger)
    assert common_days(streams(ledger, "trial")).shape == (10, 2)


def test_probability_of_one_dominating_trial_is_zero():
    rng = np.random.default_rng(5)
    returns = rng.normal(0.0, 0.01, (320, 6))
    returns[:, 3] += 0.02
    assert overfitting_probability(returns) == 0.0


def test_effective_number_of_equal_and_of_independent_trials():
    rng = np.random.default_rng(7)
    one = rng.normal(size=(2000, 1))
    assert effective_number(np.repeat(one, 5, axis=1)) == pytest.approx(1.0)
    independent, _ = np.linalg.qr(rng.normal(size=(2000, 6)) - 0.0)
    independent -= independent.mean(axis=0)
    assert effective_number(independent) == pytest.approx(6.0, rel=1e-2)
    assert effective_number(np.zeros((10, 3))) == 1.0


@pytest.mark.slow
def test_deflated_ratio_of_the_best_of_pure_noise_rarely_convinces():
    convinced = 0
    for seed in range(60):
        account = equity(noise(252, 20, seed=seed), days(252))
        convinced += bool((judged(account)[0]["dsr"] >= 0.95).any())
    assert convinced <= 6  # 5 % of 60 and two standard errors


def test_ledger_and_judgement_do_not_depend_on_the_order_of_rows():
    account = equity(noise(60, 3), days(60))
    shuffled = account.sample(frac=1.0, random_state=0).reset_index(drop=True)
    first, second = judged(account), judged(shuffled)
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)
