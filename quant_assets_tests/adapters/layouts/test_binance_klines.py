"""Klines of Binance: with and without names, in ms and us, linear and coin-margined."""

import pandas as pd
import pytest

from quant_assets.adapters.files.opening import open_source
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import (
    MemoryFile,
    crypto_venue,
    read_all,
    text_file,
)
from quant_assets_tests.adapters.real_files import real_file

PERPETUAL = crypto_venue(bar_length="1m")
SPOT = crypto_venue("crypto_spot", bar_length="1m")
NAME = "BTCUSDT-1m-2024-01.csv"
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
LINES = (
    "1704067200000,100.5,102,99,101.25,7,1704067259999,705.5,12,3,300,0",
    "1704067260000,101.25,103,101,102,8,1704067319999,816,13,4,400,0",
)
MICROSECONDS = "1735689600000000,1,2,0.5,1.5,7,1735689659999999,10.5,12,3,4,0"


def test_names_or_none_give_the_same_bars() -> None:
    named = read_all(text_file(NAME, HEADER, *LINES), PERPETUAL).frames["bars"]
    bare = read_all(text_file(NAME, *LINES), PERPETUAL).frames["bars"]
    assert named["line"].tolist() == [2, 3]
    assert bare["line"].tolist() == [1, 2]
    pd.testing.assert_frame_equal(named.drop(columns="line"), bare.drop(columns="line"))
    assert bare.iloc[0].drop("line").to_dict() == {
        "ts": pd.Timestamp("2024-01-01 00:00", tz="UTC"),
        "symbol": "BTC/USDT:USDT",
        "closes_at": pd.Timestamp("2024-01-01 00:01", tz="UTC"),
        "open": 100.5,
        "high": 102.0,
        "low": 99.0,
        "close": 101.25,
        "volume": 7.0,
        "trades": 12,
        "quote_volume": 705.5,
    }


def test_microseconds_of_spot_since_2025() -> None:
    bars = read_all(text_file("BTCUSDT-1m-2025-01-01.csv", MICROSECONDS), SPOT).frames["bars"]
    assert bars["symbol"].tolist() == ["BTC/USDT"]
    assert bars["ts"].tolist() == [pd.Timestamp("2025-01-01 00:00", tz="UTC")]
    assert bars["closes_at"].tolist() == [pd.Timestamp("2025-01-01 00:01", tz="UTC")]


def test_the_base_volume_of_a_coin_margined_contract_is_not_its_contracts() -> None:
    line = "1704067200000,42000,42100,41900,42050,420,1704067259999,1.0,12,3,0.5,0"
    content = read_all(text_file("BTCUSD_PERP-1m-2024-01.csv", line), PERPETUAL)
    bars = content.frames["bars"]
    assert bars["symbol"].tolist() == ["BTC/USD:BTC"]
    assert bars["volume"].tolist() == [1.0]
    assert "quote_volume" not in bars


def test_bars_of_a_mark_price_are_set_aside() -> None:
    line = "1704067200000,1,2,0.5,1.5,0,1704067259999,0,12,0,0,0"
    content = read_all(text_file(NAME, LINES[0], line), PERPETUAL)
    assert len(content.frames["bars"]) == 1
    assert content.rejects[["line", "symbol", "reason"]].to_numpy().tolist() == [
        [2, "BTC/USDT:USDT", "trades without volume: a kline of a mark or index price"]
    ]


def test_doubtful_lines_are_set_aside_with_line_and_reason() -> None:
    decimal_comma = LINES[1].replace("103", '"10,3"')
    seconds = LINES[1].replace("1704067260000", "1704067260")
    content = read_all(text_file(NAME, LINES[0], decimal_comma, seconds, "1,2"), PERPETUAL)
    assert len(content.frames["bars"]) == 1
    assert content.rejects["line"].tolist() == [2, 3, 4]
    assert "high is not a number" in content.rejects["reason"][0]
    assert "13 digits (ms) or 16 digits (us)" in content.rejects["reason"][1]
    assert content.rejects["reason"][2] == "2 cells instead of 12"


def test_an_added_column_is_noted_and_a_lost_one_refused() -> None:
    added = read_all(text_file(NAME, f"{HEADER},new", f"{LINES[0]},1"), PERPETUAL)
    assert added.notes == ["column new is new and was not read"]
    lost = text_file(NAME, HEADER.replace("close_time", "closing"), LINES[0])
    with pytest.raises(DataError, match="Missing: close_time"):
        read_all(lost, PERPETUAL)


REFUSED = {
    "no symbol": (text_file("klines.csv", *LINES), "'klines' is not a base"),
    "another step": (text_file("BTCUSDT-5m-2024-01.csv", *LINES), "bars of 5m"),
    "names only": (text_file(NAME, HEADER), "no data"),
    "percent": (text_file(NAME, LINES[0].replace("102", "102%")), "column high.*'102%'"),
    "cut in the middle": (MemoryFile(NAME, HEADER.encode() + b"\n17040672"), "not one line has"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_kline_file_is_refused(kind: str) -> None:
    file, message = REFUSED[kind]
    with pytest.raises(DataError, match=message):
        read_all(file, PERPETUAL)


def test_real_files_as_crawled() -> None:
    path = real_file("binance/universe_usdm/raw/1d/NEIROUSDT.csv")
    (opened,) = open_source(path)
    bars = read_all(opened, crypto_venue(bar_length="1d")).frames["bars"]
    assert len(bars) == 550
    assert set(bars["symbol"]) == {"NEIRO/USDT:USDT"}
    assert set(bars["closes_at"] - bars["ts"]) == {pd.Timedelta("1D")}
    assert bars["volume"].sum() == pd.read_csv(path)["volume"].sum()
