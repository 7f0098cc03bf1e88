"""What happens seldom: parts that refuse, hashes of uncommon parameters, forms that say nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.indicators import Sma
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING
from quant_assets.quant.risk.base import RiskRule
from quant_assets.quant.risk.max_correlation import MaxCorrelation
from quant_assets.quant.risk.max_position import MaxPosition
from quant_assets.quant.risk.max_sector import MaxSector
from quant_assets.quant.risk.reward_ratio import RewardRatio
from quant_assets.quant.risk.stop_loss import StopLoss
from quant_assets.quant.risk.take_profit import TakeProfit
from quant_assets.quant.risk.time_stop import TimeStop
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.simulation.execution.slippage.fixed import FixedSlippage
from quant_assets.quant.sizing.entry.base import EntrySizer, free_returns
from quant_assets.quant.sizing.entry.equal import Equal
from quant_assets.quant.sizing.entry.fixed_dollar import FixedDollar
from quant_assets.quant.sizing.entry.fixed_fraction import FixedFraction
from quant_assets.quant.sizing.entry.fixed_quantity import FixedQuantity
from quant_assets.quant.sizing.entry.inverse_volatility import InverseVolatility
from quant_assets.quant.sizing.entry.stop_risk import StopRisk
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION
from quant_assets.quant.sizing.entry.volatility_target import VolatilityTarget
from quant_assets.quant.strategies.base import Account, BarStrategy
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.columns import Column, Line, first_warm
from quant_assets.quant.strategies.config import load_strategy
from quant_assets.quant.strategies.library import find_strategy
from quant_assets.quant.strategies.middleware import Middleware
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.proposal import Proposal
from quant_assets.quant.strategies.regimes.base import (
    UNKNOWN,
    Regime,
    RegimeClassifier,
    persistence,
    regimes,
)
from quant_assets.quant.strategies.rule_signals import RuleSignals, RuleStrategy
from quant_assets.quant.strategies.rules.base import rules
from quant_assets.quant.strategies.rules.price_against_ma import PriceAboveMa
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.strategies.tester import StrategyTester, hand_made_bars
from quant_assets.quant.strategies.versioning import (
    modules_of,
    param_hash,
    parameters_of,
    strategy_hash,
)

BARS = hand_made_bars({"A": [10.0, 11.0, 12.0, 11.0]})


@dataclass(frozen=True, kw_only=True)
class Odd(BarStrategy):
    """Parameters of uncommon types; says nothing, or what it is told."""

    name = "odd"
    levels: Any = ()
    parts: Mapping[str, Any] = field(default_factory=dict)
    says: Any = None

    def on_bar(self, window, account):
        return self.says


def test_parameters_of_uncommon_types_have_one_hash():
    odd = Odd(levels=np.array([1.0, 2.0]), parts={"b": StopLoss(pct=0.1), "a": np.float64(3.0)})
    told = parameters_of(odd)
    assert told["levels"] == [1.0, 2.0]
    assert list(told["parts"]) == ["a", "b"]
    again = Odd(levels=np.array([1.0, 2.0]), parts={"a": 3.0, "b": StopLoss(pct=0.1)})
    assert param_hash(again) == param_hash(odd)
    assert param_hash(Odd(levels=np.array([1.0, 2.5]))) != param_hash(Odd(levels=[1.0, 2.0]))
    assert "quant_assets.quant.risk.stop_loss" in modules_of(odd)


def test_tester_takes_strategies_that_say_nothing_and_refuses_those_that_place_orders():
    silent = StrategyTester(Odd(), BARS)
    assert not silent.bar_by_bar().entry_long.any()
    placing = StrategyTester(Odd(says=[Order(symbol="A", quantity=1.0)]), BARS)
    with pytest.raises(ConfigError, match="odd places orders; run it in a backtest"):
        placing.bar_by_bar()


def test_tester_shows_what_each_middleware_changed():
    built = StrategyBuilder("up").with_signals(entry_long=PriceAboveMa(period=2)).build()
    changes = StrategyTester(built, BARS).changes()
    assert set(changes["middleware"]) == {"signals"}
    with pytest.raises(ConfigError, match="odd is not composed"):
        StrategyTester(Odd(), BARS).changes()


def test_proposal_keeps_its_shape_and_counts_weights_as_entries():
    flags = Proposal.of(Signals(entry_long=np.array([[True], [False]])))
    with pytest.raises(DataError, match=r"signals have shape \(1, 1\); the bars have \(2, 1\)"):
        flags.with_signals(Signals(entry_long=np.array([[True]])))
    weights = Proposal.of(Signals(target=np.array([[0.5, 0.0, np.nan]])))
    assert weights.entries().tolist() == [[True, False, False]]


def test_account_tells_the_position_of_a_symbol():
    account = Account(
        symbols=("A", "B"),
        cash=1.0,
        equity=1.0,
        position=np.array([0.0, 3.0]),
        entry_price=np.zeros(2),
        bars_held=np.zeros(2, dtype=np.int64),
        drawdown=0.0,
        heat=0.0,
    )
    assert account.position_of("B") == 3.0


def test_persistence_over_no_bars_is_refused():
    with pytest.raises(ConfigError, match="persistence over 0 bars"):
        persistence(np.zeros((2, 1), dtype=np.int8), 0)


def test_sectors_that_are_no_mapping_are_refused():
    with pytest.raises(ConfigError, match="max_sector: sectors is 'tech'; map symbols"):
        MaxSector(pct=0.2, sectors="tech")


def test_a_library_strategy_is_found_in_its_folder_and_a_file_made_for_other_bars_says_so():
    assert find_strategy("macd_cross").__module__.endswith(".classic.macd_cross")
    text = """
strategy: dip
version: "1.0.0"
runtime: {candle_interval: 1h}
components:
  signals: {entry_long: [{rsi_oversold: {period: 5, threshold: 30}}]}
"""
    with pytest.raises(ConfigError, match="dip is made for bars of 1:00:00; these have 1 day"):
        load_strategy(text).check_bars(BARS)
    walked = text + "walk_forward: {parameters: {backtest.initial_capital: [1, 2]}}\n"
    with pytest.raises(ConfigError, match="only values below components can be chosen"):
        load_strategy(walked)
    path = "components.signals.entry_long.0.rsi_oversold.threshold"
    walked = text + f"walk_forward: {{parameters: {{{path}: [20, 30]}}}}\n"
    assert load_strategy(walked).settings.walk_forward.parameters == {path: [20, 30]}
    unknown = text + "  regime: {enabled: true, allowed: [bull], classifier: no_such_one}\n"
    with pytest.raises(ConfigError, match="no_such_one"):
        load_strategy(unknown)


@pytest.mark.parametrize(
    "part",
    [
        StopLoss(pct=0.1),
        TakeProfit(pct=0.1),
        TimeStop(bars=3),
        TrailingStop(pct=0.1),
        RewardRatio(ratio=2.0),
        MaxPosition(pct=0.1),
        FixedSlippage(bps=2.0),
        Equal(),
        FixedDollar(amount=1.0),
        FixedFraction(fraction=0.1),
        FixedQuantity(quantity=1.0),
        StopRisk(),
    ],
    ids=lambda part: part.name,
)
def test_parts_that_read_no_past_bar_remember_none(part):
    assert part.memory == NOTHING


def test_a_reward_has_no_level_but_that_of_the_stops():
    assert np.isnan(RewardRatio(ratio=2.0).level(BARS)).all()


def test_a_rate_that_takes_all_in_a_year_is_refused():
    with pytest.raises(ConfigError, match="risk_free_rate is -1"):
        free_returns(BARS, -1.0, None)


def test_parts_that_look_back_remember_as_far():
    assert MaxCorrelation(threshold=0.7, lookback=20).memory.rows == 21
    assert InverseVolatility(lookback=30).memory.rows >= 30
    assert VolatilityTarget(lookback=30, periods_per_year=252.0).memory.rows >= 30
    assert VolatilityTarget(lookback=30).memory is None


class Strange(RiskRule):
    """A rule of another package that does not say what it remembers."""

    name = "strange"


class Sizer(EntrySizer):
    """A sizer of another package that does not say what it remembers."""

    name = "sizer"
    unit = EQUITY_FRACTION

    def size(self, bars: BarPanel, sides: Any) -> Any:
        return np.ones((1, len(bars.symbols)))


def test_parts_that_do_not_say_what_they_remember_may_remember_all():
    assert Strange().memory is None
    assert Sizer().memory is None
    built = StrategyBuilder("up").with_signals(entry_long=PriceAboveMa(period=2))
    hour = timedelta(hours=1)
    assert built.build().memory(hour) is not None
    assert built.with_sizing(Sizer()).build().memory(hour) is None


@dataclass(frozen=True, kw_only=True)
class Rising(RuleStrategy):
    """Rules as a class, of a part that both must hold and one that must not."""

    name = "rising"

    def rules(self):
        both = PriceAboveMa(period=2) & ~PriceAboveMa(period=3)
        return RuleSignals(entry_long=both | PriceAboveMa(period=4).on("2d"))


class Planned(Rising):
    name = "planned"

    def plan(self, bars):
        return Plan()


class Steady(RegimeClassifier):
    """One regime for ever; does not say what it remembers."""

    name = "steady"
    labels = ("steady",)

    @property
    def lookback(self):
        return 0

    def classify(self, bars):
        shape = bars.close.shape
        return Regime(code=np.zeros(shape, dtype=np.int8), confidence=np.ones(shape))


class Own(Column):
    key = "own"

    @property
    def lookback(self):
        return 0


class Stage(Middleware):
    name = "stage"

    def apply(self, proposal, rows):
        return proposal


def test_memory_of_a_strategy_is_that_of_all_its_parts():
    day, built = timedelta(days=1), StrategyBuilder("up").with_signals(Rising())
    assert Rising().memory(day) is not None
    assert Rising().memory(day).rows >= 8
    assert Rising().warm_up_on(BARS) >= 4
    assert Planned().memory(day) is None
    assert Odd().memory(day) is None
    assert Odd().warm_up_on(BARS) == 0
    assert Own().memory(day) is None
    hourly = Line(Sma(3)).on("1h")
    assert hourly.longer_memory(timedelta(hours=1)).rows == 3
    assert hourly.memory(timedelta(minutes=30)).rows >= 6
    assert first_warm([], BARS) == 0
    known = built.with_indicators(Sma(3)).with_risk(StopLoss(pct=0.1)).with_execution("default")
    assert known.build().memory(day) is not None
    for other in (known.with_regime(Steady()), known.with_middleware(Stage())):
        assert other.build().memory(day) is None


def test_a_pipeline_says_whether_it_notes_changes():
    built = StrategyBuilder("up").with_signals(Rising())
    assert built.build().notes_changes
    assert not built.without_attribution().build().notes_changes


def test_entries_of_a_sizer_are_the_same_bar_by_bar():
    built = StrategyBuilder("up").with_signals(entry_long=PriceAboveMa(period=2))
    sized = built.with_sizing(FixedFraction(fraction=0.1)).build()
    by_bar, at_once = (backtest(sized, BARS, form=form) for form in ("bar", "vector"))
    assert by_bar.hash() == at_once.hash()
    assert len(by_bar.fills) == 1


def test_a_class_of_a_notebook_without_a_source_has_no_version():
    shown = type("Shown", (Odd,), {"__module__": "__main__"})
    with pytest.raises(ConfigError, match="Shown has no source that can be read"):
        strategy_hash(shown())


@pytest.mark.parametrize("name", sorted(regimes()))
def test_regimes_say_how_many_bars_they_wait_for(name):
    classifier = regimes()[name]()
    labels = classifier.classify(hand_made_bars({"A": [10.0] * 5})).code
    assert classifier.lookback >= 5
    assert (labels == UNKNOWN).all()


@pytest.mark.parametrize("name", ["atr_breakout", "macd_cross_up"])
def test_rules_that_compare_with_the_bar_before_need_one_more(name):
    rule = rules()[name]()
    assert rule.back == 1
    assert rule.lookback >= 2
