"""The performance table on thirty years of stocks, and on random series with holes."""

import warnings

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.analytics import performance_table
from quant_assets_tests.quant.analytics.plain_figures import plain_figures

pytestmark = pytest.mark.slow
PPY = 252


@pytest.fixture(scope="module")
def stocks():
    """Daily returns of twenty stocks and of their index, 1990 to 2022."""
    datasets = pytest.importorskip("skfolio.datasets", reason="skfolio is an extra")
    prices = datasets.load_sp500_dataset().join(datasets.load_sp500_index(), how="inner")
    returns = prices.ffill().pct_change().iloc[1:].tz_localize("UTC")
    return returns.iloc[:, :-1], returns.iloc[:, -1]


@pytest.fixture(scope="module")
def table(stocks):
    returns, market = stocks
    return performance_table(
        returns, periods_per_year=PPY, risk_free=0.02, benchmark=market.to_numpy()
    )


def test_every_figure_of_stocks_equals_its_plain_definition(stocks, table):
    returns, market = stocks
    for name in returns.columns[::6]:
        expected = plain_figures(
            returns[name].to_numpy(),
            PPY,
            rf=1.02 ** (1 / PPY) - 1,
            market=market.to_numpy(),
            ts=returns.index,
        )
        for figure, value in expected.items():
            assert table.loc[name, figure] == pytest.approx(value, rel=1e-9, abs=1e-12), figure


def test_stocks_equal_empyrical(stocks, table):
    returns, market = stocks
    rate = 1.02 ** (1 / PPY) - 1
    oracles = {
        "cagr": lambda r: empyrical.cagr(r, annualization=PPY),
        "sharpe_ratio": lambda r: empyrical.sharpe_ratio(r, rate, annualization=PPY),
        "sortino_ratio": lambda r: empyrical.sortino_ratio(r, annualization=PPY),
        "max_drawdown": empyrical.max_drawdown,
        "omega_ratio": empyrical.omega_ratio,
        "tail_ratio": empyrical.tail_ratio,
        "value_at_risk": empyrical.value_at_risk,
        "conditional_value_at_risk": empyrical.conditional_value_at_risk,
        "stability": empyrical.stability_of_timeseries,
        "alpha": lambda r: empyrical.alpha(r, market, rate, annualization=PPY),
        "beta": lambda r: empyrical.beta(r, market, rate),
        "up_capture": lambda r: empyrical.up_capture(r, market),
        "down_capture": lambda r: empyrical.down_capture(r, market),
    }
    for name in returns.columns[::5]:
        for figure, oracle in oracles.items():
            expected = float(oracle(returns[name]))
            assert table.loc[name, figure] == pytest.approx(expected, rel=1e-9), figure


def test_stocks_equal_quantstats(stocks, table):
    import quantstats.stats as peer  # two seconds of import

    oracles = {
        "kelly_binary": peer.kelly_criterion,
        "payoff_ratio": peer.payoff_ratio,
        "profit_factor": peer.profit_factor,
        "average_win": peer.avg_win,
        "average_loss": peer.avg_loss,
        "hit_rate": peer.win_rate,
        "longest_winning_run": peer.consecutive_wins,
        "longest_losing_run": peer.consecutive_losses,
        "best_return": peer.best,
        "worst_return": peer.worst,
        "tail_ratio": peer.tail_ratio,
        "common_sense_ratio": peer.common_sense_ratio,
        "cpc_index": peer.cpc_index,
        "calmar_ratio": lambda r: peer.cagr(r, periods=PPY) / -peer.max_drawdown(r),
        "parametric_value_at_risk": peer.value_at_risk,
        "ulcer_index": lambda r: peer.ulcer_index(r) * np.sqrt((len(r) - 1) / len(r)),
        "geometric_mean": peer.expected_return,
    }
    returns, _ = stocks
    for name in returns.columns[::9]:
        with warnings.catch_warnings():  # the peer's own
            warnings.simplefilter("ignore")
            for figure, oracle in oracles.items():
                expected = float(oracle(returns[name].tz_localize(None)))
                assert table.loc[name, figure] == pytest.approx(expected, rel=1e-9), figure


SERIES = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(SERIES, st.integers(60, 200), st.floats(0.0, 0.3), st.sampled_from([1e-5, 1e-2, 0.2]))
def test_random_series_with_holes_equal_their_plain_definition(seed, n, share, scale):
    rng = np.random.default_rng(seed)
    market = np.clip(rng.standard_t(4, n) * scale, -0.8, None)
    returns = np.clip(0.5 * market + rng.standard_t(3, n) * scale, -0.9, None)
    known = rng.random(n) >= share
    ts = pd.date_range("2021-01-01", periods=n, freq="D", tz="UTC").as_unit("us")
    ours = performance_table(
        np.where(known, returns, np.nan),
        periods_per_year=365,
        benchmark=market,
        ts=ts,
    ).loc[0]
    expected = plain_figures(returns[known], 365, rf=0.0, market=market[known], ts=ts[known])
    skipped = {"n_missing", "adjusted_sharpe_ratio", "alpha", "capture_ratio", "excess_cagr"}
    for figure in set(expected) - skipped:  # differences of large numbers, or their quotients
        assert ours[figure] == pytest.approx(expected[figure], rel=1e-7, abs=1e-11), figure
