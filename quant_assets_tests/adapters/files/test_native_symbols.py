"""Native symbols as unified ones; the asset class of the venue decides what they are."""

import pandas as pd
import pytest

from quant_assets.adapters.files.native_symbols import (
    check_step,
    contract_usd,
    is_inverse,
    named,
    of_base,
    stem,
    symbol_named,
    symbols_of,
    unified,
)
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import MemoryFile, crypto_venue
from quant_assets_tests.adapters.venue_models import make_venue

PERPETUAL = crypto_venue()
SPOT = crypto_venue("crypto_spot")


@pytest.mark.parametrize(
    ("native", "perpetual", "spot"),
    [
        ("BTCUSDT", "BTC/USDT:USDT", "BTC/USDT"),
        ("btcusdt", "BTC/USDT:USDT", "BTC/USDT"),
        ("1000SHIBUSDC", "1000SHIB/USDC:USDC", "1000SHIB/USDC"),
        ("BTCFDUSD", "BTC/FDUSD:FDUSD", "BTC/FDUSD"),
        ("ETHBTC", "ETH/BTC:BTC", "ETH/BTC"),
        ("BTCUSD_PERP", "BTC/USD:BTC", "BTC/USD"),
        ("BTCUSD_240628", "BTC/USD:BTC-240628", "BTC/USD"),
        ("BTCUSDT_240628", "BTC/USDT:USDT-240628", "BTC/USDT"),
        ("USDT", None, None),
        ("BTC", None, None),
        ("../BTCUSDT", None, None),
        ("", None, None),
    ],
)
def test_native_symbols(native: str, perpetual: str | None, spot: str | None) -> None:
    assert unified(native, PERPETUAL) == perpetual
    assert unified(native, SPOT) == spot


def test_the_currency_of_the_venue_comes_first() -> None:
    assert unified("LTCUSD", crypto_venue("crypto_spot", currency="USD")) == "LTC/USD"


@pytest.mark.parametrize(
    ("base", "symbol"),
    [
        ("BTC", "BTC/USDT:USDT"),
        ("ETH_250627", "ETH/USDT:USDT-250627"),
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("Hello Trading BotIP", None),
        ("A/B", None),
    ],
)
def test_base_assets(base: str, symbol: str | None) -> None:
    assert of_base(base, PERPETUAL) == symbol


def test_another_asset_class_refuses_crypto() -> None:
    equities = make_venue("bundled", first="2010-01-01", last=None)
    with pytest.raises(DataError, match="venue test_bundled is equity"):
        unified("BTCUSDT", equities)


def test_inverse_contracts_and_what_they_are_worth() -> None:
    assert [is_inverse(s) for s in ("BTC/USD:BTC", "BTC/USD:BTC-240628")] == [True, True]
    assert [is_inverse(s) for s in ("BTC/USDT:USDT", "BTC/USD", "BTC")] == [False] * 3
    assert (contract_usd("BTC/USD:BTC"), contract_usd("ETH/USD:ETH")) == (100.0, 10.0)


def test_a_column_of_symbols_keeps_what_it_cannot_resolve() -> None:
    symbols, strange = symbols_of(
        pd.Series(["BTCUSDT", "?", "NA"], dtype="str"), lambda word: unified(word, SPOT)
    )
    assert symbols.tolist() == ["BTC/USDT", "?", "NA"]
    assert strange.tolist() == [False, True, True]


def test_names_of_files() -> None:
    file = MemoryFile("in/x.zip/BTCUSDT-1m-2024-01.csv.gz", b"")
    assert stem(file) == "BTCUSDT-1m-2024-01"
    assert named(file, r"(?P<symbol>\w+)-.*", like="y.csv")["symbol"] == "BTCUSDT"
    with pytest.raises(DataError, match=r"its name must. Name it like y.csv"):
        named(file, "z", like="y.csv")
    with pytest.raises(DataError, match="'XYZ' is not a base with a quote currency"):
        symbol_named(file, "XYZ", SPOT)


def test_bars_of_another_length_than_the_venues_are_refused() -> None:
    assert check_step(MemoryFile("x", b""), "5m", SPOT) == SPOT.market.bar_length
    for step in ("1h", "1M", "5x"):
        with pytest.raises(DataError, match=f"bars of {step}, .* are of 5m"):
            check_step(MemoryFile("x", b""), step, SPOT)
