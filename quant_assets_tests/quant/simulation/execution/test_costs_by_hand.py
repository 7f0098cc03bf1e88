"""Every cost of the event kernel against arithmetic on paper."""

import numpy as np
import pytest

from quant_assets.quant.simulation.execution.terms import (
    EQUITY_FRACTION,
    NEXT_CLOSE,
    NEXT_VWAP,
    NOTIONAL,
    RISK_FRACTION,
    SAME_CLOSE,
)
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    at,
    changed,
    daily,
    exits,
    flat_bars,
    hand_bars,
    place,
    tell,
    units,
)

MOVING = ((100, 104, 99, 102), (103, 106, 101, 105), (107, 110, 104, 108), (109, 112, 107, 110))


def in_and_out(bars, terms, *, amount=10.0, out=1):
    signals = Signals(entry_long=at(bars, 0), exit_long=at(bars, out))
    plan = Plan(sizes=units(amount, bars))
    return tell(bars, signals, plan=plan, terms=terms)


@pytest.mark.parametrize(
    ("model", "price", "bar"),
    [(0, 103.0, 1), (NEXT_CLOSE, 105.0, 1), (NEXT_VWAP, 103.75, 1), (SAME_CLOSE, 102.0, 0)],
)
def test_fill_model_prices_market_orders(model, price, bar):
    bars = hand_bars(*MOVING)
    result = tell(
        bars, Signals(entry_long=at(bars, 0)), terms=changed(bars, fills={"model": model})
    )
    assert result.fills.price.tolist() == [pytest.approx(price, rel=1e-15)]
    assert result.fills.ts.iloc[0] == result.equity.index[bar]


def test_latency_moves_the_fill():
    bars = hand_bars(*MOVING)
    result = tell(bars, Signals(entry_long=at(bars, 0)), terms=changed(bars, fills={"latency": 1}))
    assert result.fills.price.tolist() == [107.0]


def test_a_bar_that_is_known_late_is_traded_later():
    """Known one bar length after its end: its decision cannot fill at the next open."""
    bars = hand_bars(*MOVING)
    late = bars.available_at.copy()
    late[0] += np.timedelta64(1, "D")
    later = type(bars)(
        bars.ts,
        bars.symbols,
        bars.bar_length,
        *(bars[n] for n in ("open", "high", "low")),
        close=bars.close,
        volume=bars.volume,
        available_at=late,
    )
    result = tell(later, Signals(entry_long=at(bars, 0)))
    assert result.fills.price.tolist() == [107.0]


def test_commission_and_slippage_of_a_round_trip():
    """Buy 10 at 103 x 1.001, sell at 107 x 0.999; 5 bps of each notional."""
    bars = hand_bars(*MOVING)
    terms = changed(bars, slippage={"fixed": 1e-3}, commission={"taker": 5e-4})
    result = in_and_out(bars, terms)
    buy, sell = 103 * 1.001, 107 * 0.999
    fees = 5e-4 * 10 * (buy + sell)
    trade = result.trades.iloc[0]
    assert trade.pnl == pytest.approx(10 * (sell - buy) - fees, rel=1e-12)
    assert trade.commission == pytest.approx(fees, rel=1e-12)
    assert trade.slippage == pytest.approx(10 * (buy - 103 + 107 - sell), rel=1e-11)
    assert result.final_equity == pytest.approx(100_000 + trade.pnl, rel=1e-15)


def test_all_cash_buys_with_the_fee_inside():
    """qty = cash / (price (1 + fee))."""
    bars = hand_bars(*MOVING)
    plan = Plan(sizes=EntrySizes(np.ones((1, 1)), EQUITY_FRACTION))
    terms = changed(bars, slippage={"fixed": 2e-4}, commission={"taker": 1e-3})
    result = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan, terms=terms)
    assert result.fills.quantity[0] == pytest.approx(100_000 / (103 * 1.0002 * 1.001), rel=1e-14)
    assert result.equity.cash.iloc[-1] == pytest.approx(0.0, abs=1e-9)
    assert result.vetoes.empty


@pytest.mark.parametrize(
    ("unit", "size", "amount"),
    [(NOTIONAL, 5_150.0, 50.0), (EQUITY_FRACTION, 0.103, 100.0), (RISK_FRACTION, 0.01, 200.0)],
)
def test_size_units(unit, size, amount):
    """Risk: 1 % of 100,000 over a stop 5 below the fill."""
    bars = hand_bars(*MOVING)
    plan = Plan(sizes=EntrySizes(np.full((1, 1), size), unit), exits=exits(bars, stop_price=5.0))
    result = tell(bars, Signals(entry_long=at(bars, 0)), plan=plan)
    assert result.fills.quantity[0] == pytest.approx(amount, rel=1e-12)


@pytest.mark.parametrize(
    ("quantity", "fee"),
    [
        (100.0, 1.00),  # 0.35 is below the minimum
        (300.0, 1.05),
        (1_500.0, 0.0035 * 1_000 + 0.002 * 500),  # two tiers, marginally
        (0.5, 0.01 * 0.5 * 100),  # the maximum, 1 % of 50, holds against the minimum
    ],
)
def test_tiered_commission_per_unit(quantity, fee):
    bars = flat_bars(3)
    terms = changed(
        bars,
        commission={
            "per_unit": np.array([0.0035, 0.002]),
            "tier_from": np.array([0.0, 1_000.0]),
            "minimum": 1.0,
            "maximum": 0.01,
        },
    )
    result = place(bars, {0: [Order(symbol="A", quantity=quantity)]}, terms=terms)
    assert result.fills.commission[0] == pytest.approx(fee, rel=1e-12)


def test_tiers_count_the_units_of_the_month():
    bars = flat_bars(4, start="2024-01-29")  # fills on 30 January, 31 January, 1 February
    steps = {"per_unit": np.array([0.01, 0.001]), "tier_from": np.array([0.0, 100.0])}
    terms = changed(bars, commission=steps)
    orders = {bar: [Order(symbol="A", quantity=100.0)] for bar in range(3)}
    result = place(bars, orders, terms=terms)
    assert result.fills.commission.tolist() == pytest.approx([1.0, 0.1, 1.0], rel=1e-12)


def test_minimum_is_charged_once_per_order_that_fills_in_parts():
    bars = flat_bars(4, volume=np.full((4, 1), 100.0))
    terms = changed(bars, fills={"participation": 0.5}, commission={"minimum": 3.0, "taker": 1e-4})
    result = place(bars, {0: [Order(symbol="A", quantity=120.0)]}, terms=terms)
    assert result.fills.quantity.tolist() == [50.0, 50.0, 20.0]
    assert result.fills.commission.tolist() == [3.0, 0.0, 0.0]


def test_increment_rounds_half_up_and_taxes_come_on_top():
    bars = flat_bars(4)
    terms = changed(
        bars, commission={"flat": 0.995, "sell_rate": 0.001, "buy_rate": 0.005, "increment": 0.01}
    )
    result = in_and_out(bars, terms)
    assert result.fills.commission.tolist() == pytest.approx([1.0 + 5.0, 1.0 + 1.0], rel=1e-12)


def test_maker_pays_for_limits_and_taker_for_the_rest():
    bars = hand_bars((100, 100, 100, 100), (100, 101, 98, 100), (100, 100, 100, 100))
    terms = changed(bars, slippage={"fixed": 0.01}, commission={"maker": 1e-4, "taker": 1e-3})
    orders = [
        Order(symbol="A", quantity=1.0, kind="limit", limit=99.0),
        Order(symbol="A", quantity=1.0),
    ]
    fills = place(bars, {0: orders}, terms=terms).fills.sort_values("order")
    assert fills.price.tolist() == [99.0, 101.0]
    assert fills.commission.tolist() == pytest.approx([0.0099, 0.101], rel=1e-12)


def test_impact_grows_with_the_root_of_size_and_is_a_column_of_the_trade():
    bars = flat_bars(4)
    extras = {
        name: np.full((4, 1), v) for name, v in (("volatility", 0.02), ("average_volume", 1e6))
    }
    bars = type(bars).from_arrays(
        bars.ts, bars.symbols, bars.bar_length, close=bars.close, extras=extras
    )
    prices = []
    for quantity in (100.0, 400.0):
        terms = changed(bars, slippage={"impact": 0.5})
        result = place(bars, {0: [Order(symbol="A", quantity=quantity)]}, terms=terms)
        prices.append(result.fills.price[0])
        assert result.trades.market_impact[0] == pytest.approx(
            (prices[-1] / 100 - 1) * 100 / prices[-1], rel=1e-9
        )
    assert prices[0] == pytest.approx(100 * (1 + 0.5 * 0.02 * np.sqrt(1e-4)), rel=1e-14)
    assert (prices[1] - 100) == pytest.approx(2 * (prices[0] - 100), rel=1e-10)


def test_volume_share_and_tick_are_against_the_trader():
    bars = flat_bars(4, volume=np.full((4, 1), 1_000.0))
    terms = changed(bars, slippage={"volume_share": 0.1}, instruments={"tick": np.array([0.05])})
    result = in_and_out(bars, terms, amount=100.0)
    # 0.1 x 0.1^2 = 10 bps: 100.1 is a multiple of the tick, 99.9 too
    assert result.fills.price.tolist() == pytest.approx([100.1, 99.9], rel=1e-12)
    terms = changed(bars, slippage={"fixed": 3e-4}, instruments={"tick": np.array([0.05])})
    assert in_and_out(bars, terms).fills.price.tolist() == pytest.approx([100.05, 99.95])


def test_borrow_for_a_year_costs_its_rate():
    bars = flat_bars(367, start="2023-01-01")
    terms = changed(bars, carry={"borrow": np.array([0.03])})
    result = tell(bars, Signals(entry_short=at(bars, 0)), terms=terms)
    # sold at the open of 2 January; 365 nights to the close of the last bar
    assert result.trades.borrow[0] == pytest.approx(0.03 * 1_000.0, rel=1e-12)
    assert result.costs.amount["borrow"] == pytest.approx(-30.0, rel=1e-12)


def test_interest_on_cash_and_on_debt():
    bars = flat_bars(3)
    rates = changed(
        bars, carry={"cash_rate": 0.0365, "debit_rate": 0.073}, margin={"leverage": 9.0}
    )
    idle = tell(bars, Signals(entry_long=at(bars)), terms=rates)
    assert idle.equity.interest.tolist() == pytest.approx([0.0, 10.0, 10.001], rel=1e-12)
    deep = place(
        bars, {0: [Order(symbol="A", quantity=2_000.0)]}, terms=rates, initial_capital=100_000.0
    )
    owed = 200_000 - 100_010.0
    assert deep.equity.interest.tolist() == pytest.approx([0, 10.0, -owed * 2e-4], rel=1e-12)


@pytest.mark.parametrize(
    ("rebate", "cash_rate", "wanted"), [(0.0, 0.0365, 10.001), (0.0146, 0.0, 4.0)]
)
def test_what_shorts_brought_in_lies_with_the_lender(rebate, cash_rate, wanted):
    """100,000 of one's own and 100,000 of a short; at 110 the short is worth 110,000 of 200,000."""
    bars = daily({"close": np.array([[100.0], [100.0], [110.0], [110.0]])})
    rates = changed(bars, carry={"cash_rate": cash_rate, "rebate": rebate})
    sold = {0: [Order(symbol="A", quantity=-1_000.0)]}
    result = place(bars, sold, terms=rates, initial_capital=100_000.0)
    first = cash_rate / 365 * 100_000
    again = cash_rate / 365 * (90_000 + first + wanted) + rebate / 365 * 110_000
    found = [0.0, first, wanted, again]
    assert result.equity.interest.tolist() == pytest.approx(found, rel=1e-12)
    assert result.equity.cash.iloc[-1] == pytest.approx(200_000 + sum(found), rel=1e-12)


def test_longs_that_shorts_paid_for_are_owed():
    """120,000 of longs and 50,000 of shorts on 100,000: cash is 30,000, one's own -20,000."""
    bars = flat_bars(3, symbols=2)
    rates = changed(
        bars, carry={"cash_rate": 0.0365, "debit_rate": 0.073}, margin={"leverage": 9.0}
    )
    orders = [Order(symbol="A", quantity=1_200.0), Order(symbol="B", quantity=-500.0)]
    result = place(bars, {0: orders}, terms=rates, initial_capital=100_000.0)
    owed = 20_000.0 - 10.0  # a day's interest on one's own money before
    assert result.equity.interest.tolist() == pytest.approx([0, 10.0, -owed * 2e-4], rel=1e-12)


@pytest.mark.parametrize("rate", [1e-3, -1e-3])
@pytest.mark.parametrize("side", [1, -1])
def test_funding_signs_and_instants(side, rate):
    """Due before the open of bar 2, inside it, and at its close: the first of a fill at bar 1."""
    bars = flat_bars(4)
    bar, due = np.array([1, 2, 2, 3]), np.array([1, 1, 2, 0])
    events = {
        "funding_bar": bar,
        "funding_due": due,
        "funding_symbol": np.zeros(4, dtype=np.int64),
        "funding_rate": np.full(4, rate),
        "funding_mark": np.array([np.nan, np.nan, 120.0, np.nan]),
    }
    terms = changed(bars, carry=events)
    entry = "entry_long" if side > 0 else "entry_short"
    result = tell(bars, Signals(**{entry: at(bars, 0)}), terms=terms)
    # the fill at the open of bar 1 comes after the settlement at that instant
    expected = [0.0, 0.0, -side * 10 * rate * (100 + 120), -side * 10 * rate * 100]
    assert result.equity.funding.tolist() == pytest.approx(expected, rel=1e-12)
    assert result.trades.funding[0] == pytest.approx(sum(expected), rel=1e-12)


def test_inverse_contract_profits_in_its_base():
    """1,000 contracts of 1 USD from 100 to 110: 1000 (1/100 - 1/110) units of the base."""
    bars = daily({"close": np.array([[100.0], [100.0], [110.0], [110.0]])})
    terms = changed(bars, margin={"inverse": np.array([True]), "leverage": np.inf})
    result = in_and_out(bars, terms, amount=1_000.0, out=2)
    trade = result.trades.iloc[0]
    assert trade.pnl == pytest.approx(1_000 * (1 / 100 - 1 / 110), rel=1e-12)
    assert (trade.entry_price, trade.exit_price) == (pytest.approx(100), pytest.approx(110))


def test_currency_and_multiplier_scale_profit():
    bars = daily({"close": np.array([[100.0], [100.0], [110.0], [110.0]])})
    fx = np.array([[1.1], [1.1], [1.2], [1.2]])
    terms = changed(bars, instruments={"multiplier": np.array([5.0]), "fx": fx})
    result = in_and_out(bars, terms, out=2)
    assert result.trades.pnl[0] == pytest.approx(10 * 5 * (110 * 1.2 - 100 * 1.1), rel=1e-12)


def test_lots_floor_and_least_notional_refuses():
    bars = flat_bars(3)
    lots = changed(bars, instruments={"lot": np.array([0.3])})
    result = place(bars, {0: [Order(symbol="A", quantity=1.0)]}, terms=lots)
    assert result.fills.quantity[0] == pytest.approx(0.9, rel=1e-12)
    least = changed(bars, instruments={"least_notional": np.array([101.0])})
    refused = place(bars, {0: [Order(symbol="A", quantity=1.0)]}, terms=least)
    assert refused.fills.empty
    assert refused.vetoes.rule.tolist() == ["least_notional"]


def test_maintenance_margin_liquidates_where_equity_meets_it():
    """100 at 10 x: equity 1000 + 100 (p - 100) = 0.05 x 100 p at p = 9000 / 95."""
    bars = hand_bars(*[(100, 100, 100, 100)] * 2, (100, 100, 80, 85))
    tiers = {
        "leverage": 10.0,
        "tier_notional": np.zeros((1, 1)),
        "tier_rate": np.full((1, 1), 0.05),
        "tier_deduction": np.zeros((1, 1)),
        "liquidation_fee": 0.01,
    }
    terms = changed(bars, margin=tiers)
    result = place(
        bars, {0: [Order(symbol="A", quantity=100.0)]}, terms=terms, initial_capital=1_000.0
    )
    price, trade = 9_000 / 95, result.trades.iloc[0]
    assert trade.exit_reason == "liquidation"
    assert trade.exit_price == pytest.approx(price, rel=1e-9)
    assert trade.penalty == pytest.approx(price, rel=1e-9)  # 1 % of 100 units
    assert result.final_equity == pytest.approx(1_000 + 100 * (price - 100) - price, rel=1e-9)


def test_leverage_cuts_purchases_and_says_so():
    bars = flat_bars(3)
    result = place(bars, {0: [Order(symbol="A", quantity=1_500.0)]}, initial_capital=100_000.0)
    assert result.fills.quantity.tolist() == [1_000.0]
    assert result.vetoes[["rule", "before", "after"]].iloc[0].tolist() == [
        "leverage",
        1_500.0,
        1_000.0,
    ]


def test_participation_carries_the_remainder_and_zero_volume_fills_nothing():
    bars = flat_bars(6, volume=np.array([[50.0], [50], [0.0], [np.nan], [50], [50]]))
    terms = changed(bars, fills={"participation": 0.2, "time_to_live": 5})
    result = place(bars, {0: [Order(symbol="A", quantity=25.0)]}, terms=terms)
    assert result.fills.quantity.tolist() == [10.0, 15.0]  # unknown volume has no cap
    assert (result.fills.ts - result.equity.index[0]).dt.days.tolist() == [1, 3]
    short = changed(bars, fills={"participation": 0.2, "time_to_live": 1})
    expired = place(bars, {0: [Order(symbol="A", quantity=25.0)]}, terms=short)
    assert expired.orders.status.tolist() == ["expired"]
    assert expired.orders.filled.tolist() == [10.0]


def test_least_notional_of_an_inverse_contract_is_in_its_quote():
    """10 contracts of 100 USD are 1,000 USD, whatever the price is."""
    bars = flat_bars(3)
    for least, filled in ((1_000.0, [10.0]), (1_001.0, [])):
        instruments = {"least_notional": np.array([least]), "multiplier": np.array([100.0])}
        terms = changed(bars, margin={"inverse": np.array([True])}, instruments=instruments)
        result = place(bars, {0: [Order(symbol="A", quantity=10.0)]}, terms=terms)
        assert result.fills.quantity.tolist() == filled
