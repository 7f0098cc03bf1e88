"""Every entry sizer against pandas, numpy or hand arithmetic."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.sizing.entry.base import ENTRY_SIZERS, EntrySizer
from quant_assets.quant.sizing.entry.units import (
    EQUITY_FRACTION,
    NOTIONAL,
    RISK_FRACTION,
    UNITS,
)
from quant_assets_tests.quant.simulation.execution.bar_samples import DAY, clock, random_bars

pytestmark = pytest.mark.slow


def sizes(name, bars, *, sides=None, **parameters):
    return plug_in(ENTRY_SIZERS, EntrySizer, {name: parameters}).sizes(bars, sides)


def bars_of(returns, *, start="2020-01-01"):
    close = 100.0 * np.cumprod(1.0 + np.vstack([np.zeros(returns.shape[1]), returns]), axis=0)
    names = tuple(f"S{column}" for column in range(close.shape[1]))
    return BarPanel.from_arrays(clock(len(close), DAY, start), names, DAY, close=close)


@pytest.mark.parametrize(
    ("name", "parameters", "unit", "size"),
    [
        ("fixed_quantity", {"quantity": 3}, UNITS, 3.0),
        ("fixed_dollar", {"amount": 5_000}, NOTIONAL, 5_000.0),
        ("fixed_fraction", {"fraction": 0.25}, EQUITY_FRACTION, 0.25),
        ("stop_risk", {"risk": 0.02}, RISK_FRACTION, 0.02),
        ("equal", {"slots": 8, "gross": 1.2}, EQUITY_FRACTION, 0.15),
        (
            "kelly_binary",
            {"win_rate": 0.6, "payoff_ratio": 1.5, "fraction": 1.0},
            EQUITY_FRACTION,
            0.6 - 0.4 / 1.5,
        ),
        ("kelly_binary", {"win_rate": 0.6, "payoff_ratio": 1.0}, EQUITY_FRACTION, 0.1),
        ("kelly_binary", {"win_rate": 0.4, "payoff_ratio": 1.0}, EQUITY_FRACTION, 0.0),
        (
            "kelly_binary",
            {"win_rate": 0.9, "payoff_ratio": 1.0, "fraction": 1.0, "max_leverage": 0.3},
            EQUITY_FRACTION,
            0.3,
        ),
    ],
)
def test_a_size_that_looks_at_nothing_is_the_same_everywhere(name, parameters, unit, size):
    found = sizes(name, random_bars(4, 2), **parameters)
    assert found.unit == unit
    assert_allclose(found.size, np.full((1, 2), size), rtol=1e-15)


def test_equal_shares_equity_among_the_symbols_that_have_a_close():
    bars = random_bars(30, 4, missing=0.3)
    found = sizes("equal", bars, gross=2.0).size
    present = ~np.isnan(bars.close)
    assert (found[~present] == 0.0).all()
    traded = present.any(axis=1)
    assert_allclose(found[traded].sum(axis=1), 2.0)
    assert all(len(np.unique(row[row > 0.0])) == 1 for row in found[traded])


def test_inverse_volatility_is_that_of_pandas_and_sums_to_the_gross():
    bars = random_bars(100, 4)
    found = sizes("inverse_volatility", bars, lookback=20, gross=1.5).size
    inverse = 1.0 / pd.DataFrame(bars.close).pct_change().rolling(20).std()
    expected = 1.5 * inverse.div(inverse.sum(axis=1), axis=0)
    assert_allclose(found[20:], expected[20:], rtol=1e-8)
    assert (found[:9] == 0.0).all()


def test_volatility_target_is_the_target_over_the_yearly_volatility():
    bars = random_bars(400, 3)
    found = sizes("volatility_target", bars, target=0.1, lookback=50, periods_per_year=252).size
    yearly = pd.DataFrame(bars.close).pct_change().rolling(50).std() * np.sqrt(252)
    assert_allclose(found[50:], np.minimum(0.1 / yearly, 1.0)[50:], rtol=1e-8)


def test_volatility_target_counts_the_bars_of_a_year_from_the_clock():
    bars = random_bars(800, 2)
    counted = sizes("volatility_target", bars, max_leverage=9).size
    stated = sizes("volatility_target", bars, max_leverage=9, periods_per_year=365.25).size
    assert_allclose(counted[100:], stated[100:], rtol=1e-12)
    weekdays = np.flatnonzero(np.is_busday(bars.ts.astype("datetime64[D]")))
    counted = sizes("volatility_target", bars.rows(weekdays), max_leverage=9).size
    stated = sizes("volatility_target", bars.rows(weekdays), max_leverage=9, periods_per_year=261)
    assert_allclose(counted[250:], stated.size[250:], rtol=5e-3)


def test_volatility_target_realises_its_target_on_planted_series():
    rng = np.random.default_rng(1)
    swings = 0.16 * 2.0 ** np.sin(np.arange(8_000) / 400) / np.sqrt(365.25)
    returns = (swings * rng.normal(size=8_000))[:, None]
    size = sizes("volatility_target", bars_of(returns), target=0.1, max_leverage=5, lookback=100)
    earned = size.size[100:-1] * returns[100:]
    assert earned.std() * np.sqrt(365.25) == pytest.approx(0.10, rel=0.02)


def test_atr_risk_costs_its_risk_when_the_price_moves_so_many_atr():
    import talib

    bars = random_bars(80, 2)
    found = sizes("atr_risk", bars, risk=0.01, multiple=2.0, n=14, max_leverage=50).size
    for column in (0, 1):
        high, low, close = (
            values[:, column].copy() for values in (bars.high, bars.low, bars.close)
        )
        distance = 2.0 * talib.ATR(high, low, close, 14)
        loss = found[:, column] / close * distance  # equity of 1, all of it at the close
        assert_allclose(loss[14:], 0.01, rtol=1e-9)
    assert (found[:14] == 0.0).all()


def test_kelly_binary_of_two_outcomes_is_exact():
    returns = np.tile([0.03, 0.03, -0.02, 0.03, -0.02], 60)[:, None]
    found = sizes("kelly_binary", bars_of(returns), fraction=1.0, lookback=100, max_leverage=99)
    # p = 0.6, b = 1.5: 0.6 - 0.4 / 1.5 = 1 / 3 lost of 0.02 each
    assert_allclose(found.size[100:], (1.0 / 3.0) / 0.02, rtol=1e-9)


def test_kelly_binary_of_a_short_entry_bets_on_the_other_side():
    returns = np.tile([-0.03, -0.03, 0.02, -0.03, 0.02], 60)[:, None]
    bars = bars_of(returns)
    options = {"fraction": 1.0, "lookback": 100, "max_leverage": 99}
    assert (sizes("kelly_binary", bars, **options).size == 0.0).all()
    short = sizes("kelly_binary", bars, sides=-np.ones(bars.close.shape), **options)
    assert_allclose(short.size[100:], (1.0 / 3.0) / 0.02, rtol=1e-9)


def test_kelly_binary_of_a_symbol_that_never_lost_is_nothing():
    assert (sizes("kelly_binary", bars_of(np.full((300, 1), 0.01))).size == 0.0).all()


def test_kelly_continuous_is_mean_over_variance_of_past_rows():
    bars = random_bars(300, 3)
    options = {"lookback": 120, "fraction": 0.5, "max_leverage": 99, "risk_free_rate": 0.05}
    found = sizes("kelly_continuous", bars, periods_per_year=252, **options).size
    returns = pd.DataFrame(bars.close).pct_change().rolling(120)
    free = 1.05 ** (1 / 252) - 1.0
    expected = 0.5 * (returns.mean() - free) / returns.var()
    assert_allclose(found[120:], np.maximum(expected, 0.0)[120:], rtol=1e-7, atol=1e-9)
    assert (found > 0.0).any()
    by_clock = sizes("kelly_continuous", bars, **options).size
    stated = sizes("kelly_continuous", bars, periods_per_year=365.25, **options).size
    assert_allclose(by_clock[130:], stated[130:], rtol=1e-9)
    assert sizes("kelly_continuous", bars, lookback=120, max_leverage=0.2).size.max() == 0.2


def test_kelly_optimal_of_one_symbol_is_kelly_continuous_at_each_refit():
    bars = random_bars(400, 1, seed=2)
    options = {"lookback": 100, "fraction": 1.0, "max_leverage": 99, "periods_per_year": 365.0}
    optimal = sizes("kelly_optimal", bars, refit_bars=30, **options).size
    alone = sizes("kelly_continuous", bars, **options).size
    refits = np.arange(100, 400, 30)
    # Ledoit & Wolf divide the variance by the rows, not by one less
    assert_allclose(optimal[refits], alone[refits] * 100 / 99, rtol=1e-9)
    assert all((optimal[row : row + 30] == optimal[row]).all() for row in refits)
    assert optimal.max() > 0.0


def test_kelly_optimal_reads_the_designs_parameters_and_keeps_its_limit():
    bars = random_bars(400, 3)
    found = sizes("kelly_optimal", bars, risk_free_rate=0.05, max_leverage=1.0).size
    assert found.sum(axis=1).max() <= 1.0 + 1e-12
    assert found.max() > 0.0
    assert (found[:250] == 0.0).all()
    richer = sizes("kelly_optimal", bars, risk_free_rate=0.0, max_leverage=99).size
    poorer = sizes("kelly_optimal", bars, risk_free_rate=0.3, max_leverage=99).size
    assert poorer.sum() < richer.sum()


def test_risk_parity_shares_the_risk_of_past_rows_equally():
    from sklearn.covariance import ledoit_wolf

    bars = random_bars(200, 4)
    found = sizes("risk_parity", bars, lookback=100, refit_bars=50).size
    returns = pd.DataFrame(bars.close).pct_change().to_numpy()
    for row in (100, 150):
        window = returns[row - 99 : row + 1]
        covariance = ledoit_wolf(window)[0]
        shares = found[row] * (covariance @ found[row])
        assert_allclose(shares / shares.sum(), 0.25, atol=1e-6)
        assert found[row].sum() == pytest.approx(1.0)
    assert (found[:100] == 0.0).all()


def test_symbols_without_half_of_their_past_are_nothing():
    unknown = (np.arange(300)[:, None] < 250) & (np.arange(3) == 0)
    given = random_bars(300, 3)
    fields = ("close", "open", "high", "low")
    bars = replace(given, **{name: np.where(unknown, np.nan, given[name]) for name in fields})
    for name in ("risk_parity", "kelly_optimal", "inverse_volatility", "volatility_target"):
        found = sizes(name, bars, lookback=120).size
        assert (found[:300, 0] == 0.0).all(), name
        assert (found[200:, 1] >= 0.0).all(), name
    assert (sizes("risk_parity", bars, lookback=120).size[200:, 1:] > 0.0).all()


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("fixed_fraction", {"fraction": 0.0}, "fraction is 0.0"),
        ("kelly_binary", {"win_rate": 0.5}, "give both"),
        ("kelly_binary", {"win_rate": 1.5, "payoff_ratio": 1.0}, "win_rate is 1.5"),
        ("kelly_optimal", {"max_leverage": -1}, "max_leverage is -1"),
        ("kelly_optimal", {"risk_free": 0.05}, "did you mean 'risk_free_rate'?"),
        ("volatility_target", {"periods_per_year": 0}, "periods_per_year is 0"),
        ("equal", {"slots": 2.5}, "slots is 2.5"),
    ],
)
def test_sizer_with_a_wrong_parameter_is_refused(name, parameters, message):
    with pytest.raises(ConfigError) as error:
        sizes(name, random_bars(3), **parameters)
    assert message in str(error.value)


def test_sides_of_another_shape_are_refused():
    with pytest.raises(DataError, match="sides have shape"):
        sizes("kelly_binary", random_bars(3, 2), sides=np.ones(2))
