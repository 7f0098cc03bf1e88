"""What every feature must do, whoever wrote it; found by discovery."""

import re
from dataclasses import fields
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import LookAheadError
from quant_assets.core.registry import discover
from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.features.stage import FEATURES_PACKAGE
from quant_assets.quant.leaks.functions import check_feature
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.returns import equal_weight_market, simple_returns
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant

pytestmark = pytest.mark.slow

FEATURES = discover(FEATURES_PACKAGE, Feature)
MONTH = 4
N_TIMES = 12 * MONTH + 60
CUTS = (1, 2, 12 * MONTH, 12 * MONTH + 1, 12 * MONTH + 17, N_TIMES - 1)
every_feature = pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES.keys())


def random_prices(n_times=N_TIMES, n_symbols=5, *, seed=0, missing=0.0):
    generator = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.02, (n_times, n_symbols)), axis=0))
    spread = np.abs(generator.normal(0.0, 0.01, (2, n_times, n_symbols)))
    prices = {
        "close": close,
        "high": close * (1.0 + spread[0]),
        "low": close * (1.0 - spread[1]),
        "volume": generator.lognormal(10.0, 1.0, close.shape),
        "open": close * (1.0 + spread[0] - spread[1]) / (1.0 + spread[0]),
        "spot_close": close * (1.0 + generator.normal(0.0, 1e-3, close.shape)),
    }
    gaps = generator.random(close.shape) < missing
    for values in prices.values():
        values[gaps] = np.nan
    prices |= {
        "funding_rate": generator.normal(1e-4, 1e-4, close.shape),
        "open_interest": generator.lognormal(5.0, 0.1, close.shape),
        "liquidated_longs": generator.lognormal(8.0, 2.0, close.shape),
        "liquidated_shorts": generator.lognormal(8.0, 2.0, close.shape),
    }
    prices["funding_rate"][gaps] = np.nan
    return prices


def make_inputs(prices, *, symbols=None):
    close = prices["close"]
    symbols = symbols or tuple(f"S{column}" for column in range(close.shape[1]))
    ts = pd.date_range("2020-01-01", periods=len(close), freq="D", tz="UTC")
    returns = simple_returns(Panel(close, ts, symbols))
    return FeatureInputs(
        **prices,
        returns=returns,
        market=equal_weight_market(returns),
        month_bars=MONTH,
        bars_per_year=252,
        ts=ts,
        symbols=symbols,
    )


def check_causal(feature, prices):
    """The common look-ahead check, for features in this package and elsewhere."""
    assert_prefix_invariant(lambda p: feature().compute(make_inputs(p)), prices, cuts=CUTS)


@every_feature
@pytest.mark.parametrize(
    ("n_symbols", "missing"),
    [(5, 0.01), *(pytest.param(n, m, marks=pytest.mark.slow) for n in (1, 5) for m in (0.0, 0.3))],
)
def test_feature_is_causal_bit_for_bit(feature, missing, n_symbols):
    check_causal(feature, random_prices(n_symbols=n_symbols, missing=missing))


@every_feature
def test_feature_passes_the_leak_check_and_its_lookback_is_enough(feature):
    report = check_feature(feature(), make_inputs(random_prices(6 * N_TIMES, 3)))
    assert report.trusted, str(report)
    assert not report.failed
    assert all(part.sufficient for part in report.start_up), str(report)


@every_feature
def test_feature_keeps_the_shape_and_is_finite_or_missing(feature):
    for n_times in (0, 1, 2, 12 * MONTH, N_TIMES):
        values = feature().compute(make_inputs(random_prices(n_times)))
        assert values.shape == (n_times, 5)
        assert values.dtype == np.float64
        assert not np.isinf(values).any()


@every_feature
def test_feature_is_missing_in_warm_up_and_only_there(feature):
    values = feature().compute(make_inputs(random_prices()))
    warm_up = feature.lookback.bars(MONTH)
    assert np.isnan(values[:warm_up]).all()
    assert not np.isnan(values[warm_up:]).any()


@every_feature
def test_feature_needs_no_more_than_its_lookback(feature):
    inputs, warm_up = make_inputs(random_prices()), feature.lookback.bars(MONTH)
    whole, tail = feature().compute(inputs), feature().compute(inputs.tail(warm_up + 20))
    np.testing.assert_allclose(tail[-20:], whole[-20:], rtol=1e-9, atol=1e-12)


@every_feature
def test_feature_gives_the_same_bytes_twice_and_leaves_its_inputs_alone(feature):
    inputs, pristine = make_inputs(random_prices()), make_inputs(random_prices())
    first, second = feature().compute(inputs), feature().compute(inputs)
    assert first.tobytes() == second.tobytes()
    for field in fields(FeatureInputs):
        value = getattr(inputs, field.name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(pristine, field.name))
            assert not np.shares_memory(first, value)


@every_feature
def test_permuting_symbols_permutes_the_values(feature):
    prices, order = random_prices(missing=0.01), np.array([3, 0, 4, 1, 2])
    values = feature().compute(make_inputs(prices))
    permuted = {name: np.ascontiguousarray(array[:, order]) for name, array in prices.items()}
    moved = feature().compute(make_inputs(permuted, symbols=tuple(f"S{i}" for i in order)))
    np.testing.assert_allclose(moved, values[:, order], rtol=1e-9, atol=1e-12)


@every_feature
def test_feature_survives_flat_extreme_and_absent_prices(feature):
    prices = random_prices(n_symbols=6)
    for values in prices.values():
        values[:, 0] = 5.0
        values[:, 1] *= 1e-8
        values[:, 2] *= 1e6
        values[:, 3] = np.nan
        values[:70, 4] = np.nan
        values[40:, 5] = values[40:, 4]
    result = feature().compute(make_inputs(prices))
    assert not np.isinf(result).any()
    assert np.isnan(result[:, 3]).all()
    assert not np.isnan(result[feature.lookback.bars(MONTH) :, 1:3]).any()


@every_feature
def test_feature_name_makes_a_column_name(feature):
    assert re.fullmatch(r"[a-z0-9_]+", feature.name)
    assert feature.lookback.bars(21) > 0


class _Planted(Feature):
    lookback: ClassVar[Months] = Months(1)


class CentredMean(_Planted):
    """Looks as far forward as back."""

    name: ClassVar[str] = "centred_mean"

    def compute(self, inputs):
        return pd.DataFrame(inputs.close).rolling(5, center=True).mean().to_numpy()


class WholeSampleScore(_Planted):
    """Knows mean and deviation of all days."""

    name: ClassVar[str] = "whole_sample_score"

    def compute(self, inputs):
        close = pd.DataFrame(inputs.close)
        return ((close - close.mean()) / close.std()).to_numpy()


class TomorrowsReturn(_Planted):
    """The usual off-by-one."""

    name: ClassVar[str] = "tomorrows_return"

    def compute(self, inputs):
        return pd.DataFrame(inputs.returns).shift(-1).to_numpy()


class BackFilled(_Planted):
    """Fills its warm-up from later rows."""

    name: ClassVar[str] = "back_filled"

    def compute(self, inputs):
        return pd.DataFrame(inputs.close).rolling(5).mean().bfill().to_numpy()


class RankOfAllDays(_Planted):
    """Ranks a day among the days to come."""

    name: ClassVar[str] = "rank_of_all_days"

    def compute(self, inputs):
        return pd.DataFrame(inputs.close).rank(pct=True).to_numpy()


LEAKS = [CentredMean, WholeSampleScore, TomorrowsReturn, BackFilled, RankOfAllDays]


@pytest.mark.parametrize("feature", LEAKS, ids=[leak.name for leak in LEAKS])
def test_planted_leak_is_caught(feature):
    with pytest.raises(LookAheadError, match="reads the future"):
        check_causal(feature, random_prices())


@pytest.mark.parametrize("kind", ["truncated", "noise", "missing"])
def test_each_of_the_three_futures_catches_a_leak_alone(kind):
    def leak(arrays):
        close = arrays["close"]
        empty = len(close) == N_TIMES and np.isnan(close[1:]).all()
        future = {
            "truncated": len(close) == N_TIMES,
            "noise": len(close) < N_TIMES or empty or np.array_equal(close, prices["close"]),
            "missing": not empty,
        }
        return close if future[kind] else close * 2.0

    prices = random_prices()
    with pytest.raises(LookAheadError, match=f"{kind} from row 1"):
        assert_prefix_invariant(leak, {"close": prices["close"]}, cuts=[1])


def test_causal_function_of_integers_and_vectors_passes():
    arrays = {"x": np.arange(20), "y": np.linspace(1.0, 2.0, 20)}
    assert_prefix_invariant(lambda a: np.cumsum(a["x"] * a["y"]), arrays, cuts=range(1, 20))
