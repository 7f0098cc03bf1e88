"""Order books: in order, of the stated size, and wider in planted bursts."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from quant_assets.adapters.market_simulator.book import Book, order_book
from quant_assets.adapters.market_simulator.clock import Clock
from quant_assets.adapters.market_simulator.market import (
    Instrument,
    SimulatedMarket,
    simulate_market,
)
from quant_assets.adapters.market_simulator.settings import OrderBookSettings, SimulatorSettings

ASSETS: list[dict[str, Any]] = [
    {"base": "BTC", "first_price": 42_000, "own_volatility": 0.15, "daily_quote_volume": 1e10},
    {"base": "TINY", "first_price": 1e-5, "own_volatility": 0.8, "first": "2024-02-10"},
]
HOURLY = OrderBookSettings()
SIDES = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")


def build(last: date = date(2024, 3, 31), **settings: Any) -> SimulatedMarket:
    shocks = {"market_jumps_per_month": 0, "asset_jumps_per_month": 0, "bursts_per_month": 4}
    options = {"assets": ASSETS, "shocks": shocks, **settings}
    clock = Clock(date(2024, 1, 1), last, timedelta(minutes=5))
    return simulate_market(SimulatorSettings.model_validate(options), clock)


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return build()


def perpetual(market: SimulatedMarket, base: str = "BTC") -> Instrument:
    return next(i for i in market.instruments if i.symbol == f"{base}/USDT:USDT")


def relative_spread(book: Book) -> np.ndarray:
    return (book.ask_price[:, 0] - book.bid_price[:, 0]) / book.bid_price[:, 0]


@pytest.mark.parametrize("base", ["BTC", "TINY"])
def test_order_book_is_in_order_and_never_crossed(market: SimulatedMarket, base: str) -> None:
    instrument = perpetual(market, base)
    book = order_book(market, instrument, HOURLY)
    rows = np.searchsorted(market.clock.ts, book.ts)
    assert set(np.diff(book.ts).tolist()) == {timedelta(hours=1)}
    assert rows[0] >= instrument.begin
    assert (np.diff(book.bid_price, axis=1) < 0).all()
    assert (np.diff(book.ask_price, axis=1) > 0).all()
    assert (book.bid_price[:, 0] < book.ask_price[:, 0]).all()
    middle = (book.bid_price[:, 0] + book.ask_price[:, 0]) / 2.0
    np.testing.assert_allclose(middle, instrument.candles.open[rows], rtol=1e-3)
    assert all((getattr(book, side) > 0).all() for side in SIDES)
    assert np.median(relative_spread(book)) == pytest.approx(1e-4, rel=0.5)


def test_order_book_spread_widens_and_depth_thins_in_bursts(market: SimulatedMarket) -> None:
    instrument = perpetual(market)
    book = order_book(market, instrument, HOURLY)
    rows = np.searchsorted(market.clock.ts, book.ts)
    after = np.searchsorted(rows, np.flatnonzero(market.market.bursts))
    after = after[(after > 0) & (after < len(rows))]
    assert len(after) > 5
    spread, depth = relative_spread(book), book.bid_quantity[:, 0] * book.bid_price[:, 0]
    assert np.median(spread[after] / spread[after - 1]) > 1.5
    assert np.median(depth[after] / depth[after - 1]) < 1.0 / 1.5


def test_order_book_longer_history_and_other_assets_change_no_snapshot(
    market: SimulatedMarket,
) -> None:
    book = order_book(market, perpetual(market), HOURLY)
    for other in (build(date(2024, 2, 7)), build(assets=ASSETS[:1])):
        again = order_book(other, perpetual(other), HOURLY)
        for side in SIDES:
            assert getattr(book, side)[: len(again.ts)].tobytes() == getattr(again, side).tobytes()


def test_order_book_settings_say_how_often_and_how_deep(market: SimulatedMarket) -> None:
    often = OrderBookSettings(interval=timedelta(minutes=5), levels=2)
    book = order_book(market, perpetual(market), often)
    assert book.ask_price.shape == (market.clock.n_bars, 2)


@pytest.mark.parametrize(("minutes", "every"), [(5, 60), (60, 60), (45, 90), (480, 480)])
def test_order_book_is_looked_at_hourly_or_as_soon_after_as_bars_allow(minutes: int, every: int):
    bar_length = timedelta(minutes=minutes)
    assert OrderBookSettings().every(bar_length) == timedelta(minutes=every)
