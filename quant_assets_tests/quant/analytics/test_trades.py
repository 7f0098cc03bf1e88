"""Trade figures by hand, per group, and at the edges."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.trades import trade_statistics

TS = pd.date_range("2024-01-01", periods=6, freq="D", tz="UTC").as_unit("us")


def frame(pnl=(10.0, -5.0, 0.0, 20.0, -5.0, -10.0), **columns):
    n = len(pnl)
    values = {
        "ts": TS[:n],
        "entrant": ["a", "a", "a", "a", "b", "b"][:n],
        "symbol": ["X", "Y", "X", "Y", "X", "X"][:n],
        "fill_id": [f"f{k}" for k in range(n)],
        "quantity": [1.0, -2.0, 1.0, 1.0, -1.0, 1.0][:n],
        "entry_price": [100.0, 50.0, 100.0, 100.0, 50.0, 100.0][:n],
        "exit_price": 1.0,
        "pnl": list(pnl),
        "fee": 0.5,
    }
    return pd.DataFrame(values | columns)


def one(trades):
    return trade_statistics(trades).loc["all"]


def test_counts_and_amounts_by_hand():
    found = one(frame())
    names = ["n_trades", "n_wins", "n_losses", "pnl", "gross_profit", "gross_loss", "fees"]
    assert found[names].tolist() == [6, 2, 3, 10.0, 30.0, -20.0, 3.0]
    assert found[["largest_win", "largest_loss"]].tolist() == [20.0, -10.0]


def test_ratios_by_hand():
    found = one(frame())
    assert found["hit_rate"] == pytest.approx(2 / 5)
    assert found["average_win"] == pytest.approx(15.0)
    assert found["average_loss"] == pytest.approx(-20 / 3)
    assert found["payoff_ratio"] == pytest.approx(15 / (20 / 3))
    assert found["profit_factor"] == pytest.approx(1.5)
    assert found["expectancy"] == pytest.approx(10 / 6)
    assert found["expectancy_ratio"] == pytest.approx(10 / 6 / (20 / 3))
    assert found["kelly"] == pytest.approx(0.4 - 0.6 / 2.25)


def test_expectancy_is_what_wins_and_losses_weigh():
    pnl = np.random.default_rng(0).normal(1.0, 5.0, 6)
    found = one(frame(pnl))
    weighed = found["hit_rate"] * found["average_win"]
    weighed += (1 - found["hit_rate"]) * found["average_loss"]
    assert found["expectancy"] == pytest.approx(weighed, rel=1e-12)


def test_system_quality_is_the_t_statistic_of_the_mean():
    from scipy import stats

    pnl = np.random.default_rng(1).normal(1.0, 5.0, 6)
    expected = stats.ttest_1samp(pnl, 0.0).statistic
    assert one(frame(pnl))["system_quality"] == pytest.approx(expected, rel=1e-12)


def test_runs_follow_the_order_of_exits():
    shuffled = frame((1.0, 2.0, -1.0, -1.0, -2.0, 3.0)).iloc[[5, 2, 0, 4, 1, 3]]
    found = one(shuffled)
    assert found[["longest_winning_run", "longest_losing_run"]].tolist() == [2, 3]


def test_a_trade_of_zero_breaks_a_run():
    assert one(frame((1.0, 0.0, 1.0, 1.0, 0.0, 0.0)))["longest_winning_run"] == 2


def test_returns_are_of_what_was_invested():
    found = one(frame())
    expected = np.array([0.10, -0.05, 0.0, 0.20, -0.10, -0.10])
    assert found["mean_return"] == pytest.approx(expected.mean())
    assert found["median_return"] == pytest.approx(np.median(expected))
    assert found[["best_return", "worst_return"]].tolist() == pytest.approx([0.2, -0.1])


def test_holding_times_where_entries_are_known():
    held = pd.to_timedelta([1, 2, 3, 4, 5, 9], unit="h")
    found = one(frame(entry_ts=TS - held))
    assert found["average_holding"] == pd.Timedelta(hours=4)
    assert found["longest_holding"] == pd.Timedelta(hours=9)
    assert "average_holding" not in one(frame()).index


def test_excursions_where_they_are_known():
    found = one(frame(mae=[-0.1, -0.2, 0.0, 0.0, -0.3, 0.0], mfe=[0.3, 0.3, 0.0, 0.0, 0.0, 0.6]))
    assert found["average_mae"] == pytest.approx(-0.1)
    assert found["worst_mae"] == pytest.approx(-0.3)
    assert found["average_mfe"] == pytest.approx(0.2)
    assert found["edge_ratio"] == pytest.approx(2.0)


@pytest.mark.parametrize("by", [["entrant"], ["symbol"], ["side"], ["entrant", "side"]])
def test_groups_are_the_figures_of_their_trades(by):
    trades = frame()
    sides = np.where(trades["quantity"] > 0, "long", "short")
    found = trade_statistics(trades, by)
    assert found.index.names == by
    assert found["n_trades"].sum() == 6
    for key, group in trades.assign(side=sides).groupby(by):
        pd.testing.assert_series_equal(
            found.loc[key].astype(object), one(group).astype(object), check_names=False
        )


def test_only_wins_make_an_infinite_profit_factor():
    found = one(frame((1.0, 2.0, 3.0)))
    assert found["profit_factor"] == np.inf
    assert np.isnan(found["payoff_ratio"])
    assert found["hit_rate"] == 1.0


@pytest.mark.parametrize("pnl", [(), (5.0,), (0.0, 0.0)])
def test_few_trades_have_nan_where_nothing_is_defined(pnl):
    found = one(frame(pnl))
    assert found["n_trades"] == len(pnl)
    assert np.isnan(found["system_quality"])
    assert np.isnan(found["payoff_ratio"])


def test_no_trades_by_group_are_no_rows():
    assert trade_statistics(frame().iloc[:0], ["symbol"]).empty


def test_figures_scale_with_the_currency():
    base, large = one(frame()), one(frame().assign(pnl=lambda t: t["pnl"] * 1e6))
    assert large["system_quality"] == pytest.approx(base["system_quality"], rel=1e-12)
    assert large["pnl"] == pytest.approx(base["pnl"] * 1e6)


def test_trades_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"lack the columns \['pnl'\]"):
        trade_statistics(frame().drop(columns="pnl"))
    with pytest.raises(DataError, match=r"cannot be grouped by \['hour'\]"):
        trade_statistics(frame(), ["hour"])
    with pytest.raises(DataError, match=r"missing values: \{'pnl': 1\}"):
        trade_statistics(frame((1.0, np.nan)))
