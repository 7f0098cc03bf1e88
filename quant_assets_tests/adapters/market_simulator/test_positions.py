"""Open interest and forced orders: exact beginnings, and what planted shocks do to them."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.market_simulator.clock import Clock
from quant_assets.adapters.market_simulator.market import (
    Instrument,
    SimulatedMarket,
    planted_shocks,
    simulate_market,
)
from quant_assets.adapters.market_simulator.positions import (
    ForcedOrders,
    forced_orders,
    jumps_in_days,
    open_interest_path,
)
from quant_assets.adapters.market_simulator.settings import SimulatorSettings

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 31)
ASSETS: list[dict[str, Any]] = [
    {"base": "BTC", "first_price": 42_000, "own_volatility": 0.15, "daily_quote_volume": 1e10},
    {"base": "LATE", "first_price": 2.5, "own_volatility": 0.8, "first": "2024-02-10"},
]
HOUR = 12  # bars


def build(last: date = LAST, *, minutes: int = 5, **settings: Any) -> SimulatedMarket:
    shocks = {"market_jumps_per_month": 3, "asset_jumps_per_month": 0, "bursts_per_month": 0}
    options = {"assets": ASSETS, "shocks": shocks, "seed": 5, **settings}
    clock = Clock(FIRST, last, timedelta(minutes=minutes))
    return simulate_market(SimulatorSettings.model_validate(options), clock)


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return build()


def perpetual(market: SimulatedMarket, base: str = "BTC") -> Instrument:
    return next(i for i in market.instruments if i.symbol == f"{base}/USDT:USDT")


def notional_per_bar(market: SimulatedMarket, orders: ForcedOrders) -> np.ndarray:
    bars = np.searchsorted(market.clock.ts, orders.ts, side="right") - 1
    weights = orders.price * orders.quantity
    return np.bincount(bars, weights=weights, minlength=market.clock.n_bars)


def test_forced_orders_concentrate_after_planted_market_jumps(market: SimulatedMarket) -> None:
    """The hour from each planted jump on has many times the notional of a usual hour."""
    shocks = planted_shocks(market)
    for base in ("BTC", "LATE"):
        instrument = perpetual(market, base)
        own = shocks[(shocks["symbol"] == instrument.symbol) & (shocks["kind"] == "market_jump")]
        rows = np.searchsorted(market.clock.ts, own["ts"].to_numpy(dtype="datetime64[us]"))
        notional = notional_per_bar(market, forced_orders(market, instrument))
        listed = notional[instrument.begin : instrument.end]
        usual = listed.sum() / len(listed) * HOUR
        after = [notional[row : row + HOUR].sum() for row in rows if row + HOUR < len(notional)]
        before = [notional[row - HOUR : row].sum() for row in rows if row - HOUR > instrument.begin]
        assert len(after) >= 3
        assert min(after) > 10 * usual
        assert np.median(before) < usual
        near = np.zeros(len(notional), dtype=bool)
        for row in rows:
            near[row : row + HOUR] = True
        assert near[instrument.begin : instrument.end].mean() < 0.02
        assert notional[near].sum() > 0.5 * notional.sum()


def test_forced_orders_sell_after_a_fall_and_buy_after_a_rise(market: SimulatedMarket) -> None:
    instrument = perpetual(market)
    orders, jumps = forced_orders(market, instrument), jumps_in_days(market, instrument)
    rows = np.flatnonzero(jumps)
    assert (jumps[rows] > 0).any()
    assert (jumps[rows] < 0).any()
    for row in rows:
        inside = (orders.ts >= market.clock.ts[row]) & (orders.ts < market.clock.ts[row + 3])
        share = orders.is_sell[inside].mean()
        assert share > 0.8 if jumps[row] < 0 else share < 0.2


def test_forced_orders_lie_in_their_bar_in_time_and_price(market: SimulatedMarket) -> None:
    instrument = perpetual(market, "LATE")
    orders, candles = forced_orders(market, instrument), instrument.candles
    assert (np.diff(orders.ts) >= np.timedelta64(0)).all()
    bars = np.searchsorted(market.clock.ts, orders.ts, side="right") - 1
    assert bars.min() >= instrument.begin
    assert (orders.price >= candles.low[bars]).all()
    assert (orders.price <= candles.high[bars]).all()
    assert (orders.quantity > 0).all()
    pairs = pd.DataFrame({"bar": bars, "number": orders.number})
    assert not pairs.duplicated().any()


def test_forced_orders_of_a_calm_market_come_at_the_stated_rate() -> None:
    calm = {"market_jumps_per_month": 0, "asset_jumps_per_month": 0, "bursts_per_month": 0}
    made = build(shocks=calm)
    instrument = perpetual(made)
    loud = np.minimum((instrument.sigma / instrument.typical_sigma(made.clock)) ** 2, 30.0)
    expected = 40.0 * 91 * loud.mean()
    count = len(forced_orders(made, instrument).ts)
    assert abs(count - expected) < 5.0 * np.sqrt(expected)


def test_open_interest_falls_at_each_jump_and_refills(market: SimulatedMarket) -> None:
    instrument = perpetual(market)
    path = open_interest_path(market, instrument)
    assert np.array_equal(path.ts, market.clock.ts)
    jumps = jumps_in_days(market, instrument)
    steps = np.diff(np.log(path.quantity))
    for row in np.flatnonzero(jumps):
        purge = min(0.10 * abs(jumps[row]), 0.5)
        assert steps[row] == pytest.approx(-purge, abs=0.03)
    assert np.abs(np.delete(steps, np.flatnonzero(jumps))).max() < 0.03
    typical = 0.25 * 1e10 / 42_000
    assert np.log(np.median(path.quantity) / typical) == pytest.approx(0.0, abs=0.5)
    np.testing.assert_allclose(path.value, path.quantity * instrument.candles.open, rtol=1e-9)


def test_open_interest_of_other_bar_lengths_is_every_five_minutes_or_every_bar() -> None:
    for minutes, step in ((1, 5), (5, 5), (60, 60)):
        made = build(date(2024, 1, 2), minutes=minutes)
        ts = open_interest_path(made, perpetual(made)).ts
        assert set(np.diff(ts).tolist()) == {timedelta(minutes=step)}


def test_positions_longer_history_and_other_assets_change_no_row(market: SimulatedMarket) -> None:
    instrument = perpetual(market)
    orders, path = forced_orders(market, instrument), open_interest_path(market, instrument)
    for other in (build(date(2024, 2, 7)), build(assets=ASSETS[:1])):
        again = forced_orders(other, perpetual(other))
        count = len(again.ts)
        assert count > 1000
        assert orders.ts[:count].tobytes() == again.ts.tobytes()
        assert orders.price[:count].tobytes() == again.price.tobytes()
        assert orders.quantity[:count].tobytes() == again.quantity.tobytes()
        assert orders.is_sell[:count].tobytes() == again.is_sell.tobytes()
        shorter = open_interest_path(other, perpetual(other))
        assert path.quantity[: len(shorter.ts)].tobytes() == shorter.quantity.tobytes()
        assert path.value[: len(shorter.ts)].tobytes() == shorter.value.tobytes()
