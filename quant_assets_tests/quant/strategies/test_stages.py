"""Stages of a composed strategy: their order, what each changes, and the table of changes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.sizing.entry.fixed_fraction import FixedFraction
from quant_assets.quant.strategies import (
    AttributionMiddleware,
    ComposedBarStrategy,
    RegimeMiddleware,
    SignalMiddleware,
    StrategyBuilder,
    StrategyTester,
    VectorStrategy,
    compose,
)
from quant_assets.quant.strategies.regimes import MovingAverageTrend, RegimeFilter
from quant_assets.quant.strategies.rules import (
    RsiOversold,
)
from quant_assets.quant.strategies.signals import FLAGS
from quant_assets_tests.quant.strategies.composed_samples import (
    DOWN,
    TREND,
    UP,
    BollingerMeanReversion,
    OnlyFirst,
    Quiet,
    Weights,
    built,
    same,
)
from quant_assets_tests.quant.strategies.markets import random_bars


@pytest.fixture(scope="module")
def bars():
    return random_bars()


def test_regime_blocks_entries_and_never_exits(bars):
    plain = built().signals(bars)
    wanted = RegimeFilter(["bull"], 0.9, TREND)
    filtered = built(regime=wanted).signals(bars)
    found = TREND.classify(bars)
    allowed = (found.code == 2) & (found.confidence >= 0.9)
    np.testing.assert_array_equal(filtered.entry_long, plain.entry_long & allowed)
    np.testing.assert_array_equal(filtered.exit_long, plain.exit_long)
    assert 0 < filtered.entry_long.sum() < plain.entry_long.sum()


def test_regime_lets_weights_close_but_not_open(bars):
    blocked = (
        StrategyBuilder().with_signals(Weights()).with_regime(RegimeFilter(["bear"], 0, TREND))
    )
    before, after = Weights().signals(bars).target, blocked.build().signals(bars).target
    allowed = TREND.classify(bars).code == 0
    np.testing.assert_array_equal(after[allowed], before[allowed])
    np.testing.assert_array_equal(after[~allowed] == 0.0, before[~allowed] == 0.0)
    assert np.isnan(after[~allowed][before[~allowed] != 0.0]).all()


def test_changes_rebuild_the_decisions_from_nothing(bars):
    strategy = built(regime=RegimeFilter(["bull"], 0.5, TREND), middleware=Quiet())
    signals = strategy.signals(bars)
    rebuilt = {name: np.zeros(bars.close.shape) for name in FLAGS}
    table = strategy.changes.frame()
    for change in table.sort_values("order", kind="stable").itertuples():
        cell = (change.bar, bars.symbols.index(change.symbol))
        assert rebuilt[change.field][cell] == change.before
        rebuilt[change.field][cell] = change.after
    np.testing.assert_array_equal(rebuilt["entry_long"], signals.entry_long)
    np.testing.assert_array_equal(rebuilt["exit_long"], signals.exit_long)
    assert (table["ts"].dt.tz_localize(None).to_numpy() == bars.ts[table["bar"]]).all()


def test_changes_say_which_stage_took_an_entry_away_and_why(bars):
    strategy = built(regime=RegimeFilter(["bull"], 0.5, TREND), middleware=Quiet())
    strategy.signals(bars)
    vetoes = strategy.changes.frame().query("after == 0")
    assert set(vetoes["middleware"]) == {"regime", "quiet"}
    reasons = vetoes.groupby("middleware")["reason"].unique()
    assert reasons["quiet"].tolist() == ["little volume"]
    assert set(reasons["regime"]) <= {
        "unknown",
        *(f"{label} {p} %" for label in TREND.labels for p in (33, 66, 100)),
    }


def test_order_of_the_stages_is_visible_in_the_changes(bars):
    stages = built(regime=RegimeFilter(["bull"], 0.5, TREND), middleware=Quiet()).middlewares
    signals, regime, own, _ = stages
    tables = {}
    for name, order in {"regime": (regime, own), "own": (own, regime)}.items():
        fresh = AttributionMiddleware()
        strategy = compose("ordered", [signals, *order, fresh])
        strategy.signals(bars)
        tables[name] = strategy.changes.frame().query("after == 0")
    # a cell that both would veto is told of the first alone
    both = {n: set(zip(t["bar"], t["symbol"], strict=True)) for n, t in tables.items()}
    assert both["regime"] == both["own"]
    counts = {n: t["middleware"].value_counts().to_dict() for n, t in tables.items()}
    assert counts["regime"]["regime"] > counts["own"]["regime"]
    assert counts["regime"]["quiet"] < counts["own"]["quiet"]


@pytest.mark.parametrize("stage", ["indicators", "regime", "sizing", "own", "risk", "execution"])
def test_stage_that_is_left_out_is_the_identity(bars, stage):
    parts = {
        "indicators": Rsi(5),
        "regime": RegimeFilter(["bull"], 0.5, TREND),
        "sizing": FixedFraction(fraction=0.1),
        "middleware": Quiet(),
        "risk": TrailingStop(pct=0.03),
        "execution": {"fill_model": "next_open"},
    }
    name = {"own": "quiet"}.get(stage, stage)
    key = {"own": "middleware"}.get(stage, stage)
    less = built(**parts).without(name)
    other = built(**{k: v for k, v in parts.items() if k != key})
    assert replace(less, name="other") == replace(other, name="other")
    same(less.signals(bars), other.signals(bars))
    with pytest.raises(ConfigError, match="has no stage"):
        less.without(name)


def test_stage_that_changes_nothing_leaves_no_trace(bars):
    everything = RegimeFilter(TREND.labels, 0.0, MovingAverageTrend(fast=1, slow=2, confirm=1))
    strategy = built(regime=everything)
    same(strategy.signals(bars), built().signals(bars))
    assert set(strategy.changes.frame()["middleware"]) == {"signals"}


def test_row_middleware_makes_a_bar_strategy_whose_vetoes_are_noted():
    bars = random_bars(100)
    strategy = built(middleware=OnlyFirst())
    assert isinstance(strategy, ComposedBarStrategy)
    assert not isinstance(strategy, VectorStrategy)
    plain, found = built().signals(bars), StrategyTester(strategy, bars).signals()
    expected = plain.entry_long.copy()
    expected[:60], expected[:, 1:] = False, False
    np.testing.assert_array_equal(found.entry_long, expected)
    np.testing.assert_array_equal(found.exit_long, plain.exit_long)
    vetoes = strategy.changes.frame().query("middleware == 'only_first'")
    assert len(vetoes) == (plain.entry_long & ~expected).sum()
    assert set(vetoes["reason"]) == {"too early", "not the first"}
    assert (vetoes["bar"] < 60).tolist() == (vetoes["reason"] == "too early").tolist()


def test_without_attribution_nothing_is_noted(bars):
    builder = StrategyBuilder("quiet").with_signals(entry_long=UP).without_attribution()
    strategy = builder.build()
    strategy.signals(bars)
    assert strategy.changes.frame().empty
    assert "attribution" not in strategy.stages()["middleware"].tolist()


def test_regime_middleware_takes_a_classifier_that_only_labels(bars):
    strategy = compose(
        "labelled", [SignalMiddleware(BollingerMeanReversion()), RegimeMiddleware(TREND)]
    )
    same(strategy.signals(bars), BollingerMeanReversion().signals(bars))
    labels = {"entry_signal", "regime_at_entry", "regime_confidence"}
    assert set(strategy.plan(bars).labels) == labels


def test_entries_are_labelled_with_the_rules_that_asked_for_them(bars):
    rules = {"entry_long": [UP, ~RsiOversold()], "entry_short": DOWN}
    strategy = StrategyBuilder("told").with_signals(**rules).build()
    signals, plan = strategy.decide(bars)
    told = plan.labels["entry_signal"]
    long = {"signal": "entry_long", "rules": ["ma_cross_up", "not rsi_oversold"]}
    short = {"signal": "entry_short", "rules": ["ma_cross_down"]}
    assert {json.loads(text)["signal"] for text in told[signals.entry_short]} == {"entry_short"}
    assert json.loads(told[signals.entry_long][0]) == long
    assert json.loads(told[signals.entry_short][0]) == short
    source = StrategyBuilder().with_signals(Weights()).build().plan(bars).labels["entry_signal"]
    assert json.loads(source[0, 0])["source"] == "weights"
