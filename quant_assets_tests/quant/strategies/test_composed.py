"""Strategies put together: the builder, the order of the stages, and the table of changes."""

import json
import pickle
from dataclasses import dataclass, replace
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
    Line,
    Middleware,
    Order,
    Plan,
    RegimeMiddleware,
    RiskMiddleware,
    RowMiddleware,
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
from quant_assets.quant.strategies.regimes import MovingAverageTrend, RegimeFilter
from quant_assets.quant.strategies.rules import (
    BbLowerTouch,
    BbUpperTouch,
    MaCrossDown,
    MaCrossUp,
    MomentumBelow,
    RsiOversold,
)
from quant_assets.quant.strategies.signals import FLAGS
from quant_assets_tests.quant.strategies.markets import random_bars

UP, DOWN = MaCrossUp(fast=3, slow=8), MaCrossDown(fast=3, slow=8)
TREND = MovingAverageTrend(fast=5, slow=20, confirm=3)


@pytest.fixture(scope="module")
def bars():
    return random_bars()


@dataclass(frozen=True, kw_only=True)
class BollingerMeanReversion(RuleStrategy):
    name: ClassVar[str] = "bollinger_mean_reversion"
    period: int = 20

    def rules(self):
        lower, upper = BbLowerTouch(period=self.period), BbUpperTouch(period=self.period)
        return RuleSignals(entry_long=lower, exit_long=upper)


@dataclass(frozen=True, kw_only=True)
class Quiet(Middleware):
    """No entry on a bar with less volume than the average up to the bar before."""

    name: ClassVar[str] = "quiet"

    def lines(self):
        return (Line(Sma(4).on("volume")),)

    def apply(self, proposal, rows):
        below = rows["volume"] < rows.before(self.lines()[0], 1)
        return proposal.without_entries(below, reason="little volume")


@dataclass(frozen=True, kw_only=True)
class OnlyFirst(RowMiddleware):
    """Plain Python, bar by bar: entries in the first symbol only, none in the first 60 bars."""

    name: ClassVar[str] = "only_first"

    def on_row(self, proposal, window, account):
        if len(window) <= 60:
            return proposal.without_entries(True, reason="too early")
        return proposal.without_entries(np.arange(len(account.symbols)) > 0, reason="not the first")


@dataclass(frozen=True, kw_only=True)
class Weights(VectorStrategy):
    name: ClassVar[str] = "weights"

    def signals(self, bars):
        target = np.sign(bars.close - 100.0) * 0.5
        target[::3] = 0.0
        target[1::3] = np.nan
        return Signals(target=target)


@dataclass(frozen=True, kw_only=True)
class BarOnly(BarStrategy):
    name: ClassVar[str] = "bar_only"
    answer: object = None

    def on_bar(self, window, account):
        if len(window) % 2:
            return None
        return Signals(entry_long=window["close", -1] > window["open", -1])


@dataclass(frozen=True, kw_only=True)
class Places(BarStrategy):
    name: ClassVar[str] = "places"

    def on_bar(self, window, account):
        return [Order(symbol=window.symbols[0], quantity=1.0)]


def built(**parts):
    builder = StrategyBuilder("built").with_signals(entry_long=UP, exit_long=DOWN)
    for name, value in parts.items():
        builder = getattr(builder, f"with_{name}")(value)
    return builder.build()


def same(left, right):
    for name in (*FLAGS, "target", "limit", "stop", "strength"):
        mine, its = getattr(left, name), getattr(right, name)
        assert (mine is None) == (its is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine, its, err_msg=name)


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


def test_without_attribution_nothing_is_noted(bars):
    builder = StrategyBuilder("quiet").with_signals(entry_long=UP).without_attribution()
    strategy = builder.build()
    strategy.signals(bars)
    assert strategy.changes.frame().empty
    assert "attribution" not in strategy.stages()["middleware"].tolist()


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
