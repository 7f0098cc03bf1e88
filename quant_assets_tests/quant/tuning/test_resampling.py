from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.bootstrap import stationary_bootstrap
from quant_assets.quant.tuning.resampling import (
    block_bootstrap,
    bootstrap_returns,
    noisy,
    price_noise,
    skipped_trades,
    trade_order,
)
from quant_assets_tests.quant.tuning.samples import FREE, Cross, market


def rng(seed=0):
    return np.random.default_rng(seed)


def run_of(gains):
    """A run whose trades gain these shares of equity, half of it being invested."""
    gains = np.asarray(gains, dtype=np.float64)
    table = pd.DataFrame({"pnl_pct": 2.0 * gains, "position_size_pct": np.full(len(gains), 0.5)})
    return SimpleNamespace(trades=table)


def test_trades_in_another_order_end_at_the_same_wealth():
    gains = [0.1, -0.05, 0.02, -0.08, 0.03]
    drawn = trade_order(run_of(gains), n_paths=500, rng=rng())
    assert drawn.observed["total_return"] == pytest.approx(np.prod(1.0 + np.array(gains)) - 1.0)
    np.testing.assert_allclose(drawn.draws["total_return"], drawn.observed["total_return"])
    # worst order: both losses in a row, after a peak; best: a loss at a time
    assert drawn.draws["max_drawdown"].min() == pytest.approx(0.95 * 0.92 - 1.0)
    assert drawn.draws["max_drawdown"].max() == pytest.approx(-0.08)
    assert set(drawn.draws["losing_run"]) == {1.0, 2.0}
    share = np.mean(drawn.draws["losing_run"] == 2.0)
    assert share == pytest.approx(2 / 5, abs=0.07)  # 4 of 10 pairs of places are neighbours


def test_wealth_of_trades_in_a_row_is_that_of_the_run():
    result = backtest(Cross(fast=2, slow=6), market(200), FREE)
    drawn = trade_order(result, n_paths=10, rng=rng())
    assert drawn.observed["total_return"] == pytest.approx(result.total_return, rel=1e-9)
    assert drawn.points[-1] == len(result.trades)


def test_skipped_trades_lose_their_gain_and_nothing_else():
    drawn = skipped_trades(run_of([0.1, 0.2]), share=0.25, n_paths=4_000, rng=rng())
    found = np.round(drawn.draws["total_return"], 12)
    shares = {value: np.mean(found == value) for value in np.unique(found)}
    assert shares == pytest.approx({0.0: 0.0625, 0.1: 0.1875, 0.2: 0.1875, 0.32: 0.5625}, abs=0.025)


def test_two_ruins_make_no_fortune():
    returns = np.array([0.01, -1.5, 0.02, 0.01])  # equity 1 -> -0.505, and then no return counts
    drawn = bootstrap_returns(returns, 252, n_paths=400, block=1.0, rng=rng())
    ruined = drawn.draws["total_return"] < -1.0
    assert 0.5 < ruined.mean() < 0.9  # 1 - 0.75^4 of the histories hold it
    assert drawn.draws["total_return"].max() < 0.1  # (1 - 1.5)^2 of two ruins would be "alive"
    assert (drawn.draws["max_drawdown"][ruined] < -1.0).all()
    assert (drawn.wealth[ruined][:, -1] == drawn.wealth[ruined].min(axis=1)).all()
    orders = trade_order(run_of([0.5, -1.2, -1.2]), n_paths=50, rng=rng())
    assert orders.draws["total_return"].max() < -1.0 < 0.0


def test_figures_that_no_history_has_are_unknown_without_a_warning():
    drawn = bootstrap_returns(np.zeros(10), 252, n_paths=20, block=1.0, rng=rng())
    row = drawn.bands().loc["sharpe"]
    assert row.isna().all()


def test_bootstrap_figures_are_those_of_the_drawn_rows():
    returns = rng(1).normal(0.001, 0.01, 120)
    drawn = bootstrap_returns(returns, 252.0, n_paths=50, block=5.0, rng=rng(2))
    rows = stationary_bootstrap(120, mean_block=5.0, n_draws=50, rng=rng(2))
    for draw, row in enumerate(rows):
        own = returns[row]
        wealth = np.cumprod(1.0 + own)
        peaks = np.maximum.accumulate(np.r_[1.0, wealth])[1:]
        expected = {
            "total_return": wealth[-1] - 1.0,
            "cagr": wealth[-1] ** (252 / 120) - 1.0,
            "sharpe": own.mean() / own.std(ddof=1) * np.sqrt(252),
            "max_drawdown": (wealth / peaks - 1.0).min(),
        }
        found = {name: values[draw] for name, values in drawn.draws.items()}
        assert found == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(drawn.observed_wealth, np.cumprod(1.0 + returns))


def test_bootstrap_of_a_run_takes_its_days():
    result = backtest(Cross(fast=2, slow=6), market(400, hours=6.0))
    drawn = block_bootstrap(result, n_paths=20, block=3.0, rng=rng())
    assert drawn.points[-1] == 100
    assert drawn.observed["total_return"] == pytest.approx(result.total_return)


def test_bands_and_fan_are_quantiles_of_the_draws():
    drawn = bootstrap_returns(rng(1).normal(0, 0.01, 300), 252.0, n_paths=200, rng=rng(3))
    bands = drawn.bands(0.9)
    expected = np.quantile(drawn.draws["sharpe"], [0.05, 0.5, 0.95])
    np.testing.assert_allclose(bands.loc["sharpe", ["lower", "median", "upper"]], expected)
    fan = drawn.fan(0.9)
    assert len(fan) == 200
    np.testing.assert_allclose(fan["upper"], np.quantile(drawn.wealth, 0.95, axis=0))
    assert fan.index[-1] == 300


def test_noise_has_the_wanted_width_and_bars_stay_bars():
    bars = market(3_000, volatility=0.02)
    moved = noisy(bars, 0.5, np.random.SeedSequence(1))
    steps = np.log(moved.close / bars.close)
    assert steps.std() == pytest.approx(0.5 * np.diff(np.log(bars.close[:, 0])).std(), rel=0.05)
    assert abs(steps.mean()) < 0.001
    for name in ("open", "close"):
        assert (moved.high >= moved[name]).all()
        assert (moved.low <= moved[name]).all()


def test_noise_of_no_width_in_the_limit_changes_no_figure():
    strategy, bars = Cross(fast=2, slow=6), market(150)
    drawn = price_noise(strategy, bars, scale=1e-12, n_paths=3)
    for name, values in drawn.draws.items():
        np.testing.assert_allclose(values, drawn.observed[name], rtol=1e-6)
    assert drawn.observed["total_return"] == pytest.approx(backtest(strategy, bars).total_return)


def test_same_seed_gives_the_same_histories():
    result = backtest(Cross(fast=2, slow=6), market(150))
    for draw in (trade_order, skipped_trades, block_bootstrap):
        a, b = (draw(result, n_paths=20, rng=rng(5)).wealth for _ in range(2))
        np.testing.assert_array_equal(a, b)


def test_draws_that_cannot_be_made_are_refused():
    with pytest.raises(DataError, match="no trade"):
        trade_order(run_of([]), rng=rng())
    with pytest.raises(ConfigError, match="share"):
        skipped_trades(run_of([0.1]), share=1.0, rng=rng())
    with pytest.raises(ConfigError, match="n_paths"):
        trade_order(run_of([0.1]), n_paths=0, rng=rng())
    with pytest.raises(ConfigError, match="scale"):
        price_noise(Cross(), market(40), scale=0.0)
    with pytest.raises(ConfigError, match="level"):
        trade_order(run_of([0.1]), n_paths=2, rng=rng()).bands(1.0)


def covered(bands, figure, truth):
    return bands.loc[figure, "lower"] <= truth <= bands.loc[figure, "upper"]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["normal", "student"])
def test_bootstrap_bands_cover_the_true_sharpe_ratio(shape):
    source, inside, n = rng(21), 0, 1_000
    for _ in range(n):
        noise = source.standard_t(6, 250) if shape == "student" else source.standard_normal(250)
        scale = np.sqrt(6 / 4) if shape == "student" else 1.0
        returns = 0.001 + 0.01 * noise / scale
        bands = bootstrap_returns(returns, 252.0, n_paths=400, rng=source).bands()
        inside += covered(bands, "sharpe", 0.1 * np.sqrt(252))
    assert inside / n == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_bands_of_the_trade_order_cover_the_order_that_came():
    source, inside, n = rng(22), 0, 1_500
    for _ in range(n):
        gains = source.normal(0.002, 0.03, 60)
        drawn = trade_order(run_of(gains), n_paths=400, rng=source)
        inside += covered(drawn.bands(), "max_drawdown", drawn.observed["max_drawdown"])
    assert inside / n == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_bands_of_skipped_trades_cover_what_missing_trades_gives():
    source, inside, n = rng(23), 0, 1_500
    for _ in range(n):
        gains = source.normal(0.002, 0.03, 80)
        bands = skipped_trades(run_of(gains), share=0.2, n_paths=400, rng=source).bands()
        truth = np.prod(1.0 + gains[source.random(80) >= 0.2]) - 1.0
        inside += covered(bands, "total_return", truth)
    assert inside / n == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_bands_of_price_noise_cover_other_noise():
    strategy, bars = Cross(fast=2, slow=6), market(80)
    bands = price_noise(strategy, bars, scale=0.3, n_paths=2_000).bands()
    other = price_noise(strategy, bars, scale=0.3, n_paths=2_000, seed=1).draws["total_return"]
    low, high = bands.loc["total_return", ["lower", "upper"]]
    assert np.mean((other >= low) & (other <= high)) == pytest.approx(0.95, abs=0.02)
