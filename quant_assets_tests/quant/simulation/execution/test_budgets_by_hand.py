"""What an order may spend: fees and impact of its own size stay inside the budget."""

import numpy as np
import pytest

from quant_assets.quant.simulation.execution.terms import EQUITY_FRACTION
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    at,
    changed,
    flat_bars,
    place,
    tell,
)


@pytest.mark.parametrize(("fee", "units_"), [(5.0, []), (4.0, []), (3.8, [0.002]), (1.0, [0.03])])
def test_a_fee_stays_inside_the_budget_or_nothing_is_bought(fee, units_):
    """4 of money at a price of 100: a fee of 3.8 leaves 0.2, that is 0.002 units; one of 5 none."""
    bars = flat_bars(3)
    terms = changed(bars, commission={"flat": fee})
    plan = Plan(sizes=EntrySizes(np.ones((1, 1)), EQUITY_FRACTION))
    result = tell(
        bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=terms, initial_capital=4.0
    )
    assert result.fills.quantity.tolist() == pytest.approx(units_, rel=1e-9)
    assert (result.equity.cash >= -1e-8).all()
    assert result.vetoes.rule.tolist() == ([] if units_ else ["no_equity"])


@pytest.mark.parametrize("fee", [3.8, 5.0])
def test_limits_leave_nothing_to_an_order_whose_fee_takes_it_all(fee):
    """The same for an order of units, which the leverage cuts."""
    bars = flat_bars(3)
    terms = changed(bars, commission={"flat": fee})
    result = place(bars, {0: [Order(symbol="A", quantity=1.0)]}, terms=terms, initial_capital=4.0)
    wanted = [pytest.approx((4.0 - fee) / 100.0, rel=1e-9)] if fee < 4.0 else []
    assert result.fills.quantity.tolist() == wanted
    assert result.final_equity >= -1e-8


def test_impact_that_swings_with_the_size_stays_inside_the_budget():
    """Price 100 (1 + 5 (q / 1000)^2): 90,000 buy the q with q x price = 90,000."""
    bars = flat_bars(3, volume=np.full((3, 1), 1_000.0))
    terms = changed(bars, slippage={"volume_share": 5.0})
    plan = Plan(sizes=EntrySizes(np.full((1, 1), 0.9), EQUITY_FRACTION))
    result = tell(
        bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=terms, initial_capital=100_000.0
    )
    fill = result.fills.iloc[0]
    assert fill.price == pytest.approx(100.0 * (1.0 + 5.0 * (fill.quantity / 1_000.0) ** 2))
    assert fill.quantity * fill.price == pytest.approx(90_000.0, rel=1e-8)


@pytest.mark.parametrize("kind", ["short", "inverse"])
def test_impact_that_cheapens_a_size_does_not_blow_it_up(kind):
    """A short moves its price down, a long inverse contract up: less notional, never more units."""
    bars = flat_bars(3, volume=np.full((3, 1), 10.0))
    margin = {"inverse": np.array([kind == "inverse"])}
    terms = changed(bars, slippage={"volume_share": 5.0}, margin=margin)
    plan = Plan(sizes=EntrySizes(np.full((1, 1), 0.9), EQUITY_FRACTION))
    entry = {"entry_short" if kind == "short" else "entry_long": at(bars, 0)}
    result = tell(bars, Signals(**entry), plan=plan, terms=terms, initial_capital=100_000.0)
    most = 90_000.0 * 100.0 if kind == "inverse" else 90_000.0 / 100.0
    assert 0.0 < abs(result.fills.quantity.iloc[0]) <= most * (1.0 + 1e-9)
