import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.bars import random_bars
from quant_assets_tests.quant.indicators.oracle import assert_close, before, by_window

pytestmark = pytest.mark.slow

NAN = np.nan


@pytest.fixture(scope="module")
def bars():
    return random_bars(80, seed=9)


@pytest.mark.parametrize("n", [1, 10])
def test_amihud_equals_its_windows(bars, n):
    close, volume = bars["close"], bars["volume"]
    illiquidity = np.abs(close / before(close) - 1) / (close * volume)
    assert_close(
        indicators.amihud(close, volume, n) * 1e6, by_window(np.mean, n, illiquidity * 1e6)
    )


def test_amihud_of_a_row_without_volume_is_unknown():
    found = indicators.amihud([1.0, 2.0, 2.0, 4.0], [1.0, 1.0, 0.0, 0.5], 1)
    np.testing.assert_array_equal(found, [NAN, 0.5, NAN, 0.5])


@pytest.mark.parametrize("n", [3, 10])
def test_roll_spread_equals_its_covariance(bars, n):
    change = bars["close"] - before(bars["close"])
    covariance = by_window(lambda x, y: np.cov(x, y)[0, 1], n, change, before(change))
    with np.errstate(invalid="ignore"):
        expected = 2 * np.sqrt(-covariance)
    assert 0 < np.isnan(expected[n + 1 :]).sum() < len(expected) - n - 1
    assert_close(indicators.roll_spread(bars["close"], n), expected)


def test_roll_spread_of_a_bouncing_price_is_the_bounce():
    rng = np.random.default_rng(0)
    close = 100.0 + 0.05 * rng.choice([-1.0, 1.0], 20_000)
    assert indicators.roll_spread(close, 19_000)[-1] == pytest.approx(0.10, rel=0.03)


def corwin_schultz(bars):
    """The spread of each pair of rows, step by step as the paper has it."""
    found = np.full(len(bars["close"]), NAN)
    for t in range(1, len(found)):
        high, low = bars["high"][t - 1 : t + 1].copy(), bars["low"][t - 1 : t + 1].copy()
        last = bars["close"][t - 1]
        shift = low[1] - last if last < low[1] else (high[1] - last if last > high[1] else 0.0)
        high[1], low[1] = high[1] - shift, low[1] - shift
        beta = (np.log(high / low) ** 2).sum()
        gamma = np.log(high.max() / low.min()) ** 2
        root = 3 - 2 * np.sqrt(2)
        alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / root - np.sqrt(gamma / root)
        found[t] = max(2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha)), 0.0)
    return found


@pytest.mark.parametrize("n", [1, 10])
def test_corwin_schultz_equals_the_steps_of_the_paper(bars, n):
    gapped = bars | {"close": bars["close"] * (1 + 0.05 * np.sin(np.arange(80)))}
    assert (gapped["close"][:-1] > gapped["high"][1:]).any()
    assert (gapped["close"][:-1] < gapped["low"][1:]).any()
    prices = gapped["high"], gapped["low"], gapped["close"]
    expected = by_window(np.mean, n, corwin_schultz(gapped))
    assert_close(indicators.corwin_schultz(*prices, n), expected)


@pytest.mark.parametrize("n", [1, 10])
def test_abdi_ranaldo_equals_its_windows(bars, n):
    middle = (np.log(bars["high"]) + np.log(bars["low"])) / 2
    last = before(np.log(bars["close"]))
    product = (last - before(middle)) * (last - middle)
    mean = by_window(np.mean, n, product)
    found = indicators.abdi_ranaldo(bars["high"], bars["low"], bars["close"], n)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(mean))
    np.testing.assert_allclose(found**2, 4 * np.maximum(mean, 0.0), rtol=1e-9, atol=1e-15)


@pytest.mark.slow
def test_spread_estimators_find_the_spread_of_simulated_trades():
    # 1,500 days of 390 trades at a true price of 1 % a day, half a spread of 1 % up or down
    rng = np.random.default_rng(3)
    true = np.exp(np.cumsum(rng.normal(0.0, 0.01 / np.sqrt(390), 1_500 * 390)))
    traded = (true * (1 + 0.005 * rng.choice([-1.0, 1.0], true.size))).reshape(1_500, 390)
    high, low, close = traded.max(axis=1), traded.min(axis=1), traded[:, -1]
    found = indicators.corwin_schultz(high, low, close, 1_400)[-1]
    assert found == pytest.approx(0.01, rel=0.15)
    found = indicators.abdi_ranaldo(high, low, close, 1_400)[-1]
    assert found == pytest.approx(0.01, rel=0.15)


@pytest.mark.parametrize("n", [3, 10])
def test_kyle_lambda_is_the_slope_on_signed_volume(bars, n):
    change = bars["close"] - before(bars["close"])
    signed = np.sign(change) * bars["volume"]
    slope = by_window(
        lambda y, x: np.polyfit((x - x.mean()) / 1e4, y, 1)[0] / 1e4, n, change, signed
    )
    assert_close(indicators.kyle_lambda(bars["close"], bars["volume"], n) * 1e4, slope * 1e4)


def test_kyle_lambda_recovers_a_planted_impact():
    rng = np.random.default_rng(5)
    volume = rng.lognormal(3.0, 1.0, 400)
    side = rng.choice([-1.0, 1.0], 400)
    close = 1_000.0 + np.cumsum(0.002 * side * volume)
    assert indicators.kyle_lambda(close, volume, 300)[-1] == pytest.approx(0.002, rel=1e-9)
