"""A size that its price keeps from settling is left to the event kernel."""

import pytest

from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.simulation.execution.terms import SlippageTerms
from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import EQUITY_FRACTION
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import Told, at
from quant_assets_tests.quant.simulation.lean.test_rare_paths import closes, sized


def sold_at_two_fifths():
    """A short of half of the equity where slippage takes 60 % of the price: 2.5 times the units."""
    bars = closes(100, 100, 100)
    terms = frictionless(bars)._replace(slippage=SlippageTerms(0.6, 0.0, 0.0, 0.0, 0.0))
    signals = Signals(entry_short=at(bars, 0))
    return bars, terms, Told(decisions=signals, goes_with=sized(0.5, EQUITY_FRACTION, bars))


@pytest.mark.parametrize("kind", ["shared", "isolated"])
def test_units_beyond_twice_those_at_the_reference_price_are_for_the_event_kernel(kind):
    bars, terms, told = sold_at_two_fifths()
    accounts = Accounts(kind=kind, initial_capital=1000.0)
    assert simulate_lean(told, bars, terms, accounts=accounts) is None


def test_a_backtest_of_it_takes_the_event_kernel_by_itself():
    bars, terms, told = sold_at_two_fifths()
    result = backtest(told, bars, terms, initial_capital=1000.0)
    assert result.kernel == "events"
    assert result.fills.price.tolist() == [40.0]
