"""Linear derivatives against arithmetic on paper, and against an account kept in plain Python."""

import numpy as np
import pytest

from quant_assets.quant.simulation.execution.book import FILL_FIELDS, ROW_FIELDS
from quant_assets.quant.simulation.execution.margin.base import margin_terms
from quant_assets.quant.simulation.execution.terms import SAME_CLOSE
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    at,
    daily,
    flat_bars,
    hand_bars,
    place,
    tell,
)
from quant_assets_tests.quant.simulation.execution.random_runs import CAPITAL, random_run
from quant_assets_tests.quant.simulation.execution.test_costs_by_hand import changed

LINEAR = {"linear": np.array([True]), "leverage": 10.0}


def closes(*prices):
    return daily({"close": np.array(prices, dtype=np.float64)[:, None]})


def bought(quantity, **more):
    return Order(symbol="A", quantity=quantity, **more)


def test_opening_spends_nothing_and_profit_comes_when_it_is_realised():
    """10 units from 100: 1,000 of notional bind 100 at ten times; 110 is a profit of 100."""
    bars = closes(100, 100, 110, 110)
    terms = changed(bars, margin=LINEAR)
    result = place(
        bars, {0: [bought(10.0)], 2: [bought(-10.0)]}, terms=terms, initial_capital=1_000.0
    )
    equity = result.equity
    assert equity.cash.tolist() == [1_000, 1_000, 1_000, 1_100]
    assert equity.unrealised.tolist() == [0, 0, 100, 0]
    assert equity.initial_margin.tolist() == [0, 100, 110, 0]
    assert equity.equity.tolist() == [1_000, 1_000, 1_100, 1_100]
    assert equity.gross.tolist() == [0, 1_000, 1_100, 0]
    assert result.trades.pnl.tolist() == [100.0]


def test_average_entry_moves_with_additions_and_not_with_reductions():
    """10 at 100 and 30 at 120: 115. 20 out at 125: 200 of profit; 20 at 130: 300 still open."""
    bars = closes(100, 100, 120, 125, 130)
    orders = {0: [bought(10.0)], 1: [bought(30.0)], 2: [bought(-20.0)]}
    result = place(bars, orders, terms=changed(bars, margin=LINEAR), initial_capital=10_000.0)
    assert result.equity.cash.tolist() == [10_000, 10_000, 10_000, 10_200, 10_200]
    assert result.equity.unrealised.tolist() == [0, 0, 200, 200, 300]
    assert result.trades.pnl.tolist() == [500.0]
    assert result.positions.market_value.tolist() == [300.0]
    assert result.positions.weight.tolist() == [pytest.approx(20 * 130 / 10_500, rel=1e-15)]


def test_reversal_realises_all_and_opens_the_other_side_at_its_price():
    """10 long from 100 to 90 lose 100; the 5 short from 90 win 50 at 80."""
    bars = closes(100, 100, 90, 80)
    orders = {0: [bought(10.0)], 1: [bought(-15.0)]}
    result = place(bars, orders, terms=changed(bars, margin=LINEAR), initial_capital=1_000.0)
    assert result.equity.cash.tolist() == [1_000, 1_000, 900, 900]
    assert result.equity.unrealised.tolist() == [0, 0, 0, 50]
    assert sorted(result.trades.pnl.tolist()) == [-100.0, 50.0]


def test_commission_and_slippage_of_both_sides_are_paid():
    """Bought at 100.2, sold at 109.78, 0.1 % of each: 10 x 9.58 - 1.002 - 1.0978."""
    bars = closes(100, 100, 110, 110)
    fees = {"maker": 1e-3, "taker": 1e-3}
    terms = changed(bars, margin=LINEAR, commission=fees, slippage={"fixed": 2e-3})
    result = place(
        bars, {0: [bought(10.0)], 2: [bought(-10.0)]}, terms=terms, initial_capital=1_000.0
    )
    assert result.equity.cash.iloc[1] == pytest.approx(1_000 - 1.002, rel=1e-12)
    assert result.equity.unrealised.iloc[1] == pytest.approx(-2.0, rel=1e-12)  # marked at 100
    profit = 10 * (109.78 - 100.2) - 1.002 - 1.0978
    assert result.final_equity == pytest.approx(1_000 + profit, rel=1e-12)


def test_no_interest_is_paid_on_notional_that_nobody_lent():
    """2,000 units of 100 with 100,000: cash stays, and earns 3.65 % a year for two days."""
    bars = flat_bars(3)
    carry = {"cash_rate": 0.0365, "debit_rate": 0.365, "days": np.array([0.0, 1.0, 1.0])}
    orders = {0: [bought(2_000.0)]}
    ours = place(
        bars,
        orders,
        terms=changed(bars, carry=carry, margin=LINEAR),
        initial_capital=100_000.0,
    )
    assert ours.equity.interest.tolist() == pytest.approx([0.0, 10.0, 10.001], rel=1e-12)
    lent = changed(bars, carry=carry, margin={"leverage": 10.0})
    owed = 200_000 - 100_010.0
    spot = place(bars, orders, terms=lent, initial_capital=100_000.0)
    assert spot.equity.interest.iloc[2] == pytest.approx(-owed * 1e-3, rel=1e-12)


@pytest.mark.parametrize("side", [1, -1])
def test_funding_settles_in_cash(side):
    """10 units, marked at 120, at 0.1 %: longs pay 1.2 and shorts receive it."""
    bars = flat_bars(4)
    events = {
        "funding_bar": np.array([2]),
        "funding_due": np.array([1]),
        "funding_symbol": np.array([0]),
        "funding_rate": np.array([1e-3]),
        "funding_mark": np.array([120.0]),
    }
    terms = changed(bars, carry=events, margin=LINEAR)
    result = place(bars, {0: [bought(side * 10.0)]}, terms=terms, initial_capital=1_000.0)
    assert result.equity.cash.tolist() == pytest.approx(
        [1_000, 1_000, 1_000 - side * 1.2, 1_000 - side * 1.2], rel=1e-12
    )
    assert result.equity.unrealised.tolist() == [0.0] * 4


def test_maintenance_margin_liquidates_at_the_price_of_a_lent_purchase():
    """1000 + 100 (p - 100) = 0.05 x 100 p at p = 9000 / 95, as where the notional is lent."""
    bars = hand_bars(*[(100, 100, 100, 100)] * 2, (100, 100, 80, 85))
    tiers = {
        "tier_notional": np.zeros((1, 1)),
        "tier_rate": np.full((1, 1), 0.05),
        "tier_deduction": np.zeros((1, 1)),
        "liquidation_fee": 0.01,
    }
    terms = changed(bars, margin={**tiers, **LINEAR})
    result = place(bars, {0: [bought(100.0)]}, terms=terms, initial_capital=1_000.0)
    price, trade = 9_000 / 95, result.trades.iloc[0]
    assert trade.exit_reason == "liquidation"
    assert trade.exit_price == pytest.approx(price, rel=1e-9)
    left = 1_000 + 100 * (price - 100) - price
    assert result.final_equity == pytest.approx(left, rel=1e-9)
    assert result.equity.cash.iloc[2] == pytest.approx(left, rel=1e-9)


def test_without_maintenance_an_account_ends_where_it_has_lost_everything():
    """100 units at ten times: 1,000 are lost at 90."""
    bars = hand_bars(*[(100, 100, 100, 100)] * 2, (100, 100, 80, 85))
    terms = changed(bars, margin=LINEAR)
    result = place(bars, {0: [bought(100.0)]}, terms=terms, initial_capital=1_000.0)
    assert result.trades.exit_price[0] == pytest.approx(90.0, rel=1e-9)
    assert result.final_equity == pytest.approx(0.0, abs=1e-6)


def test_initial_margin_bounds_what_is_opened():
    """1,000 of equity carry 10,000 of notional at ten times, no more."""
    bars = flat_bars(3)
    terms = changed(bars, margin=LINEAR)
    result = place(bars, {0: [bought(250.0)]}, terms=terms, initial_capital=1_000.0)
    assert result.fills.quantity.tolist() == [pytest.approx(100.0, rel=1e-12)]
    assert result.equity.initial_margin.iloc[1] == pytest.approx(1_000.0, rel=1e-12)
    assert result.vetoes.rule.tolist() == ["leverage"]


def test_profit_in_another_currency_is_changed_when_it_is_made():
    """10 contracts of 5 units from 100 to 110: 500 of the quote, at 1.2; not the notional."""
    bars = closes(100, 100, 110, 110)
    fx = np.array([[1.1], [1.1], [1.2], [1.2]])
    terms = changed(bars, margin=LINEAR, instruments={"multiplier": np.array([5.0]), "fx": fx})
    signals = Signals(entry_long=at(bars, 0), exit_long=at(bars, 2))
    result = tell(bars, signals, terms=terms, initial_capital=1_000.0)
    quantity = result.fills.quantity.iloc[0]
    assert result.trades.pnl[0] == pytest.approx(quantity * 5 * 10 * 1.2, rel=1e-12)
    assert result.equity.unrealised.iloc[2] == pytest.approx(quantity * 5 * 10 * 1.2, rel=1e-12)


def test_fills_at_the_close_bind_margin_on_that_bar():
    bars = closes(100, 110)
    terms = changed(bars, margin=LINEAR, fills={"model": SAME_CLOSE})
    result = place(bars, {0: [bought(10.0)]}, terms=terms, initial_capital=1_000.0)
    assert result.equity.initial_margin.tolist() == [100.0, 110.0]
    assert result.equity.unrealised.tolist() == [0.0, 100.0]


def test_accounts_without_derivatives_have_none_of_it():
    bars = closes(100, 100, 110)
    result = place(bars, {0: [bought(10.0)]})
    assert result.equity.unrealised.tolist() == [0.0] * 3
    assert result.equity.initial_margin.tolist() == [0.0] * 3
    assert result.book.rows.shape[1] == len(ROW_FIELDS)


def test_derivatives_are_told_by_their_symbol():
    symbols = ("BTC/USD:BTC", "BTC/USDT:USDT", "BTC/USDT:USDT-250328", "BTC/USDT", "SPY")
    terms = margin_terms(symbols, leverage=2.0)
    assert terms.linear.tolist() == [False, True, True, False, False]
    assert terms.inverse.tolist() == [True, False, False, False, False]


class Plain:
    """An account of fills, closes and rates, without the kernel's shortcuts."""

    def __init__(self, run, preparation):
        market, terms = preparation.market, run.terms
        self.market, self.carry = market, terms.carry
        self.linear = terms.margin.linear[preparation.columns]
        self.inverse = terms.margin.inverse[preparation.columns]
        n = len(self.linear)
        self.cash, self.held, self.entry = CAPITAL, np.zeros(n), np.full(n, np.nan)
        self.mark, self.scale = np.full(n, np.nan), market.instruments[:, 3]

    def profit(self, s, price):
        if self.inverse[s]:
            return self.scale[s] * (1.0 / self.entry[s] - 1.0 / price)
        return self.scale[s] * (price - self.entry[s])

    def fill(self, s, quantity, price, fx):
        held = self.held[s]
        if not (self.linear[s] or self.inverse[s]):
            self.cash -= quantity * price * self.scale[s] * fx
        elif held * quantity < 0.0:
            self.cash -= quantity * self.profit(s, price) * fx
        if held * quantity >= 0.0:
            old, new = abs(held), abs(quantity)
            before = self.entry[s] if old else 1.0
            if self.inverse[s]:
                self.entry[s] = (old + new) / (old / before + new / price)
            else:
                self.entry[s] = (old * before + new * price) / (old + new)
        self.held[s] = held + quantity
        if abs(self.held[s]) <= 1e-12 * abs(held):
            self.held[s] = 0.0

    def interest(self, t):
        """A year's: own cash is cash without the value of shorts that were sold, not margined."""
        fx = self.market.fx[t if len(self.market.fx) > 1 else 0]
        sold = (self.held < 0.0) & ~(self.linear | self.inverse)
        lent = -(self.held * self.mark * self.scale * fx)[sold].sum()
        own = self.cash - lent
        rate = self.carry.cash_rate if own > 0.0 else self.carry.debit_rate
        return own * rate + lent * self.carry.rebate

    def values(self, t):
        """Market value of what is owned, and profit of what is margined."""
        fx = self.market.fx[t if len(self.market.fx) > 1 else 0]
        owned = profit = 0.0
        for s in np.flatnonzero(self.held):
            close = self.market.close[t, s]
            self.mark[s] = self.mark[s] if np.isnan(close) else close
            if self.linear[s] or self.inverse[s]:
                profit += self.held[s] * self.profit(s, self.mark[s]) * fx[s]
            else:
                owned += self.held[s] * self.mark[s] * self.scale[s] * fx[s]
        return owned, profit


def check_against_plain(seed):
    run = random_run(seed)
    preparation, book = run.run()
    account, fills = Plain(run, preparation), book.fills[: book.counters[4]]
    at_ = {name: i for i, name in enumerate(FILL_FIELDS)}
    row_at = {name: i for i, name in enumerate(ROW_FIELDS)}
    days = preparation.market.days
    for t, row in enumerate(book.rows):
        if days.size:
            interest = account.interest(t) * days[t] / 365.0
            scale = max(CAPITAL, abs(account.cash))
            assert abs(interest - row[row_at["interest"]]) < 1e-9 * scale
            account.cash += interest
        account.cash += row[row_at["funding"]] - row[row_at["borrow"]]
        for one in fills[fills[:, 0] == t]:
            s = int(one[at_["symbol"]])
            if account.held[s] == 0.0:
                account.mark[s] = one[at_["reference_price"]]
            account.fill(s, one[at_["quantity"]], one[at_["price"]], one[at_["fx"]])
            account.cash -= one[at_["commission"]] + one[at_["penalty"]]
        owned, profit = account.values(t)
        scale = max(CAPITAL, np.abs(row[:4]).max())
        assert abs(account.cash - row[row_at["cash"]]) < 1e-9 * scale, t
        assert abs(account.cash + profit + owned - row[row_at["equity"]]) < 1e-9 * scale, t
        if len(row) > len(ROW_FIELDS):
            assert abs(profit - row[len(ROW_FIELDS)]) < 1e-9 * scale, t
    return bool(account.linear.any()), len(fills)


def test_cash_and_profit_of_random_accounts_are_those_of_plain_python():
    found = [check_against_plain(seed) for seed in range(4)]
    assert any(linear for linear, _ in found)
    assert sum(n for _, n in found) > 30


@pytest.mark.slow(seconds=5)
def test_many_random_accounts_are_those_of_plain_python():
    found = [check_against_plain(seed) for seed in range(300, 500)]
    assert sum(linear for linear, _ in found) > 50
