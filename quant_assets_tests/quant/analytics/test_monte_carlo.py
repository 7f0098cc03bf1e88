"""Bands of what might have been: against plain quantiles, and their coverage by simulation."""

from datetime import timedelta

import numpy as np
import pytest
from numpy.testing import assert_allclose

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.monte_carlo import FIGURES, MonteCarlo
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.core.venues import ReportingParameters
from quant_assets.quant.analytics.metrics import cagr, max_drawdown, sharpe_ratio
from quant_assets.quant.analytics.monte_carlo import (
    QUANTILES,
    bars_in_a_day,
    figure_bands,
    mean_block,
    monte_carlo_venue,
)
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    optimal_block_length,
    stationary_bootstrap,
)
from quant_assets_tests.quant.analytics.accounts import context, days, equity

N_DAYS = 120


def _net(n=2, seed=0):
    values = np.random.default_rng(seed).normal(0.001, 0.01, (N_DAYS, n))
    return {f"e{column}": values[:, column].tolist() for column in range(n)}


def _bands(net, telemetry=None, **reporting):
    chosen = context().model_copy(update={"reporting": ReportingParameters(**reporting)})
    account = equity(net, days(N_DAYS))
    frame = monte_carlo_venue(chosen, telemetry or NullTelemetry(), equity=account)
    return MonteCarlo.check_frame(frame, where="monte_carlo")


def test_monte_carlo_bands_are_quantiles_over_the_drawn_histories():
    net = _net()
    frame = _bands(net, monte_carlo_paths=200, monte_carlo_seed=4).set_index(["entrant", "figure"])
    returns = np.array(net["e1"])
    block = max(1.0, float(optimal_block_length(returns).stationary))
    rows = stationary_bootstrap(N_DAYS, mean_block=block, n_draws=200, rng=np.random.default_rng(4))
    paths = returns[rows].T
    expected = {
        "cagr": cagr(paths, 365),
        "max_drawdown": max_drawdown(paths),
        "sharpe_ratio": sharpe_ratio(paths, 365),
        "terminal_wealth": np.prod(1 + paths, axis=0),
    }
    assert sorted(expected) == FIGURES
    for name, values in expected.items():
        row = frame.loc[("e1", name)]
        assert_allclose(
            row[list(QUANTILES)].to_numpy(float), np.quantile(values, [*QUANTILES.values()])
        )
        assert row["mean_block"] == block
        assert row["n_days"] == N_DAYS
    assert frame.loc[("e1", "cagr"), "observed"] == pytest.approx(float(cagr(returns, 365)))


def test_monte_carlo_of_an_entrant_does_not_depend_on_the_others():
    both, alone = _bands(_net()), _bands({"e1": _net()["e1"]})
    kept = both[both["entrant"] == "e1"].reset_index(drop=True)
    assert kept.equals(alone)


def test_monte_carlo_depends_on_its_seed_alone():
    first, again = _bands(_net(), monte_carlo_paths=50), _bands(_net(), monte_carlo_paths=50)
    other = _bands(_net(), monte_carlo_paths=50, monte_carlo_seed=1)
    assert first.equals(again)
    assert (first["q50"] != other["q50"]).all()
    assert first["seed"].unique().tolist() == [0]
    assert (first["observed"] == other["observed"]).all()


def test_monte_carlo_quantiles_rise():
    frame = _bands(_net(3), monte_carlo_paths=100)
    assert (np.diff(frame[list(QUANTILES)].to_numpy(), axis=1) >= 0).all()


def test_monte_carlo_of_no_equity_is_empty():
    frame = monte_carlo_venue(context(), NullTelemetry(), equity=Equity.empty())
    MonteCarlo.check_frame(frame, where="monte_carlo")
    assert frame.empty


def test_monte_carlo_of_a_constant_has_bands_without_width_and_no_sharpe_ratio():
    telemetry = RecordingTelemetry()
    frame = _bands({"flat": [0.0] * N_DAYS}, telemetry, monte_carlo_paths=20).set_index("figure")
    assert frame.loc["cagr", "q025"] == frame.loc["cagr", "q975"] == 0.0
    assert frame.loc["terminal_wealth", "q50"] == 1.0
    assert np.isnan(frame.loc["sharpe_ratio", "q50"])
    assert frame["mean_block"].eq(1.0).all()
    assert telemetry.rows[0]["paths"] == 20.0


def test_bands_too_large_for_a_number_are_missing():
    bands = figure_bands(np.full(4, 9.0), 1e4, Resampling(1, 5), np.random.default_rng(0))
    assert np.isnan(bands["cagr"]["q50"])
    assert np.isnan(bands["cagr"]["observed"])
    assert bands["terminal_wealth"]["q50"] == pytest.approx(1e4)


def test_monte_carlo_of_bars_within_the_day_counts_days_per_year():
    """Six bars a day: a year of 6 x 365 bars has 365 days."""
    ts = days(60)
    bars = ts.repeat(6) + np.tile(np.arange(6), 60) * np.timedelta64(4, "h")
    account = equity({"e": [0.001] * 360}, bars.as_unit("us"))
    assert bars_in_a_day(account) == 6.0
    market = context(bars_per_year=6 * 365).market
    market = market.model_copy(update={"bar_length": timedelta(hours=4)})
    frame = monte_carlo_venue(
        context().model_copy(update={"market": market}), NullTelemetry(), equity=account
    ).set_index("figure")
    assert frame.loc["cagr", "observed"] == pytest.approx(1.001 ** (6 * 365) - 1)
    assert frame["n_days"].eq(59).all()


@pytest.mark.slow
def test_bands_of_independent_returns_cover_the_truth_in_95_of_100_records():
    """Log returns are N(0.0004, 0.01): the true CAGR and Sharpe ratio are known in closed form."""
    mean = np.exp(0.0004 + 0.01**2 / 2) - 1
    deviation = (1 + mean) * np.sqrt(np.expm1(0.01**2))
    truth = {
        "cagr": np.expm1(0.0004 * 252),
        "sharpe_ratio": mean / deviation * np.sqrt(252),
        "terminal_wealth": np.exp(0.0004 * 500),
    }
    rng, n_records = np.random.default_rng(11), 1_000
    hits = dict.fromkeys(truth, 0)
    for _ in range(n_records):
        record = np.expm1(rng.normal(0.0004, 0.01, 500))
        bands = figure_bands(record, 252.0, Resampling(mean_block(record), 400), rng)
        for name, value in truth.items():
            hits[name] += bands[name]["q025"] <= value <= bands[name]["q975"]
    for name, count in hits.items():
        assert count / n_records == pytest.approx(0.95, abs=0.02), name
