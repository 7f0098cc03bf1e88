"""Limits at the fill and at the decision: what they leave, and that each refusal is logged."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import (
    at,
    daily,
    exits,
    flat_bars,
    tell,
    units,
)


def limited(bars, signals, *, size=0.5, protect=None, **limits):
    n = len(bars.symbols)
    plan = Plan(
        sizes=EntrySizes(np.full((1, n), size), 2),
        exits=protect,
        limits=neutral_limits(n)._replace(**limits),
    )
    return tell(bars, signals, plan=plan)


@pytest.mark.parametrize(
    ("limit", "fills"),
    [
        ({"max_position": 0.1}, [100.0, 100.0, 100.0]),
        ({"max_gross": 0.6}, [500.0, 100.0]),
        ({"max_net": 0.7}, [500.0, 200.0]),
        ({"max_sector": 0.3, "sector": np.array([0, 0, 1])}, [300.0, 300.0]),
        ({"max_positions": 1}, [500.0]),
    ],
)
def test_size_limits_cut_at_the_fill(limit, fills):
    bars = flat_bars(3, symbols=3)
    result = limited(bars, Signals(entry_long=at(bars, 0)), **limit)
    assert result.fills.quantity.tolist() == pytest.approx(fills, rel=1e-12)
    assert set(result.vetoes.rule) <= {*limit, "leverage"}
    assert len(result.vetoes) >= 2


def test_shorts_use_net_the_other_way():
    bars = flat_bars(3, symbols=2)
    signals = Signals(entry_long=at(bars, 0, column=0), entry_short=at(bars, 0, column=1))
    result = limited(bars, signals, max_net=0.1)
    # sorted by strength, then name: the long leaves 10 %, the short then has 20 % of room
    assert result.fills.quantity.tolist() == pytest.approx([100.0, -200.0], rel=1e-12)


def test_strength_decides_who_uses_the_limit():
    bars = flat_bars(3, symbols=3)
    strength = np.tile([0.1, 0.9, 0.5], (3, 1))
    signals = Signals(entry_long=at(bars, 0), strength=strength)
    result = limited(bars, signals, max_gross=0.6)
    assert result.fills.symbol.tolist() == ["B", "C"]


def test_heat_counts_distance_to_the_stop():
    """Each position of 50,000 risks 5 %: 2,500; a heat of 4 % leaves 1,500 for the second."""
    bars = flat_bars(3, symbols=2)
    stops = exits(bars, stop=0.05)
    result = limited(bars, Signals(entry_long=at(bars, 0)), protect=stops, max_heat=0.04)
    assert result.fills.quantity.tolist() == pytest.approx([500.0, 300.0], rel=1e-12)
    assert result.equity.heat.iloc[-1] == pytest.approx(0.04, rel=1e-12)


def test_heat_without_a_stop_is_the_whole_position():
    bars = flat_bars(3)
    result = limited(bars, Signals(entry_long=at(bars, 0)))
    assert result.equity.heat.iloc[-1] == pytest.approx(0.5)


def test_correlation_refuses_the_second_of_two_alike():
    rng = np.random.default_rng(0)
    steps = rng.normal(0.0, 0.01, (40, 3))
    steps[:, 1] = steps[:, 0] + rng.normal(0.0, 0.001, 40)
    bars = daily({"close": 100 * np.exp(np.cumsum(steps, axis=0))})
    signals = Signals(entry_long=at(bars, 30))
    result = limited(bars, signals, size=0.1, correlation=0.7, correlation_bars=20)
    assert result.fills.symbol.tolist() == ["A", "C"]
    assert result.vetoes[["symbol", "rule"]].values.tolist() == [["B", "correlation"]]
    returns = bars.close[1:] / bars.close[:-1] - 1
    measured = np.corrcoef(returns[10:30].T)
    assert measured[0, 1] > 0.7 > measured[0, 2]


def falling(*closes):
    return daily({"close": np.array(closes, dtype=np.float64)[:, None]})


def test_drawdown_halts_after_the_breach_and_resumes_after_its_bars():
    """All in at 100; 85 at the close of bar 2 breaches 10 %: sold at the open of bar 3."""
    bars = falling(100, 100, 85, 84, 84, 84, 84, 84, 84)
    signals = Signals(entry_long=at(bars, *range(9)))
    result = limited(bars, signals, size=1.0, halt_drawdown=0.10, halt_bars=3)
    trade = result.trades.iloc[0]
    assert trade.exit_reason == "drawdown_halt"
    assert trade.exit_ts == result.equity.index[3]
    assert result.trades.entry_ts[1] == result.equity.index[6]  # decided at the close of bar 5
    assert set(result.vetoes.rule) == {"drawdown_halt"}


def test_drawdown_cut_scales_entries():
    bars = falling(100, 100, 90, 90, 90, 90)
    exit_long = at(bars, 2)
    signals = Signals(entry_long=at(bars, 0, 3), exit_long=exit_long)
    result = limited(bars, signals, size=1.0, cut_drawdown=0.05, cut_scale=0.25)
    assert result.fills.quantity.tolist() == pytest.approx([1_000.0, -1_000.0, 250.0])
    assert result.vetoes.rule.tolist() == ["drawdown_cut"]


def test_daily_loss_closes_and_stops_entries_until_the_next_day():
    ts = np.datetime64("2024-01-01", "us") + np.arange(8) * np.timedelta64(6, "h")
    base = falling(100, 100, 95, 95, 95, 95, 95, 95)
    bars = type(base).from_arrays(
        ts, ["A"], np.timedelta64(6, "h").astype(object), close=base.close
    )
    signals = Signals(entry_long=at(bars, *range(8)))
    result = limited(bars, signals, size=1.0, daily_loss=0.02)
    assert result.trades.exit_reason.tolist() == ["daily_loss", "open"]
    assert result.trades.exit_ts[0] == result.equity.index[3]
    assert result.trades.entry_ts[1] == result.equity.index[5]  # the first close of day 2: bar 4


def test_cool_down_after_a_loss_but_not_after_a_gain():
    bars = falling(100, 100, 90, 90, 90, 90, 90, 90, 90)
    signals = Signals(entry_long=at(bars, 0, *range(3, 9)), exit_long=at(bars, 2))
    result = limited(bars, signals, size=0.1, cool_down=3)
    assert result.trades.entry_ts[1] == result.equity.index[7]  # refused at bars 3, 4 and 5
    assert (result.vetoes.rule == "cool_down").sum() == 3
    gains = falling(100, 100, 110, 110, 110, 110, 110, 110, 110)
    assert limited(gains, signals, size=0.1, cool_down=3).vetoes.empty


def test_no_trade_in_warm_up():
    from quant_assets.quant.simulation.execution.runs import backtest
    from quant_assets_tests.quant.simulation.execution.hand_runs import Told

    bars = flat_bars(6)
    told = Told(
        decisions=Signals(entry_long=at(bars, *range(6))),
        goes_with=Plan(sizes=units(1.0, bars)),
        warm_up_bars=3,
    )
    result = backtest(told, bars, frictionless(bars))
    assert result.orders.decided_ts.tolist() == [result.equity.index[3]]


def test_targets_reach_their_weights_and_sell_before_they_buy():
    bars = flat_bars(5, symbols=2)
    target = np.full((5, 2), np.nan)
    target[0], target[2] = (1.0, 0.0), (0.25, 0.75)
    result = tell(bars, Signals(target=target))
    assert result.fills.quantity.tolist() == pytest.approx([1_000.0, -750.0, 750.0])
    assert result.trades.exit_reason.tolist() == ["open", "open"]


def test_reversal_closes_and_opens_at_one_open():
    bars = flat_bars(5)
    signals = Signals(entry_long=at(bars, 0), entry_short=at(bars, 2))
    result = tell(bars, signals)
    assert result.fills.quantity.tolist() == [10.0, -10.0, -10.0]
    assert result.trades.exit_reason.tolist() == ["reversal", "open"]
    assert result.trades.direction.tolist() == ["long", "short"]


def test_exit_wins_over_entry_of_its_side():
    bars = flat_bars(4)
    both = Signals(entry_long=at(bars, 0), exit_long=at(bars, 0))
    assert tell(bars, both).fills.empty


def nets_after_openings(fills):
    """Net exposure in the direction of each fill that opened something; exits are never refused."""
    held, found = {}, []
    for symbol, quantity in zip(fills.symbol, fills.quantity, strict=True):
        before = held.get(symbol, 0.0)
        held[symbol] = before + quantity
        if before * quantity >= 0.0:
            found.append(np.sign(quantity) * sum(held.values()) * 100.0 / 100_000.0)
    return np.array(found)


@pytest.mark.parametrize("targets", [False, True])
def test_limits_are_never_exceeded(targets):
    """On flat prices without costs nothing but fills moves exposure."""
    rng = np.random.default_rng(int(targets))
    bars = flat_bars(300, symbols=6)
    shape, sector = bars.close.shape, np.array([0, 0, 1, 1, 2, 2])
    flags = [rng.random(shape) < share for share in (0.1, 0.05, 0.1, 0.05)]
    names = ("entry_long", "exit_long", "entry_short", "exit_short")
    signals = Signals(**dict(zip(names, flags, strict=True)))
    if targets:
        drawn = rng.uniform(-0.6, 0.6, shape)
        signals = Signals(target=np.where(rng.random(shape) < 0.1, drawn, np.nan))
    result = limited(
        bars,
        signals,
        max_position=0.22,
        max_gross=0.7,
        max_net=0.4,
        max_sector=0.3,
        sector=sector,
        max_positions=4,
    )
    by_bar = result.fills.pivot_table(
        index="ts", columns="symbol", values="quantity", aggfunc="sum", fill_value=0.0
    )
    held = by_bar.cumsum().to_numpy() * 100.0 / 100_000.0
    by_sector = np.abs(held) @ np.eye(3)[sector]
    assert len(held) > 50
    for values, limit in (
        (np.abs(held), 0.22),
        (np.abs(held).sum(axis=1), 0.7),
        (nets_after_openings(result.fills), 0.4),
        (by_sector, 0.3),
        ((np.abs(held) > 1e-9).sum(axis=1), 4),
    ):
        assert values.max() <= limit + 1e-9
        assert values.max() > 0.9 * limit  # and it is used


@pytest.mark.parametrize("limit", ["daily_loss", "halt_drawdown"])
def test_what_was_lost_and_closed_inside_the_bar_counts(limit):
    """Half of the equity is stopped out at -20 % in bar 2: a loss of 10 %, flat at the close."""
    prices = np.full((7, 1), 100.0)
    low = prices.copy()
    low[2] = 70.0
    ts = np.datetime64("2024-01-01", "us") + np.arange(7) * np.timedelta64(1, "h")
    bars = BarPanel.from_arrays(ts, ("A",), timedelta(hours=1), close=prices, low=low)
    signals = Signals(entry_long=at(bars, 0, 2, 3))
    result = limited(bars, signals, protect=exits(bars, stop=0.2), **{limit: 0.05})
    assert result.trades.exit_reason.tolist() == ["stop_loss"]
    assert result.equity.drawdown.iloc[2] == pytest.approx(0.1, rel=1e-9)
    rule = {"daily_loss": "daily_loss", "halt_drawdown": "drawdown_halt"}[limit]
    assert result.vetoes.rule.tolist() == [rule, rule]
