"""Mistakes of a caller are told in words, before anything is simulated."""

from dataclasses import dataclass

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.sizing.entry.units import UNITS, EntrySizes
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told, at, flat_bars, hand_bars

BARS = flat_bars(4)
TOLD = Told(decisions=Signals(entry_long=at(BARS, 0)))


@dataclass(frozen=True, kw_only=True)
class Silent(VectorStrategy):
    name = "silent"
    given: object = None

    def signals(self, bars):
        return self.given


@dataclass(frozen=True, kw_only=True)
class Hasty(BarStrategy):
    name = "hasty"
    given: object = None

    def on_bar(self, window, account):
        return self.given


@dataclass(frozen=True, kw_only=True)
class Early(Told):
    name = "early"
    bars: object = -5

    @property
    def warm_up(self):
        return self.bars


@pytest.mark.parametrize(
    ("strategy", "settings", "words"),
    [
        (Told, {}, r"is no strategy; make one: Told\(\.\.\.\)"),
        (5, {}, "5 is no strategy; derive it from Strategy"),
        (TOLD, {"initial_capital": "1000"}, "initial_capital is '1000'"),
        (TOLD, {"initial_capital": float("inf")}, "initial_capital is inf"),
        (TOLD, {"initial_capital": None}, "initial_capital is None"),
        (TOLD, {"periods_per_year": 0}, "periods_per_year is 0"),
        (TOLD, {"execution": 5}, "execution is 5; give an ExecutionModel"),
        (TOLD, {"start": "nonsense"}, "start is 'nonsense'"),
        (TOLD, {"benchmark": "SPY"}, "benchmark is 'SPY'"),
        (TOLD, {"benchmark": [0.0]}, r"benchmark has shape \(1,\); it must be \(4,\)"),
        (Silent(), {}, "Silent.signals gave a NoneType"),
        (Silent(given=np.zeros((4, 1))), {}, "Silent.signals gave a ndarray"),
        (Hasty(given=Order(symbol="A", quantity=1.0)), {}, "give Signals, a list of orders"),
        (Hasty(given=True), {}, "on_bar gave True"),
        (Early(decisions=TOLD.decisions), {}, "warm_up of Early is -5"),
        (Early(decisions=TOLD.decisions, bars=2.5), {}, "warm_up of Early is 2.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(strategy, settings, words):
    with pytest.raises(ConfigError, match=words):
        backtest(strategy, BARS, **settings)


def test_price_below_its_tick_is_refused_by_symbol():
    grid = {"instrument_model": {"grid": {"lot": 1.0, "tick": 0.01}}}
    with pytest.raises(DataError, match=r"A costs 0.001 at 2024-01-01.*less than its tick 0.01"):
        backtest(TOLD, flat_bars(4, price=0.001), grid)
    assert backtest(TOLD, flat_bars(4, price=0.01), grid).n_bars == 4


def test_bars_without_opens_are_said():
    assert any(note.startswith("NO OPENS") for note in backtest(TOLD, BARS).assumptions)
    opened = hand_bars(*[(100.0, 101.0, 98.0, 99.0)] * 4)
    assert not any(note.startswith("NO OPENS") for note in backtest(TOLD, opened).assumptions)


@pytest.mark.parametrize(("margin", "penalty"), [("cash_account", 0.0), ("leverage", 0.0)])
def test_bar_that_opens_beyond_the_liquidation_price_is_closed_at_its_open(margin, penalty):
    """Short 1,000 at 100; the next bar opens at 300: nobody could buy at the level between."""
    bars = hand_bars(*[(100.0,) * 4] * 2, *[(300.0,) * 4] * 2)
    short = Told(decisions=Signals(entry_short=at(bars, 0)))
    result = backtest(short, bars, {"preset": "optimistic", "margin_model": margin})
    closing = result.fills.iloc[-1]
    assert (closing["reason"], closing["price"]) == ("liquidation", 300.0)
    assert result.final_equity == pytest.approx(100_000.0 + 1_000.0 * (100.0 - 300.0) - penalty)


def test_liquidation_inside_a_bar_is_on_the_way_from_its_open():
    """Long 1,000 at 100 on 50,000: nothing is left at 50; the bar opens at 80 and falls to 40."""
    bars = hand_bars(*[(100.0,) * 4] * 2, (80.0, 80.0, 40.0, 45.0), (45.0,) * 4)
    twice = EntrySizes(np.full((1, 1), 1_000.0), UNITS)
    long = Told(decisions=Signals(entry_long=at(bars, 0)), goes_with=Plan(sizes=twice))
    terms = frictionless(bars)
    terms = terms._replace(margin=terms.margin._replace(leverage=2.0))
    result = backtest(long, bars, terms, initial_capital=50_000.0)
    closing = result.fills.iloc[-1]
    assert closing["reason"] == "liquidation"
    assert closing["price"] == pytest.approx(50.0, rel=1e-9)
