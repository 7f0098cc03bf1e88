"""Strategies put together: the builder, both forms, and the plan."""

import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.risk.combined import exit_terms, limit_terms
from quant_assets.quant.risk.max_gross import MaxGross
from quant_assets.quant.risk.max_position import MaxPosition
from quant_assets.quant.risk.stop_loss import StopLoss
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.sizing.entry.fixed_fraction import FixedFraction
from quant_assets.quant.sizing.entry.kelly_optimal import KellyOptimal
from quant_assets.quant.strategies import (
    AttributionMiddleware,
    BarStrategy,
    ChangeLog,
    ComposedBarStrategy,
    ComposedStrategy,
    ExecutionMiddleware,
    IndicatorCache,
    IndicatorMiddleware,
    Plan,
    RiskMiddleware,
    RuleSignals,
    RuleStrategy,
    SignalMiddleware,
    Signals,
    SizingMiddleware,
    StrategyBuilder,
    StrategyTester,
    VectorStrategy,
    classic,
    compose,
)
from quant_assets.quant.strategies.regimes import RegimeFilter
from quant_assets.quant.strategies.rules import (
    MaCrossDown,
    MaCrossUp,
    MomentumBelow,
    RsiOversold,
)
from quant_assets_tests.quant.strategies.composed_samples import (
    DOWN,
    TREND,
    UP,
    BarOnly,
    BollingerMeanReversion,
    Places,
    Quiet,
    Weights,
    built,
    same,
)
from quant_assets_tests.quant.strategies.markets import random_bars


@pytest.fixture(scope="module")
def bars():
    return random_bars()


MOVING_AVERAGE_CROSS = """
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies.rules import MaCrossDown, MaCrossUp

up, down = MaCrossUp(fast=20, slow=50), MaCrossDown(fast=20, slow=50)
strategy = StrategyBuilder("ma_cross").with_signals(entry_long=up, exit_long=down).build()
"""


def test_moving_average_cross_takes_fewer_than_ten_lines(bars):
    assert len([line for line in MOVING_AVERAGE_CROSS.splitlines() if line]) == 4
    space = {}
    exec(MOVING_AVERAGE_CROSS, space)  # noqa: S102 - the text above
    found = space["strategy"].signals(bars)
    close = bars.close[:, 0]
    fast, slow = (np.convolve(close, np.ones(n) / n, "valid")[-(250 - 49) :] for n in (20, 50))
    d = fast - slow
    crossed = 50 + np.flatnonzero((d[:-1] <= 0) & (d[1:] > 0))
    np.testing.assert_array_equal(np.flatnonzero(found.entry_long[:, 0]), crossed)


def test_builder_of_the_design_document_gives_both_forms(bars):
    strategy = (
        StrategyBuilder()
        .with_signals(BollingerMeanReversion())
        .with_sizing(KellyOptimal(risk_free_rate=0.05))
        .with_risk(TrailingStop(pct=0.02))
        .with_regime(RegimeFilter(["bull", "neutral"]))
        .build()
    )
    assert isinstance(strategy, ComposedStrategy)
    assert isinstance(strategy, VectorStrategy)
    assert isinstance(strategy, BarStrategy)
    assert strategy.name == "bollinger_mean_reversion"
    assert strategy.stages()["middleware"].tolist() == [
        "signals",
        "regime",
        "sizing",
        "risk",
        "attribution",
    ]
    assert strategy.signals(bars).shape == bars.close.shape


def test_builder_of_the_design_document_runs_with_the_strategy_of_the_library(bars):
    strategy = (
        StrategyBuilder()
        .with_signals(classic.BollingerMeanReversion())
        .with_sizing(KellyOptimal(risk_free_rate=0.05))
        .with_risk(TrailingStop(pct=0.02))
        .with_regime(RegimeFilter(["bull", "neutral"]))
        .build()
    )
    assert strategy.name == "bollinger_reversion"
    plain = classic.BollingerMeanReversion().signals(bars).entry_long
    allowed = strategy.signals(bars).entry_long
    assert plain.any()
    assert not (allowed & ~plain).any()


def test_pipeline_of_the_design_document_is_a_strategy(bars):
    log, fills = ChangeLog(), {"fill_model": "realistic_volume"}
    pipeline = [
        IndicatorMiddleware([Sma(10), Rsi(14)]),
        SignalMiddleware(BollingerMeanReversion()),
        SizingMiddleware(FixedFraction(fraction=0.1)),
        RiskMiddleware(TrailingStop(pct=0.02)),
        ExecutionMiddleware(fills),
        AttributionMiddleware(log),
    ]
    strategy = compose("piped", pipeline, version="2.0.0")
    signals, plan = strategy.decide(bars)
    same(signals, BollingerMeanReversion().signals(bars))
    assert plan.sizes.size.tolist() == [[0.1] * 3]
    assert strategy.execution is fills
    assert strategy.changes is log
    assert len(log.frame()) > 0
    assert strategy.stages()["order"].tolist() == [*range(6)]


def test_plan_has_sizes_exits_limits_and_labels_of_the_parts(bars):
    rules = (TrailingStop(pct=0.02), MaxPosition(pct=0.05))
    strategy = built(regime=TREND, sizing=FixedFraction(fraction=0.2), risk=rules)
    plan = strategy.plan(bars)
    assert plan.sizes.unit == FixedFraction.unit
    np.testing.assert_array_equal(plan.exits.level, exit_terms(rules, bars).level)
    assert plan.limits.max_position == limit_terms(rules, bars).max_position == 0.05
    found = TREND.classify(bars)
    np.testing.assert_array_equal(plan.labels["regime_at_entry"], found.names())
    np.testing.assert_array_equal(plan.labels["regime_confidence"], found.confidence)


@pytest.mark.slow
def test_sizes_of_short_entries_are_asked_for_on_the_short_side(bars):
    sizer = KellyOptimal(lookback=60)
    strategy = (
        StrategyBuilder("short")
        .with_signals(entry_short=DOWN, exit_short=UP)
        .with_sizing(sizer)
        .build()
    )
    short = strategy.signals(bars).entry_short
    expected = sizer.sizes(bars, np.where(short, -1.0, 1.0)).size
    np.testing.assert_array_equal(strategy.plan(bars).sizes.size, expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_composed_strategy_decides_alike_over_arrays_and_bar_by_bar(seed):
    bars = random_bars(120, seed=seed, holes=0.02)
    strategy = (
        StrategyBuilder("alike")
        .with_signals(
            entry_long=[UP | RsiOversold(period=5, threshold=40.0), ~MomentumBelow(period=3)],
            exit_long=DOWN,
            entry_short=MaCrossDown(fast=2, slow=4),
            exit_short=MaCrossUp(fast=2, slow=4),
        )
        .with_regime(RegimeFilter(["bull", "bear"], 0.6, TREND))
        .with_sizing(FixedFraction())
        .with_middleware(Quiet())
        .build()
    )
    whole = strategy.signals(bars)
    table = strategy.changes.frame()
    same(StrategyTester(strategy, bars).bar_by_bar(), whole)
    again = strategy.changes.frame()
    assert table.equals(again[table.columns])
    assert whole.entry_long.any()
    assert whole.entry_short.any()


def test_source_without_a_bar_form_is_shown_bar_by_bar(bars):
    strategy = StrategyBuilder().with_signals(Weights()).build()
    assert isinstance(strategy, ComposedStrategy)
    same(StrategyTester(strategy, bars).bar_by_bar(), Weights().signals(bars))


def test_source_that_is_plain_python_makes_a_bar_strategy(bars):
    strategy = StrategyBuilder().with_signals(BarOnly()).build()
    assert isinstance(strategy, ComposedBarStrategy)
    found = StrategyTester(strategy, bars).signals()
    expected = bars.close > bars.open
    expected[::2] = False
    np.testing.assert_array_equal(found.entry_long, expected)


def test_source_that_places_orders_is_refused_by_the_pipeline(bars):
    strategy = StrategyBuilder().with_signals(Places()).build()
    with pytest.raises(DataError, match="middlewares work on signals"):
        StrategyTester(strategy, bars).signals()


def test_source_of_another_shape_is_refused(bars):
    @dataclass(frozen=True, kw_only=True)
    class Short(VectorStrategy):
        name: ClassVar[str] = "short_of_a_row"

        def signals(self, bars):
            return Signals(entry_long=bars.close[1:] > 0.0)

    with pytest.raises(DataError, match=r"\(249, 3\); the bars have \(250, 3\)"):
        StrategyBuilder().with_signals(Short()).build().signals(bars)


def test_warm_up_is_what_the_signals_need_and_not_less(bars):
    assert built().warm_up == 8
    assert built(warm_up=30).warm_up == 30
    with pytest.raises(ConfigError, match="warm-up of 7 bars; its signals need 8"):
        built(warm_up=7)


def test_builder_without_signals_or_with_two_kinds_of_them_is_refused():
    with pytest.raises(ConfigError, match="needs signals"):
        StrategyBuilder("empty").build()
    with pytest.raises(ConfigError, match="not both"):
        StrategyBuilder().with_signals(BollingerMeanReversion(), entry_long=UP)
    with pytest.raises(ConfigError, match="never trade"):
        StrategyBuilder().with_signals(exit_long=UP)
    with pytest.raises(ConfigError, match="no SignalMiddleware"):
        compose("empty", [SizingMiddleware(FixedFraction())])


def test_builder_leaves_earlier_builders_as_they_were():
    first = StrategyBuilder("one").with_signals(entry_long=UP)
    second = first.with_risk(TrailingStop()).with_risk([MaxPosition()])
    assert [one.name for one in first.stages()] == ["signals", "attribution"]
    assert len(second.stages()[1].rules) == 2


def test_decisions_are_computed_once_for_signals_and_plan(bars):
    strategy = built(sizing=FixedFraction())
    assert strategy.decide(bars) is strategy.decide(bars)
    other = random_bars(seed=8)
    assert strategy.decide(other) is not strategy.decide(bars)


def test_composed_strategy_survives_a_pickle(bars):
    strategy = built(regime=RegimeFilter(["bull"], 0.5, TREND))
    strategy.signals(bars)
    same(pickle.loads(pickle.dumps(strategy)).signals(bars), strategy.signals(bars))  # noqa: S301


def test_cache_computes_an_indicator_once_for_a_sweep(bars):
    cache = IndicatorCache()
    grid = [(fast, slow) for fast in (2, 3, 4) for slow in (10, 20)]
    for fast, slow in grid:
        entry, leave = MaCrossUp(fast=fast, slow=slow), MaCrossDown(fast=fast, slow=slow)
        plain = StrategyBuilder("swept").with_signals(entry_long=entry, exit_long=leave).build()
        same(plain.with_cache(cache).signals(bars), plain.signals(bars))
    assert cache.misses == 5
    assert cache.hits == 2 * len(grid) - 5


@dataclass(frozen=True, kw_only=True)
class Planned(RuleStrategy):
    """A strategy that brings sizes, a stop, a limit and a label of its own."""

    name: ClassVar[str] = "planned"

    def rules(self):
        return RuleSignals(entry_long=UP, exit_long=DOWN)

    def plan(self, bars):
        own = (StopLoss(pct=0.1), MaxGross(pct=0.5))
        return Plan(
            sizes=FixedFraction(fraction=0.3).sizes(bars),
            exits=exit_terms(own, bars),
            limits=limit_terms(own, bars),
            labels={"mood": np.full((1, 3), "fine", dtype=object)},
        )


def test_plan_of_the_source_stays_unless_a_stage_says_otherwise(bars):
    plan = StrategyBuilder().with_signals(Planned()).build().plan(bars)
    own = Planned().plan(bars)
    assert plan.sizes is not None
    np.testing.assert_array_equal(plan.sizes.size, own.sizes.size)
    np.testing.assert_array_equal(plan.exits.level, own.exits.level)
    assert plan.limits.max_gross == 0.5
    assert set(plan.labels) == {"mood", "entry_signal"}


def test_rules_of_risk_stand_beside_the_exits_of_the_source(bars):
    builder = StrategyBuilder().with_signals(Planned()).with_sizing(FixedFraction(fraction=0.1))
    plan = builder.with_risk(TrailingStop(pct=0.02)).build().plan(bars)
    assert plan.sizes.size.tolist() == [[0.1] * 3]
    assert plan.exits.level[:, 0, 0].tolist() == [0.1, 0.02]
    assert plan.exits.kind.tolist() == [StopLoss.kind, TrailingStop.kind]
    assert plan.limits.max_gross == 0.5
    limited = builder.with_risk(MaxPosition(pct=0.2)).build().plan(bars)
    assert limited.limits.max_position == 0.2
    assert np.isinf(limited.limits.max_gross)
