"""Checks that every rule and every regime passes, found by discovery."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.columns import PanelRows
from quant_assets.quant.strategies.regimes import regimes
from quant_assets.quant.strategies.rule_signals import RuleSignals
from quant_assets.quant.strategies.rules import rules
from quant_assets.quant.strategies.tester import StrategyTester
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant

RULES, REGIMES = rules(), regimes()
ROWS = 330
SMALL_REGIMES = {
    "moving_average_trend": {"fast": 5, "slow": 20},
    "volatility_quantile": {"period": 5, "history": 40},
    "hidden_markov": {"history": 60, "refit": 20},
}


def _arrays(rows=ROWS, columns=3, holes=True):
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (rows, columns)), axis=0))
    opened = close * np.exp(rng.normal(0.0, 0.01, close.shape))
    spread = np.exp(np.abs(rng.normal(0.0, 0.01, close.shape)))
    arrays = {
        "open": opened,
        "high": np.maximum(opened, close) * spread,
        "low": np.minimum(opened, close) / spread,
        "close": close,
        "volume": rng.lognormal(3.0, 0.8, close.shape),
        "funding_rate": rng.normal(0.0, 1e-4, close.shape),
    }
    if holes:
        gone = rng.random(close.shape) < 0.01
        for name, values in arrays.items():
            values[gone] = 0.0 if name == "volume" else np.nan
    return arrays


def _bars(arrays):
    rows, columns = arrays["close"].shape
    ts = np.datetime64("2024-01-01", "us") + np.arange(rows) * np.timedelta64(1, "h")
    prices = {name: values for name, values in arrays.items() if name != "funding_rate"}
    extras = {"funding_rate": arrays["funding_rate"]}
    symbols = [f"S{i}" for i in range(columns)]
    return BarPanel.from_arrays(ts, symbols, timedelta(hours=1), extras=extras, **prices)


@pytest.fixture(params=sorted(RULES))
def rule(request):
    return RULES[request.param]()


@pytest.fixture(params=sorted(REGIMES))
def regime(request):
    return REGIMES[request.param](**SMALL_REGIMES[request.param])


def test_rule_reads_no_later_bar(rule):
    def verdict(arrays):
        return np.hstack(rule.verdict(PanelRows(_bars(arrays))))

    assert_prefix_invariant(verdict, _arrays(), cuts=(rule.lookback + 9,))


def test_rule_is_unknown_for_its_lookback_and_known_from_then_on(rule):
    holds, refuted = rule.verdict(PanelRows(_bars(_arrays(holes=False))))
    assert not (holds & refuted).any()
    known = (holds | refuted).all(axis=1)
    assert not known[: rule.lookback].any()
    assert known[rule.lookback :].all()


@pytest.mark.slow
def test_rule_of_permuted_symbols_is_permuted(rule):
    arrays, order = _arrays(), [2, 0, 1]
    whole = rule.holds(PanelRows(_bars(arrays)))
    other = rule.holds(PanelRows(_bars({n: v[:, order].copy() for n, v in arrays.items()})))
    np.testing.assert_array_equal(other, whole[:, order])


@pytest.mark.slow
def test_rule_says_the_same_bar_by_bar(rule):
    arrays = _arrays(holes=False)
    for values in arrays.values():
        values[20, 1] = np.nan
    bars = _bars(arrays)
    source = RuleSignals(entry_long=rule, exit_long=~rule)
    tester = StrategyTester(source, bars)
    whole, single = source.signals(bars), tester.bar_by_bar()
    np.testing.assert_array_equal(single.entry_long, whole.entry_long)
    np.testing.assert_array_equal(single.exit_long, whole.exit_long)
    assert (whole.entry_long | whole.exit_long).any()


def test_regime_reads_no_later_bar(regime):
    def labelled(arrays):
        found = regime.classify(_bars(arrays))
        return np.hstack([found.code.astype(np.float64), found.confidence])

    assert_prefix_invariant(labelled, _arrays(), cuts=(90, 200, 201))


def test_regime_labels_from_its_lookback_on_and_is_sure_between_0_and_1(regime):
    found = regime.classify(_bars(_arrays(holes=False)))
    assert (found.code[: regime.lookback] == -1).all()
    assert (found.code[regime.lookback :] >= 0).all()
    assert found.code.max() < len(regime.labels) == len(found.labels)
    np.testing.assert_array_equal(np.isnan(found.confidence), found.code == -1)
    sure = found.confidence[regime.lookback :]
    assert sure.min() >= 0.0
    assert sure.max() <= 1.0
    assert set(found.names().ravel()) <= {*regime.labels, "unknown"}


def test_regime_does_not_label_a_gap(regime):
    arrays = _arrays()
    gone = np.isnan(arrays["close"])
    assert (regime.classify(_bars(arrays)).code[gone] == -1).all()
