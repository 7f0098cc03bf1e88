"""An exchange, pulled into a source store: what it confirmed is read back, and asked for once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from quant_assets.adapters.providers.ccxt_exchange import Ccxt
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.operations.intake.pulls import Pull, pull_venue
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.adapters.providers.binance_server import TOO_MANY, Binance, serve
from quant_assets_tests.adapters.providers.test_ccxt_exchange import (
    DAY,
    NEEDS_CRYPTO,
    NOW,
    PERPETUAL,
    SPOT,
    STEP,
    ccxt_venue,
    patient,
)

JANUARY = Grid().window("2026-01-01")
LAST_CLOSED = DAY + timedelta(hours=12)

pytestmark = NEEDS_CRYPTO


@pytest.fixture
def binance() -> Iterator[Binance]:
    with serve(NOW) as running:
        yield running


def made(binance: Binance, folder: Path) -> tuple[SourceStore, Venue, Ccxt]:
    venue = ccxt_venue(binance.url, datasets=["bars", "funding", "order_book"])
    history = venue.history.model_copy(update={"first": DAY.date()})
    venue = venue.model_copy(update={"history": history})
    store = SourceStore(Layout(folder), venue.name)
    return store, venue, patient(Ccxt(venue, store), [])


def rows(found: Pull) -> dict[tuple[str, str], int]:
    return {(p.dataset, p.symbol): p.rows for p in found.pulled}


def test_pull_of_an_exchange_is_one_delivery_that_is_read_back(binance: Binance, tmp_path: Path):
    store, venue, provider = made(binance, tmp_path)
    found = pull_venue(store, venue, provider, NOW)
    assert found.failures == []
    assert rows(found)["bars", PERPETUAL] == rows(found)["bars", SPOT] == 144
    (receipt,) = store.receipts()
    assert receipt.counts["bars"]["stored"] == 288
    assert receipt.confirmed[f"bars {PERPETUAL}"] == (DAY, LAST_CLOSED)
    bars = provider.fetch("bars", JANUARY)
    assert bars["ts"].max() + STEP == LAST_CLOSED, "the unclosed bar is not there"
    assert len(provider.fetch("funding", JANUARY)) == 2
    assert len(provider.fetch("order_book", JANUARY)) > 0


def test_pull_again_asks_for_new_bars_alone(binance: Binance, tmp_path: Path):
    store, venue, provider = made(binance, tmp_path)
    pull_venue(store, venue, provider, NOW)
    binance.now = NOW + timedelta(minutes=30)
    found = pull_venue(store, venue, provider, binance.now)
    assert rows(found)["bars", PERPETUAL] == 6
    assert store.receipts()[-1].counts["bars"]["stored"] == 12
    assert len(provider.fetch("bars", JANUARY)) == 2 * 150


def test_pull_that_failed_is_mended_by_the_next_one(binance: Binance, tmp_path: Path):
    store, venue, provider = made(binance, tmp_path)
    binance.misbehave("/klines", *[TOO_MANY] * 20)
    failed = pull_venue(store, venue, provider, NOW)
    assert len(failed.failures) == 2
    assert all("bars of BTC/USDT" in failure for failure in failed.failures)
    assert rows(failed)["funding", PERPETUAL] > 0, "the others are pulled"
    binance.faults.clear()
    mended = pull_venue(store, venue, provider, NOW)
    assert mended.failures == []
    assert rows(mended)["bars", PERPETUAL] == 144
