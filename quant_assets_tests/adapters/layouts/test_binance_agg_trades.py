"""Aggregated trades of Binance become bars of the venue's length."""

import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import crypto_venue, read_all, text_file

VENUE = crypto_venue(bar_length="1m")
NAME = "BTCUSDT-aggTrades-2024-01-01.csv"
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
LINES = (
    "1,100.0,1.5,10,11,1704067200000,true",  # 00:00:00.000
    "2,102.0,0.5,12,12,1704067259999,false",  # 00:00:59.999
    "3,101.0,1.0,13,15,1704067260000,true",  # 00:01:00.000
    "6,99.0,2.0,18,18,1704067320000,true",  # 00:02, after two that are missing
)


def test_trades_become_bars() -> None:
    content = read_all(text_file(NAME, HEADER, *LINES), VENUE)
    bars = content.frames["bars"]
    assert content.layout == "binance_agg_trades"
    assert bars["ts"].dt.strftime("%H:%M").tolist() == ["00:00", "00:01", "00:02"]
    assert bars.iloc[0].drop("ts").to_dict() == {
        "symbol": "BTC/USDT:USDT",
        "open": 100.0,
        "high": 102.0,
        "low": 100.0,
        "close": 102.0,
        "volume": 2.0,
        "quote_volume": 201.0,
        "trades": 3,
        "line": 2,
    }
    assert bars["trades"].tolist() == [3, 3, 1]
    assert content.notes == ["2 aggregated trades are missing by their ids"]


def test_no_names_and_spot_with_microseconds() -> None:
    spot = crypto_venue("crypto_spot", bar_length="1m")
    line = "1,100.0,1.5,10,11,1735689600000000,True,True"
    bars = read_all(text_file("BTCUSDT-aggTrades-2025-01.csv", line), spot).frames["bars"]
    assert bars["ts"].tolist() == [pd.Timestamp("2025-01-01", tz="UTC")]
    assert bars["symbol"].tolist() == ["BTC/USDT"]


def test_coin_margined_quantities_are_turned_into_base() -> None:
    line = "1,50000.0,1000,10,10,1704067200000,true"  # 1,000 contracts of 100 USD
    bars = read_all(text_file("BTCUSD_PERP-aggTrades-2024-01.csv", line), VENUE).frames["bars"]
    assert bars["symbol"].tolist() == ["BTC/USD:BTC"]
    assert bars["volume"].tolist() == [2.0]
    assert bars["quote_volume"].tolist() == [100_000.0]


def test_a_bar_of_which_the_file_has_a_part_only_is_left_out() -> None:
    two_days = crypto_venue(bar_length="2d")  # counted from 1970: from the last day of 2023
    content = read_all(text_file(NAME, HEADER, *LINES[:3]), two_days)
    assert len(content.frames["bars"]) == 0
    assert content.notes == ["1 bars reach beyond the time of the file and were left out"]


def test_doubtful_trades_are_set_aside() -> None:
    late = "7,99.0,2.0,19,19,1704067200001,true"
    nothing = "8,99.0,0,20,20,1704067321000,true"
    reversed_ids = "9,99.0,1,22,21,1704067321000,true"
    next_day = "10,99.0,1,22,22,1704153600000,true"
    content = read_all(text_file(NAME, *LINES, late, nothing, reversed_ids, next_day), VENUE)
    assert content.rejects[["line", "reason"]].to_numpy().tolist() == [
        [5, "comes after trades of a later bar"],
        [6, "price and quantity must be positive"],
        [7, "its last trade comes before its first"],
        [8, "not in the time of the file's name"],
    ]
    assert "4 trades were set aside, their bars are without them" in content.notes


@pytest.mark.parametrize("name", ["trades.csv", "BTCUSDT-aggTrades-2024-13.csv"])
def test_the_name_must_say_symbol_and_time(name: str) -> None:
    with pytest.raises(DataError, match="Name it like BTCUSDT-aggTrades"):
        read_all(text_file(name, HEADER, *LINES), VENUE)
