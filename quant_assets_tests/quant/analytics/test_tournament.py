"""The leaderboard: whole windows only, ranking rules, benchmark row, break-even costs."""

import empyrical
import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.tournament import Tournament
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.analytics.tournament import leaderboard
from quant_assets_tests.quant.analytics.accounts import (
    DAY,
    FEBRUARY,
    JANUARY,
    context,
    equity,
    references,
)

PPY = 365
N = 60  # January has 31 days, February 29
NAN = float("nan")


def metrics_of(account, partial=()):
    """WindowMetrics that fit `account`; `partial` names the months that are not whole."""
    month = account["ts"].dt.month
    counts = account.groupby([month.rename("month"), "entrant"]).size().reset_index(name="n_bars")
    starts = counts["month"].map({1: JANUARY, 2: FEBRUARY})
    frame = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(starts).as_unit("us"),
            "available_at": pd.DatetimeIndex(starts).as_unit("us") + 31 * DAY,
            "entrant": counts["entrant"],
            "partial": counts["month"].isin(partial),
            "n_bars": counts["n_bars"].astype("int64"),
            "net_return": 0.0,
            "gross_return": 0.0,
            "benchmark_return": NAN,
            "risk_free_return": NAN,
            "annual_volatility": NAN,
            "max_drawdown": 0.0,
            "turnover": 0.0,
            "fees": 0.0,
            "slippage": 0.0,
            "funding": 0.0,
            "drift_gap": 0.0,
        }
    )
    return WindowMetrics.check_frame(frame, where="test metrics")


def rank(account, reference=None, *, partial=(), stage=None, telemetry=None):
    frame = leaderboard(
        stage or context(),
        telemetry or NullTelemetry(),
        equity=account,
        window_metrics=metrics_of(account, partial),
        reference_returns=references({}) if reference is None else reference,
    )
    return Tournament.check_frame(frame, where="tournament")


def random_returns(seed, n=N, mean=1e-3):
    return np.random.default_rng(seed).normal(mean, 0.01, n).tolist()


NO_BENCHMARK = context(benchmark=None)


def test_figures_equal_empyrical_on_all_whole_bars():
    net, market, free = random_returns(1), random_returns(2), np.full(N, 1e-4)
    account = equity({"a": net}, cost=2e-4, turnover=0.1)
    table = rank(account, references({"benchmark": market, "risk_free": free.tolist()}))
    row, net, market = table.iloc[1], np.array(net), np.array(market)
    gross = net + 2e-4
    expected = {
        "cagr_net": empyrical.cagr(net, annualization=PPY),
        "cagr_gross": empyrical.cagr(gross, annualization=PPY),
        "annual_volatility": empyrical.annual_volatility(net, annualization=PPY),
        "sharpe_ratio": empyrical.sharpe_ratio(net, free, annualization=PPY),
        "sharpe_ratio_gross": empyrical.sharpe_ratio(gross, free, annualization=PPY),
        "max_drawdown": empyrical.max_drawdown(net),
        "calmar_ratio": empyrical.calmar_ratio(net, annualization=PPY),
        "annual_turnover": 0.1 * PPY,
        "costs": 5.0 * N,
        "information_ratio": empyrical.excess_sharpe(net, market) * np.sqrt(PPY),
    }
    assert row[list(expected)].to_dict() == pytest.approx(expected, rel=1e-9)
    assert (row["n_bars"], row["n_windows"]) == (N, 2)


def test_benchmark_row_has_rank_zero_and_the_venues_name():
    market = random_returns(2)
    table = rank(equity({"a": random_returns(1)}), references({"benchmark": market}))
    row = table.iloc[0]
    assert (row["rank"], row["entrant"], row["n_bars"], row["n_windows"]) == (0, "INDEX", N, 2)
    assert row["cagr_net"] == pytest.approx(empyrical.cagr(np.array(market), annualization=PPY))
    assert row["cagr_net"] == row["cagr_gross"]
    assert row["annual_turnover"] == row["costs"] == 0.0
    assert np.isnan(row["information_ratio"])
    assert np.isnan(row["break_even_bps"])


def test_venue_without_benchmark_has_no_benchmark_row():
    table = rank(equity({"a": random_returns(1)}), stage=NO_BENCHMARK)
    assert table["rank"].tolist() == [1]
    assert np.isnan(table["information_ratio"][0])
    assert np.isnan(table["break_even_bps"][0])


def test_break_even_bps_makes_the_excess_over_the_benchmark_vanish():
    account = equity({"a": random_returns(1, mean=3e-3)}, cost=2e-4, turnover=0.1)
    table = rank(account, references({"benchmark": random_returns(2)}))
    row, benchmark = table.iloc[1], table.iloc[0]
    paid = row["annual_turnover"] * row["break_even_bps"] / 1e4
    assert row["cagr_gross"] - paid == pytest.approx(benchmark["cagr_net"], rel=1e-12)


def test_break_even_bps_without_turnover_is_nan():
    table = rank(equity({"a": random_returns(1)}), references({"benchmark": random_returns(2)}))
    assert np.isnan(table["break_even_bps"][1])


def test_entrants_are_ranked_by_net_sharpe_and_ties_by_name():
    good, bad = random_returns(1, mean=5e-3), random_returns(1, mean=-5e-3)
    account = equity({"c": good, "b": bad, "a": bad, "z": [0.0] * N})
    table = rank(account, stage=NO_BENCHMARK)
    assert table["entrant"].tolist() == ["c", "a", "b", "z"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert np.isnan(table["sharpe_ratio"][3])


def test_partial_windows_are_shown_elsewhere_and_not_ranked():
    net = random_returns(1)
    telemetry = RecordingTelemetry()
    table = rank(equity({"a": net}), stage=NO_BENCHMARK, partial=[2], telemetry=telemetry)
    assert (table["n_bars"][0], table["n_windows"][0]) == (31, 1)
    expected = empyrical.cagr(np.array(net[:31]), annualization=PPY)
    assert table["cagr_net"][0] == pytest.approx(expected)
    assert telemetry.rows[-1]["partial_rows"] == 29.0


def test_only_partial_windows_give_an_empty_frame():
    assert rank(equity({"a": random_returns(1)}), partial=[1, 2]).empty


def test_empty_equity_gives_an_empty_frame():
    frame = leaderboard(
        context(),
        NullTelemetry(),
        equity=Equity.empty(),
        window_metrics=WindowMetrics.empty(),
        reference_returns=references({}),
    )
    assert Tournament.check_frame(frame, where="tournament").empty


def test_late_entrant_is_measured_on_its_own_bars():
    late = [NAN] * 31 + random_returns(3, 29)
    market, free = random_returns(2), np.linspace(0, 1e-4, N)
    account = equity({"a": random_returns(1), "late": late}, turnover=0.1)
    table = rank(account, references({"benchmark": market, "risk_free": free.tolist()}))
    row = table.set_index("entrant").loc["late"]
    own, rows = np.array(late[31:]), slice(31, None)
    assert (row["n_bars"], row["n_windows"]) == (29, 1)
    expected = empyrical.sharpe_ratio(own, free[rows], annualization=PPY)
    assert row["sharpe_ratio"] == pytest.approx(expected, rel=1e-9)
    expected = empyrical.excess_sharpe(own, np.array(market[rows])) * np.sqrt(PPY)
    assert row["information_ratio"] == pytest.approx(expected, rel=1e-9)
    assert row["annual_turnover"] == pytest.approx(0.1 * PPY)


def test_no_risk_free_rows_at_all_mean_zero():
    net = random_returns(1)
    table = rank(equity({"a": net}), stage=NO_BENCHMARK)
    expected = empyrical.sharpe_ratio(np.array(net), annualization=PPY)
    assert table["sharpe_ratio"][0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("role", ["risk_free", "benchmark"])
def test_incomplete_reference_series_is_a_data_error(role):
    series = {"benchmark": random_returns(2), "risk_free": [0.0] * N}
    series[role][5] = NAN
    with pytest.raises(DataError, match="lacks 1 of 60 bars, the first is 2024-01-06"):
        rank(equity({"a": random_returns(1)}), references(series))


def test_named_benchmark_without_any_row_is_a_data_error():
    with pytest.raises(DataError, match=r"benchmark \(INDEX\) series lacks 60 of 60"):
        rank(equity({"a": random_returns(1)}))


def test_reference_gaps_inside_partial_windows_do_not_matter():
    series = {"benchmark": random_returns(2)}
    series["benchmark"][40] = NAN
    table = rank(equity({"a": random_returns(1)}), references(series), partial=[2])
    assert table["n_bars"].tolist() == [31, 31]
    assert table["n_windows"].tolist() == [1, 1]


def test_wrong_bars_per_year_is_a_data_error():
    with pytest.raises(DataError, match="bars_per_year says 252"):
        rank(equity({"a": random_returns(1)}), stage=context(bars_per_year=252, benchmark=None))


def test_equity_without_its_window_metrics_is_a_data_error():
    account = equity({"a": random_returns(1)})
    metrics = metrics_of(account)
    with pytest.raises(DataError, match=r"'a', window 2024-01-01: 60 bars of equity.* say 31"):
        leaderboard(
            context(),
            NullTelemetry(),
            equity=account,
            window_metrics=metrics[metrics["ts"] == JANUARY].reset_index(drop=True),
            reference_returns=references({}),
        )


def test_order_of_entrants_in_the_input_does_not_matter():
    mine = equity({"a": random_returns(1), "b": random_returns(2)})
    names = {"a": "x", "b": "c"}
    yours = equity({"x": random_returns(1), "c": random_returns(2)})
    one, two = rank(mine, stage=NO_BENCHMARK), rank(yours, stage=NO_BENCHMARK)
    one["entrant"] = one["entrant"].replace(names)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
