"""What a plug-in documents is what the event kernel does: prices and money worked by hand."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.parameters import plug_in
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk import exit_terms, limit_terms, rules_from
from quant_assets.quant.simulation.execution.commissions.base import (
    COMMISSIONS,
    CommissionModel,
    charge,
)
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.sizing.entry.base import ENTRY_SIZERS, EntrySizer
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.bar_samples import DAY, clock

pytestmark = pytest.mark.slow

FREE = {
    "slippage_model": "none",
    "commission_model": "none",
    "borrow_model": "none",
    "funding_model": "assume_zero",
}
RICH = 1e9


@dataclass(frozen=True, kw_only=True)
class Planned(VectorStrategy):
    """Enters and leaves the first symbol on given bars; size, exits and limits by plug-ins."""

    name: ClassVar[str] = "planned"
    enter: tuple[int, ...] = (0,)
    leave: tuple[int, ...] = ()
    short: bool = False
    everywhere: bool = False
    sizer: Any = field(default_factory=lambda: {"fixed_quantity": {"quantity": 100.0}})
    risk: tuple[Any, ...] = ()

    def signals(self, bars):
        enter, leave = (np.zeros(bars.close.shape, dtype=np.bool_) for _ in range(2))
        columns = slice(None) if self.everywhere else slice(0, 1)
        enter[list(self.enter), columns] = True
        leave[list(self.leave), columns] = True
        if self.short:
            return Signals(entry_short=enter, exit_short=leave)
        return Signals(entry_long=enter, exit_long=leave)

    def plan(self, bars):
        rules = rules_from(list(self.risk))
        return Plan(
            sizes=plug_in(ENTRY_SIZERS, EntrySizer, self.sizer).sizes(bars),
            exits=exit_terms(rules, bars),
            limits=limit_terms(rules, bars),
        )


def bars_of(close, *, high=None, low=None, volume=1e6, symbols=None, spread=None):
    close = np.asarray(close, dtype=np.float64)
    close = close[:, None] if close.ndim == 1 else close
    opens = np.vstack([close[:1], close[:-1]])  # each bar opens where the one before closed
    top = np.maximum(opens, close) if high is None else np.asarray(high, dtype=float)[:, None]
    bottom = np.minimum(opens, close) if low is None else np.asarray(low, dtype=float)[:, None]
    names = symbols or tuple(f"S{column}" for column in range(close.shape[1]))
    return BarPanel.from_arrays(
        clock(len(close)),
        names,
        DAY,
        open=opens,
        high=top,
        low=bottom,
        close=close,
        volume=np.full(close.shape, volume),
        extras={} if spread is None else {"spread": np.full(close.shape, spread)},
    )


def run(bars, strategy, **settings):
    capital = settings.pop("capital", RICH)
    run_data = {k: settings.pop(k) for k in ("funding", "rates", "detail") if k in settings}
    execution = ExecutionModel(**{**FREE, **settings})
    return backtest(strategy, bars, execution, initial_capital=capital, **run_data)


@pytest.mark.parametrize(
    "spelling",
    [
        "none",
        {"flat": {"amount": 4.95}},
        {"per_share": {"rate": 0.01, "minimum": 2.0, "maximum": 0.005}},
        "interactive_brokers",
        {"interactive_brokers": {"plan": "tiered", "sell_rate": 0.0000278}},
        "maker_taker",
        {"percent": {"bps": 7.0, "minimum": 3.0, "buy_tax_bps": 50.0, "sell_tax_bps": 5.0}},
        {"tick_rounded": {"bps": 5.0}},
    ],
)
@pytest.mark.parametrize("quantity", [10.0, 400_000.0])
def test_kernel_takes_the_commission_of_the_schedule(spelling, quantity):
    bars = bars_of(np.linspace(20.0, 21.0, 12), volume=1e9)
    sizer = {"fixed_quantity": {"quantity": quantity}}
    found = run(bars, Planned(leave=(5,), sizer=sizer), commission_model=spelling).fills
    terms = plug_in(COMMISSIONS, CommissionModel, spelling).terms()
    expected = [
        charge(terms, quantity, bars.open[1, 0]),
        charge(terms, -quantity, bars.open[6, 0], month_units=quantity),
    ]
    np.testing.assert_allclose(found["commission"], expected, rtol=1e-12)


def test_kernel_takes_the_fee_of_a_sale_no_more_than_once_when_it_fills_in_parts():
    bars = bars_of(np.full(40, 20.0), volume=20_000.0)
    sizer = {"fixed_quantity": {"quantity": 90_000.0}}
    spelling = {"interactive_brokers": {"plan": "tiered"}}
    patient = {"realistic_volume": {"participation": 1.0, "time_to_live": 9}}
    found = run(
        bars, Planned(leave=(20,), sizer=sizer), commission_model=spelling, fill_model=patient
    ).fills
    sold = found[found["quantity"] < 0.0]
    assert len(sold) == 5
    terms = plug_in(COMMISSIONS, CommissionModel, spelling).terms()
    expected = charge(terms, -90_000.0, 20.0, month_units=90_000.0)
    assert sold["commission"].sum() == pytest.approx(expected, rel=1e-12)
    most, fee = 8.30, 0.000166 * 20_000.0  # 3.32, 3.32, then what is left of 8.30
    missing = np.array([0.0, fee - (most - 2 * fee), fee])
    uncapped = sold["commission"].to_numpy()[1:4] + missing
    np.testing.assert_allclose(np.diff(uncapped), 0.0, atol=1e-9)


def test_kernel_gives_makers_their_rebate():
    bars = bars_of([100.0, 100.0, 100.0, 103.0, 103.0])
    found = run(
        bars,
        Planned(risk=({"take_profit": {"pct": 0.02}},)),
        commission_model={"maker_taker": {"maker_bps": -1.0, "taker_bps": 5.0}},
    ).fills
    np.testing.assert_allclose(found["commission"], [100 * 100.0 * 5e-4, -100 * 102.0 * 1e-4])


def test_kernel_slips_by_the_formulas_that_add_up():
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(0.02 * rng.normal(size=60)))
    bars = bars_of(close, volume=50_000.0, spread=6e-4)
    parts = ["fixed", "half_spread", {"sqrt_volume": {"coefficient": 0.7}}, "volume_share"]
    sizer = {"fixed_quantity": {"quantity": 900.0}}
    fill = run(bars, Planned(enter=(40,), sizer=sizer), slippage_model=parts).fills.iloc[0]
    sigma = pd.Series(close).pct_change().iloc[21:41].std()
    share = 900.0 / 50_000.0
    slip = 2e-4 + 0.5 * 6e-4 + 0.7 * sigma * share**0.5 + 0.1 * share**2
    assert fill["reference_price"] == bars.open[41, 0]
    assert fill["price"] == pytest.approx(bars.open[41, 0] * (1.0 + slip), rel=1e-12)


def test_kernel_fills_no_more_than_the_share_of_the_volume_and_carries_the_rest():
    bars = bars_of(np.full(12, 50.0), volume=1_000.0)
    sizer = {"fixed_quantity": {"quantity": 250.0}}
    fills = run(bars, Planned(sizer=sizer), fill_model="realistic_volume").fills
    assert fills["quantity"].tolist() == [100.0, 100.0, 50.0]
    limited = run(bars, Planned(sizer=sizer), slippage_model="volume_share").fills
    assert limited["quantity"].tolist()[:3] == [25.0] * 3


@pytest.mark.parametrize(
    ("name", "price"),
    [("next_open", 101.0), ("next_close", 104.0), ("vwap_like", 102.25), ("same_close", 101.0)],
)
def test_kernel_fills_at_the_price_of_the_fill_model(name, price):
    bars = bars_of([100.0, 101.0, 104.0, 104.0], high=[100, 101, 106, 104], low=[100, 100, 98, 104])
    entry = run(bars, Planned(enter=(1,)), fill_model=name).fills.iloc[0]
    assert entry["price"] == price


@pytest.mark.parametrize(
    ("rule", "close", "reason", "price"),
    [
        ({"stop_loss": {"pct": 0.05}}, [100, 100, 97, 90], "stop_loss", 95.0),
        ({"trailing_stop": {"pct": 0.10}}, [100, 100, 120, 100], "trailing_stop", 108.0),
        ({"take_profit": {"pct": 0.10}}, [100, 100, 105, 115], "take_profit", 110.0),
        ({"time_stop": {"bars": 2}}, [100, 100, 101, 102, 103], "time_stop", 101.0),
    ],
)
def test_kernel_leaves_where_the_exit_says(rule, close, reason, price):
    trade = run(bars_of(close), Planned(risk=(rule,))).trades.iloc[0]
    assert (trade["exit_reason"], trade["exit_price"]) == (reason, pytest.approx(price))


def test_kernel_meets_the_reward_at_its_ratio_of_the_risk():
    risk = ({"stop_loss": {"pct": 0.04}}, {"reward_ratio": {"ratio": 2.5}})
    trade = run(bars_of([100, 100, 104, 115]), Planned(risk=risk)).trades.iloc[0]
    assert trade["exit_price"] == pytest.approx(110.0)


def test_kernel_loses_the_stated_risk_at_the_first_stop():
    planned = Planned(
        sizer={"stop_risk": {"risk": 0.01}},
        risk=({"stop_loss": {"pct": 0.08}}, {"trailing_stop": {"pct": 0.05}}),
    )
    found = run(bars_of([100, 100, 99, 90]), planned, capital=50_000.0)
    assert found.final_equity == pytest.approx(50_000.0 * 0.99)
    assert found.trades.iloc[0]["exit_price"] == pytest.approx(95.0)


@pytest.mark.parametrize(
    ("sizer", "quantity"),
    [
        ({"fixed_dollar": {"amount": 5_000}}, 50.0),
        ({"fixed_fraction": {"fraction": 0.25}}, 250.0),
        ({"equal": {"slots": 4}}, 250.0),
        ({"kelly_binary": {"win_rate": 0.6, "payoff_ratio": 1.0}}, 100.0),
    ],
)
def test_kernel_buys_what_the_sizer_says(sizer, quantity):
    found = run(bars_of(np.full(5, 100.0)), Planned(sizer=sizer), capital=100_000.0)
    assert found.fills["quantity"].tolist() == [pytest.approx(quantity)]


def test_kernel_keeps_the_limits_of_positions():
    bars = bars_of(np.full((6, 4), 100.0))
    sizer = {"fixed_fraction": {"fraction": 0.2}}

    def notionals(*risk):
        planned = Planned(everywhere=True, sizer=sizer, risk=risk)
        found = run(bars, planned, capital=100_000.0).fills
        return (found["quantity"] * found["price"]).tolist()

    assert notionals() == [pytest.approx(20_000.0)] * 4
    assert notionals({"max_position": {"pct": 0.05}}) == [pytest.approx(5_000.0)] * 4
    assert sum(notionals({"max_gross": {"pct": 0.5}})) == pytest.approx(50_000.0)
    assert sum(notionals({"max_net": {"pct": 0.3}})) == pytest.approx(30_000.0)
    assert len(notionals({"max_positions": {"count": 3}})) == 3
    sectors = {"S0": "x", "S1": "x"}
    shared = notionals({"max_sector": {"pct": 0.25, "sectors": sectors}})
    assert sum(shared) == pytest.approx(65_000.0)
    heat = notionals({"stop_loss": {"pct": 0.10}}, {"max_heat": {"pct": 0.05}})
    assert sum(heat) == pytest.approx(50_000.0)


def test_kernel_closes_everything_in_a_deep_drawdown():
    close = [100, 100, 100, 78, 78, 78, 78, 78]
    planned = Planned(
        enter=(0, 5), sizer={"fixed_fraction": {"fraction": 1.0}}, risk=({"drawdown_halt": {}},)
    )
    found = run(bars_of(close), planned, capital=100_000.0)
    assert len(found.trades) == 1
    assert found.trades.iloc[0]["exit_reason"] == "drawdown_halt"
    assert len(found.fills) == 2


@pytest.mark.parametrize(("fee", "taken"), [(0.001, 0.001), (0.01, 0.004)])
def test_kernel_liquidates_where_the_tiers_say(fee, taken):
    # 10 units from 100 on equity of 200; a position below 50,000 needs N x 0.004:
    # 200 + 10 (p - 100) = 10 p x 0.004  =>  p = 800 / 9.96; no fee takes more than these 0.004
    symbols = ("BTC/USDT:USDT",)
    bars = bars_of([100.0, 100.0, 100.0, 79.0], symbols=symbols)
    planned = Planned(sizer={"fixed_quantity": {"quantity": 10.0}})
    binance = {"binance": {"leverage": 10, "liquidation_fee": fee}}
    found = run(bars, planned, capital=200.0, margin_model=binance)
    price = 800.0 / 9.96
    assert found.fills.iloc[-1]["price"] == pytest.approx(price, rel=1e-9)
    assert found.trades.iloc[0]["exit_reason"] == "liquidation"
    left = 200.0 + 10.0 * (price - 100.0) - taken * 10.0 * price
    assert found.final_equity == pytest.approx(left, rel=1e-9, abs=1e-9)


def test_kernel_pays_borrow_and_funding():
    bars = bars_of(np.full(366, 100.0))
    short = Planned(short=True, sizer={"fixed_quantity": {"quantity": 1.0}})
    rate = {"annual_rate": {"rate": 0.03}}
    found = run(bars, short, borrow_model=rate, capital=1_000.0)
    # sold at the open of the second bar: 364 closes lie behind it
    assert found.final_equity == pytest.approx(1_000.0 - 3.0 * 364 / 365, rel=1e-12)
    perpetual = bars_of(np.full(5, 100.0), symbols=("BTC/USDT:USDT",))
    times = pd.date_range("2024-01-01", periods=15, freq="8h", tz="UTC").as_unit("us")
    events = pd.DataFrame(
        {"ts": times, "symbol": "BTC/USDT:USDT", "rate": 1e-3, "mark_price": 100.0}
    )
    paid = run(perpetual, Planned(), funding_model="settlements", funding=events, capital=1e6)
    # bought at the open of day two: two settlements on it, three on each of three days behind it
    assert paid.final_equity == pytest.approx(1e6 - 100 * 100.0 * 1e-3 * (2 + 3 * 3), rel=1e-12)


def test_kernel_trades_whole_lots_in_the_accounts_currency():
    bars = bars_of(np.full(5, 100.0), symbols=("SAP",))
    published = pd.date_range("2023-12-30", periods=7, freq="D", tz="UTC").as_unit("us")
    rates = pd.DataFrame(
        {
            "ts": published,
            "available_at": published,
            "symbol": "EUR/USD",
            "rate": np.array([1.0, 1.1, 1.2, 1.25, 1.3, 1.35, 1.4]),
        }
    )
    found = run(
        bars,
        Planned(sizer={"fixed_dollar": {"amount": 10_000}}),
        fx_model={"as_of": {"currencies": {"SAP": "EUR"}}},
        instrument_model={"grid": {"lot": 10.0}},
        rates=rates,
        capital=100_000.0,
    )
    assert found.fills["quantity"].tolist() == [80.0]  # 10,000 / 125 = 80
    assert found.final_equity == pytest.approx(100_000.0 + 8_000.0 * (1.4 - 1.25))


def test_audit_brackets_the_default():
    rng = np.random.default_rng(2)
    close = 100.0 * np.exp(np.cumsum(0.02 * rng.normal(size=300)))
    high, low = close * 1.02, close * 0.98
    bars = bars_of(close, high=np.maximum(high, np.r_[close[0], close[:-1]]), low=low)
    planned = Planned(
        enter=tuple(range(0, 290, 5)),
        sizer={"fixed_fraction": {"fraction": 0.5}},
        risk=({"stop_loss": {"pct": 0.03}}, {"take_profit": {"pct": 0.03}}),
    )
    models = ExecutionModel(commission_model="maker_taker").audit().values()
    best, default, worst = (backtest(planned, bars, model).final_equity for model in models)
    assert best > default > worst


def together(seed, *, apart):
    """Two symbols that move as one, or each on its own."""
    rng = np.random.default_rng(seed)
    moves = 0.01 * rng.normal(size=(40, 2))
    moves[:, 1] = moves[:, 1] if apart else moves[:, 0] + 0.1 * moves[:, 1]
    return bars_of(100.0 * np.exp(np.cumsum(moves, axis=0)))


@pytest.mark.parametrize(("apart", "held"), [(True, 2), (False, 1)])
def test_kernel_refuses_the_second_of_two_that_move_together(apart, held):
    bars = together(1, apart=apart)
    correlation = pd.DataFrame(bars.close).pct_change().iloc[11:31].corr().iloc[0, 1]
    assert (correlation > 0.7) == (held == 1)
    rule = {"max_correlation": {"threshold": 0.7, "lookback": 20}}
    planned = Planned(enter=(30,), everywhere=True, risk=(rule,))
    found = run(bars, planned)
    assert len(found.fills) == held
    assert found.vetoes["rule"].tolist() == ["correlation"] * (2 - held)


def test_kernel_waits_after_a_losing_trade():
    close = [100.0, 100.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0]
    stop = {"stop_loss": {"pct": 0.05}}
    every_bar = tuple(range(8))

    def entries(*risk):
        fills = run(bars_of(close), Planned(enter=every_bar, risk=(stop, *risk))).fills
        return fills.loc[fills["quantity"] > 0.0, "ts"].dt.day.tolist()

    assert entries() == [2, 4]  # stopped on the third day, bought again on the next
    assert entries({"cool_down": {"bars": 3}}) == [2, 7]


def test_kernel_makes_entries_smaller_in_a_drawdown():
    close = [100.0, 100.0, 85.0, 85.0, 85.0, 85.0]
    whole = {"fixed_fraction": {"fraction": 1.0}}
    cut = {"drawdown_cut": {"pct": 0.10, "scale": 0.25}}
    planned = Planned(enter=(0, 3), leave=(2,), sizer=whole, risk=(cut,))
    found = run(bars_of(close), planned, capital=100_000.0).fills
    bought = found.loc[found["quantity"] > 0.0]
    notional = (bought["quantity"] * bought["price"]).tolist()
    assert notional == [pytest.approx(100_000.0), pytest.approx(0.25 * 85_000.0)]


def test_kernel_leaves_a_bad_day():
    hours = np.datetime64("2024-01-01", "us") + np.arange(48) * np.timedelta64(1, "h")
    close = np.where(np.arange(48) < 10, 100.0, 95.0)[:, None]
    bars = BarPanel.from_arrays(hours, ("A",), DAY / 24, close=close, volume=np.full((48, 1), 1e6))
    planned = Planned(
        enter=(0, 15, 30),
        sizer={"fixed_fraction": {"fraction": 1.0}},
        risk=({"daily_loss": {"pct": 0.03}},),
    )
    found = run(bars, planned, capital=100_000.0)
    assert found.trades.iloc[0]["exit_reason"] == "daily_loss"
    bought = found.fills.loc[found.fills["quantity"] > 0.0, "ts"]
    assert [(ts.day, ts.hour) for ts in bought] == [(1, 1), (2, 7)]


def test_kernel_covers_several_positions_with_one_account():
    # 10 units of each from 100 on equity of 300, both fall alike; maintenance of 1 % and 3 %:
    # 300 + 20 (p - 100) = 10 p (0.01 + 0.03)  =>  p = 1,700 / 19.6
    close = np.tile([[100.0], [100.0], [100.0], [80.0]], (1, 2))
    ladders = {"A/USDT:USDT": [[0, 0.01], [5_000, 0.02]], "B/USDT:USDT": [[0, 0.03]]}
    bars = bars_of(close, symbols=tuple(ladders))
    planned = Planned(everywhere=True, sizer={"fixed_quantity": {"quantity": 10.0}})
    tiers = {"binance": {"liquidation_fee": 0.0, "tiers_of": ladders}}
    found = run(bars, planned, capital=300.0, margin_model=tiers)
    np.testing.assert_allclose(found.trades["exit_price"], 1_700.0 / 19.6, rtol=1e-9)
    assert set(found.trades["exit_reason"]) == {"liquidation"}
