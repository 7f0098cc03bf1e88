"""What a liquidation may take: the penalty ends at zero, a gap may go below it."""

from dataclasses import replace

import numpy as np
import pytest

from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.event_kernel.fields import MARGINED, N_FILLS
from quant_assets.quant.simulation.execution.preparation import new_book, prepare
from quant_assets.quant.strategies.orders import Order
from quant_assets_tests.quant.simulation.execution.hand_runs import daily, hand_bars, place
from quant_assets_tests.quant.simulation.execution.random_runs import CAPITAL, random_run
from quant_assets_tests.quant.simulation.execution.test_costs_by_hand import changed

QUIET = (100.0, 100.0, 100.0, 100.0)
FALLING = hand_bars(QUIET, QUIET, (100, 100, 80, 85), (85, 85, 85, 85))
GAPPING = hand_bars(QUIET, QUIET, (85, 85, 80, 85), (85, 85, 85, 85))


def margin(fee, symbols=1):
    """Linear contracts at ten times with 5 % of maintenance."""
    return {
        "linear": np.full(symbols, True),
        "leverage": 10.0,
        "tier_notional": np.zeros((symbols, 1)),
        "tier_rate": np.full((symbols, 1), 0.05),
        "tier_deduction": np.zeros((symbols, 1)),
        "liquidation_fee": fee,
    }


def held(bars, fee, *, commission=0.0):
    """90 units from 100 on 1,000."""
    rate = {"maker": commission, "taker": commission}
    terms = changed(bars, margin=margin(fee), commission=rate)
    order = {0: [Order(symbol="A", quantity=90.0)]}
    return place(bars, order, terms=terms, initial_capital=1_000.0)


@pytest.mark.parametrize(
    ("fee", "taken"), [(0.02, 0.02), (0.05, 0.05), (0.0501, 0.05), (0.3, 0.05)]
)
def test_penalty_takes_no_more_than_the_margin_that_is_left(fee, taken):
    """1000 + 90 (p - 100) = 0.05 x 90 p at p = 8000 / 85.5, where 4.5 p are left."""
    result, price = held(FALLING, fee), 8_000 / 85.5
    closing = result.fills.iloc[-1]
    assert closing.reason == "liquidation"
    assert closing.price == pytest.approx(price, rel=1e-9)
    assert closing.penalty == pytest.approx(90 * price * taken, rel=1e-9)
    assert result.final_equity == pytest.approx(90 * price * (0.05 - taken), abs=1e-6)
    assert result.final_equity > -1e-9
    assert result.trades.pnl[0] == pytest.approx(result.final_equity - 1_000.0, rel=1e-9)


def test_gap_beyond_the_liquidation_price_leaves_a_debt_and_no_penalty():
    """The bar opens at 85: 1000 - 90 x 15 = -350, which nobody was there to prevent."""
    result = held(GAPPING, 0.0125)
    closing = result.fills.iloc[-1]
    assert (closing.price, closing.penalty) == (85.0, 0.0)
    assert result.final_equity == pytest.approx(-350.0, rel=1e-12)


def test_gap_that_leaves_less_than_the_penalty_leaves_nothing():
    """The bar opens at 89: 10 are left of 1,000; the penalty of 1.25 % would be 100.1."""
    bars = hand_bars(QUIET, QUIET, (89, 89, 80, 85), (85, 85, 85, 85))
    result = held(bars, 0.0125)
    closing = result.fills.iloc[-1]
    assert closing.price == 89.0
    assert closing.penalty == pytest.approx(10.0, rel=1e-12)
    assert result.final_equity == pytest.approx(0.0, abs=1e-9)


def test_commission_comes_before_the_penalty():
    """991 + 90 (p - 100) = 4.5 p at p = 8009 / 85.5; of 4.5 p the commission takes 0.09 p."""
    result, price = held(FALLING, 0.3, commission=1e-3), 8_009 / 85.5
    closing = result.fills.iloc[-1]
    assert closing.price == pytest.approx(price, rel=1e-9)
    assert closing.commission == pytest.approx(0.09 * price, rel=1e-9)
    assert closing.penalty == pytest.approx(4.41 * price, rel=1e-9)
    assert result.final_equity == pytest.approx(0.0, abs=1e-6)


def test_positions_of_one_wallet_share_what_is_left_by_their_penalties():
    """30 of A and 60 of B, both from 100 to 80: the price is as for 90 units, half as much of A."""
    fall = {name: np.repeat(FALLING[name], 2, axis=1) for name in ("open", "high", "low", "close")}
    bars = daily(fall)
    orders = {0: [Order(symbol="A", quantity=30.0), Order(symbol="B", quantity=60.0)]}
    terms = changed(bars, margin=margin(0.3, symbols=2))
    result = place(bars, orders, terms=terms, initial_capital=1_000.0)
    closing, price = result.fills.iloc[-2:].set_index("symbol"), 8_000 / 85.5
    assert closing.reason.tolist() == ["liquidation"] * 2
    assert closing.penalty["A"] == pytest.approx(1.5 * price, rel=1e-9)
    assert closing.penalty["B"] == pytest.approx(3.0 * price, rel=1e-9)
    assert result.final_equity == pytest.approx(0.0, abs=1e-6)
    assert result.trades.penalty.sum() == pytest.approx(4.5 * price, rel=1e-9)


@pytest.mark.slow
def test_accounts_that_owe_nothing_need_no_look_at_the_maintenance_margin():
    """The kernel leaves the look out; with it, every account of these is the same."""
    spared = 0
    for seed in range(600):
        run = random_run(seed)
        preparation = prepare(run.bars, run.terms, signals=run.signals, plan=run.plan)
        market = preparation.market
        if market.margin.shape[2] == 0 or market.switches[MARGINED] == 1:
            continue
        spared += 1
        looked = market.switches.copy()
        looked[MARGINED] = 1
        always = replace(preparation, market=market._replace(switches=looked))
        books = [advance(one, new_book(market, CAPITAL))[0] for one in (preparation, always)]
        n = books[0].counters[N_FILLS]
        assert n == books[1].counters[N_FILLS]
        np.testing.assert_array_equal(*(book.fills[:n] for book in books))
        np.testing.assert_array_equal(*(book.rows for book in books))
    assert spared >= 20
