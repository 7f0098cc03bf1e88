"""What records prove after all trials: by the formulas of the papers, and on noise."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.contracts.overfitting import Overfitting
from quant_assets.contracts.search_trials import SearchTrials
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


def judged(account, before=None, searches=None):
    before = TrialLedger.empty() if before is None else before
    searches = SearchTrials.empty() if searches is None else searches
    ledger = trial_ledger_venue(context(), NullTelemetry(), equity=account, trial_ledger=before)
    given = {"equity": account, "trial_ledger": ledger, "search_trials": searches}
    found = overfitting_venue(context(), NullTelemetry(), **given)
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


def searched(n_trials, *, family="e00", years=250 / 365, seed=3):
    """Trials of a search: annual Sharpe ratios around 0, the last one refused."""
    ratios = np.random.default_rng(seed).normal(0.0, 1.5, n_trials)
    ratios[-1] = np.nan
    return SearchTrials.check_frame(
        pd.DataFrame(
            {
                "family": pd.array([family] * n_trials, dtype="str"),
                "trial": pd.array([f"{at:04d}" for at in range(n_trials)], dtype="str"),
                "available_at": days(n_trials),
                "status": pd.array(["done"] * (n_trials - 1) + ["refused"], dtype="str"),
                "n_years": [years] * n_trials,
                "annual_sharpe_ratio": ratios,
            }
        ),
        where="test",
    )


def test_overfitting_counts_searches_for_all_and_for_their_family():
    net = noise(250, 3, mean=0.001)
    net = {"e00": net["e00"], "e00_walk": net["e01"], "other": net["e02"]}
    searches = searched(60)
    found = judged(equity(net, days(250)), searches=searches)[0].set_index("entrant")
    plain = judged(equity(net, days(250)))[0].set_index("entrant")
    assert set(found["n_trials"]) == {63}
    assert set(found["searched_trials"]) == {60}
    assert found["family"].to_dict() == {"e00": "e00", "e00_walk": "e00", "other": "other"}
    assert found["family_trials"].to_dict() == {"e00": 62, "e00_walk": 62, "other": 1}
    assert (found["dsr"] < plain["dsr"]).all()
    assert found.loc["other", "family_dsr"] == found.loc["other", "psr"]
    own = np.array([net[name] for name in ("e00", "e00_walk")])
    ratios = own.mean(axis=1) / own.std(axis=1, ddof=1)
    every = np.r_[ratios, searches["annual_sharpe_ratio"].iloc[:-1] / np.sqrt(365)]
    euler = 0.5772156649015329
    z = stats.norm.ppf([1 - 1 / 62, 1 - 1 / (62 * np.e)])
    threshold = every.std(ddof=1) * ((1 - euler) * z[0] + euler * z[1])
    skew, kurtosis = stats.skew(own[0]), stats.kurtosis(own[0], fisher=False)
    spread = np.sqrt(1 - skew * ratios[0] + (kurtosis - 1) / 4 * ratios[0] ** 2)
    expected = stats.norm.cdf((ratios[0] - threshold) * np.sqrt(249) / spread)
    assert found.loc["e00", "family_dsr"] == pytest.approx(expected, rel=1e-9)


def test_overfitting_counts_short_searches_without_taking_their_spread():
    account = equity(noise(250, 2, mean=0.001), days(250))
    short = judged(account, searches=searched(60, years=0.1))[0]
    wild = judged(account, searches=searched(60, years=0.1, seed=9))[0]
    pd.testing.assert_frame_equal(short, wild)
    assert (short["dsr"] < judged(account)[0]["dsr"]).all()


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
