"""Funding, open interest, liquidations, book depth and book ticker of Binance's archive."""

import math

import pandas as pd
import pytest

from quant_assets.adapters.files import csv_rows
from quant_assets.adapters.files.opening import open_source
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import crypto_venue, read_all, text_file
from quant_assets_tests.adapters.real_files import real_file

VENUE = crypto_venue()
INTEREST = "symbol,sum_open_interest,sum_open_interest_value"
ORDER = (
    "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,"
    "last_fill_quantity,accumulated_fill_quantity"
)
TICKER = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
)


def test_funding_keeps_its_exact_time() -> None:
    header = "calc_time,funding_interval_hours,last_funding_rate"
    lines = ("1704067200000,8,0.0001", "1704096000007,8,-0.00002245")
    content = read_all(text_file("BTCUSDT-fundingRate-2024-01.csv", header, *lines), VENUE)
    funding = content.frames["funding"]
    assert funding["ts"][1] == pd.Timestamp("2024-01-01 08:00:00.007", tz="UTC")
    assert funding["rate"].tolist() == [0.0001, -0.00002245]
    assert set(funding["symbol"]) == {"BTC/USDT:USDT"}


def test_funding_as_crawled_names_its_symbols() -> None:
    lines = ("1704067200000,BTCUSDT,0.0001", "1704067200000,?,0.1", "1704067200000,ETHUSDC,x")
    content = read_all(text_file("any.csv", "timestamp,symbol,funding_rate", *lines), VENUE)
    assert content.frames["funding"]["symbol"].tolist() == ["BTC/USDT:USDT"]
    assert content.rejects["line"].tolist() == [3, 4]
    assert content.rejects["symbol"].tolist() == ["?", "ETH/USDC:USDC"]


def test_open_interest_is_in_base_or_in_contracts() -> None:
    lines = (
        "2024-01-01 00:05:00,BTCUSDT,80485.615,3400000000.5,1,2,3,4",
        "2024-01-01 00:05:00,BTCUSD_PERP,1000,2.5,1,2,3,4",
        "2024-01-01,BTCUSDT,1,1,1,2,3,4",
    )
    header = (
        f"create_time,{INTEREST},count_toptrader_long_short_ratio,"
        "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
    )
    content = read_all(text_file("any.csv", header, *lines), VENUE)
    interest = content.frames["open_interest"]
    assert content.layout == "binance_metrics"
    assert interest["ts"].tolist() == [pd.Timestamp("2024-01-01 00:05", tz="UTC")] * 2
    assert interest["open_interest"].tolist() == [80485.615, 1000.0]
    assert interest["open_interest_value"][0] == 3400000000.5
    assert math.isnan(interest["open_interest_value"][1])
    assert interest["unit"].tolist() == ["base", "contracts"]
    assert content.rejects["line"].tolist() == [4]
    assert content.notes == []


def test_liquidations_of_coin_margined_contracts_are_in_base() -> None:
    lines = (
        "1687656471926,BUY,LIMIT,IOC,7,30741.3,25000,FILLED,6,5",
        "1687656471926,BUY,LIMIT,IOC,7,30741.3,25000,FILLED,6,5",
        "1687656473356,SELL,LIMIT,IOC,43,20000,,FILLED,1,4",
        "1687656473356,HOLD,LIMIT,IOC,43,30756.6,30631.6,FILLED,1,43",
    )
    name = "BTCUSD_PERP-liquidationSnapshot-2023-06-25.csv"
    content = read_all(text_file(name, ORDER, *lines), VENUE)
    events = content.frames["liquidations"]
    assert set(events["symbol"]) == {"BTC/USD:BTC"}
    assert events["price"].tolist() == [25000.0, 25000.0, 20000.0]
    assert events["quantity"].tolist() == [0.02, 0.02, 0.02]  # 5 x 100 / 25,000; 4 x 100 / 20,000
    assert events["side"].tolist() == ["buy", "buy", "sell"]
    assert events["event_id"].tolist() == ["buy@25000.0x0.02"] * 2 + ["sell@20000.0x0.02"]
    assert content.rejects["line"].tolist() == [5]


DEPTH = "timestamp,percentage,depth,notional"


def test_sums_by_percent_are_depth_bands() -> None:
    lines = ("2024-01-01 00:00:04,-0.2,12.5,530000.25", "2024-01-01 00:00:04,5,x,2")
    content = read_all(text_file("BTCUSDT-bookDepth-2024-01-01.csv", DEPTH, *lines), VENUE)
    row = content.frames["depth_bands"].iloc[0]
    assert row["symbol"] == "BTC/USDT:USDT"
    assert row["ts"] == pd.Timestamp("2024-01-01 00:00:04", tz="UTC")
    assert row[["band_pct", "depth", "notional"]].tolist() == [-0.2, 12.5, 530000.25]
    assert content.rejects["line"].tolist() == [3]


def test_depth_of_coin_margined_contracts_is_in_base() -> None:
    """5,000 contracts of 100 USD at 50,000 USD are 10 BTC."""
    file = text_file("BTCUSD_PERP-bookDepth-2024-01-01.csv", DEPTH, "2024-01-01 00:00:04,1,5000,10")
    row = read_all(file, VENUE).frames["depth_bands"].iloc[0]
    assert row["symbol"] == "BTC/USD:BTC"
    assert row[["depth", "notional"]].tolist() == [10.0, 500_000.0]


def test_depth_bands_without_an_instrument_are_refused() -> None:
    file = text_file("x.csv", DEPTH, "2024-01-01 00:00:04,-5,1,2")
    with pytest.raises(DataError, match="BTCUSDT-bookDepth"):
        read_all(file, VENUE)


def quotes(*stamps: int) -> list[str]:
    return [f"{n},100.0,{n},101.0,2,{1704067200000 + ms},0" for n, ms in enumerate(stamps, start=1)]


@pytest.mark.parametrize("block_bytes", [1 << 20, 100])
def test_the_last_quote_of_a_millisecond_is_the_book(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", block_bytes)
    stamps = (0, 0, 1, 2, 2, 2, 3, 9, 9)
    file = text_file("BTCUSDT-bookTicker-2024-01-01.csv", TICKER, *quotes(*stamps))
    content = read_all(file, VENUE)
    book = content.frames["order_book"]
    assert book["bid_quantity"].tolist() == [2.0, 3.0, 6.0, 7.0, 9.0]
    assert book["ts"].is_unique
    assert set(book["level"]) == {0}
    assert content.notes == ["4 quotes were followed by another in the same millisecond"]


def test_quotes_in_contracts_are_refused() -> None:
    file = text_file("BTCUSD_PERP-bookTicker-2024-01-01.csv", TICKER, *quotes(0))
    with pytest.raises(DataError, match="contracts, not base"):
        read_all(file, VENUE)


def test_open_interest_of_one_base_per_file() -> None:
    file = text_file("SOL_oi_5m.csv", "t,oi,oi_usd", "1764547500000,7443043.69,991126182.18")
    interest = read_all(file, VENUE).frames["open_interest"]
    assert interest["symbol"].tolist() == ["SOL/USDT:USDT"]
    assert interest["ts"].tolist() == [pd.Timestamp("2025-12-01 00:05", tz="UTC")]
    assert interest["open_interest_value"].tolist() == [991126182.18]
    with pytest.raises(DataError, match="values in USD"):
        read_all(file, crypto_venue(currency="BTC"))


@pytest.mark.parametrize(
    ("file", "dataset", "rows"),
    [
        ("universe_usdm/raw/funding/BTCUSDT.csv", "funding", 200),
        ("universe_usdm/raw/oi_4h/BTCUSDT.csv", "open_interest", 168),
        ("raw/oi_2026/SOL_oi_5m.csv.gz", "open_interest", 55_296),
    ],
)
def test_real_files(file: str, dataset: str, rows: int) -> None:
    path = real_file(f"binance/{file}")
    (opened,) = open_source(path)
    content = read_all(opened, VENUE)
    assert len(content.frames[dataset]) == rows
    assert len(content.rejects) == 0
    expected = pd.read_csv(path).iloc[:, -1]
    name = {"funding": "rate", "open_interest": "open_interest_value"}[dataset]
    assert content.frames[dataset][name].tolist() == expected.tolist()
