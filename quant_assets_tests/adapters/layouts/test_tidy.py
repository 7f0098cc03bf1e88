"""Tables in long form: bars, funding, open interest, liquidations."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.tabular.table_files import (
    Folder,
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

PERP = venue_of("crypto_perpetual")
STOCKS = venue_of("equity")
BARS = """Date,Ticker,Open,High,Low,Close,Volume,Adj Close,Note
2024-01-31,NA,1,2,0.5,1.5,100,1.4,x
2024-01-31,TRUE,1e1,2e1,.5,15,,14,y
2024-01-31,1INCH,"1,5",2,0.5,1.5,100,1.4,z
"""


def test_bars_are_read_with_their_lines_and_what_cannot_be_a_number_is_set_aside(tmp_path: Path):
    names, raws = read_path(Folder(tmp_path).text("a.csv.gz", BARS), STOCKS)
    rows = rows_of(raws, "bars")
    assert names == ["tidy_bars"]
    assert rows["symbol"].tolist() == ["NA", "TRUE"]
    assert rows["open"].tolist() == [1.0, 10.0]
    np.testing.assert_array_equal(rows["volume"], [100.0, np.nan])
    assert rows["adjusted_close"].tolist() == [1.4, 14.0]
    assert rows["line"].tolist() == [2, 3]
    assert rows["ts"].astype("str").unique().tolist() == ["2024-01-31 00:00:00+00:00"]
    assert rejects_of(raws) == [(4, "Open is not a number with a decimal point: '1,5'")]
    assert notes_of(raws) == ["column 'Note' was not read"]


def test_the_same_bars_in_parquet_are_the_same_rows(tmp_path: Path):
    table = {
        "ts": pa.array([datetime(2024, 1, 31, 8, tzinfo=UTC)] * 2),
        "symbol": ["BTCUSDT", "BTC/USDT:USDT"],
        **{name: [1.0, 2.0] for name in ("open", "high", "low", "close", "volume")},
        "trades": [3, 4],
    }
    names, raws = read_path(Folder(tmp_path).parquet("a.parquet", table), PERP)
    rows = rows_of(raws, "bars")
    assert names == ["tidy_bars"]
    assert rows["symbol"].tolist() == ["BTC/USDT:USDT"] * 2
    assert rows["trades"].tolist() == [3.0, 4.0]
    assert rows["line"].tolist() == [1, 2]


def test_closes_alone_are_bars_but_a_part_of_the_prices_is_refused(tmp_path: Path):
    folder = Folder(tmp_path)
    _, raws = read_path(folder.text("a.csv", "date,symbol,close\n2024-01-31,A,1\n"), STOCKS)
    assert rows_of(raws, "bars")[["open", "high", "low", "volume"]].isna().all(axis=None)
    with pytest.raises(DataError, match=r"b\.csv: no column high, low;.*date, symbol, open, close"):
        read_path(folder.text("b.csv", "date,symbol,open,close\n2024-01-31,A,1,1\n"), STOCKS)


def test_a_vintage_is_known_at_the_end_of_its_day(tmp_path: Path):
    text = "date,symbol,close,file_date\n2015-03-23,A,1,20150324\n2015-03-23,B,1,\n"
    rows = rows_of(read_path(Folder(tmp_path).text("a.csv", text), STOCKS)[1], "bars")
    assert str(rows["collected_at"].iloc[0]) == "2015-03-25 00:00:00+00:00"
    assert rows["collected_at"].isna().tolist() == [False, True]


def test_bases_are_unified_with_the_venues_currency_and_strange_words_set_aside(tmp_path: Path):
    text = "ts,coin,close\n" + "".join(
        f"2024-01-31T08:00Z,{word},1\n" for word in ("BTC", "WBTC", "Hello World")
    )
    _, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    assert rows_of(raws, "bars")["symbol"].tolist() == ["BTC/USDT:USDT", "WBTC/USDT:USDT"]
    assert rejects_of(raws) == [(4, "coin is neither a pair nor a base currency")]


def test_a_strange_word_in_parquet_is_set_aside_with_its_row(tmp_path: Path):
    table = {
        "ts": pa.array([datetime(2024, 1, 31, 8, tzinfo=UTC)] * 2),
        "symbol": ["BTCUSDT", "Hello World"],
        "funding_rate": [0.1, 0.2],
    }
    _, raws = read_path(Folder(tmp_path).parquet("a.parquet", table), PERP)
    assert len(rows_of(raws, "funding")) == 1
    assert raws[0].rejects is not None
    assert raws[0].rejects.iloc[0].tolist() == [
        2,
        "Hello World",
        "symbol is neither a pair nor a base currency",
        "2024-01-31 08:00:00+00:00,Hello World,0.2",
    ]


def test_volume_of_an_inverse_contract_is_left_out(tmp_path: Path):
    text = "ts,symbol,close,volume\n2024-01-31T08:00Z,BTC/USD:BTC,1,5\n"
    text += "2024-01-31T08:00Z,BTC/USDT:USDT,1,6\n"
    _, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    np.testing.assert_array_equal(rows_of(raws, "bars")["volume"], [np.nan, 6.0])
    assert "inverse contracts" in notes_of(raws)[0]


def test_funding_keeps_exact_times_and_the_mark_price(tmp_path: Path):
    text = "ts,symbol,funding_rate,mark_price\n2024-01-31T08:00:00.015Z,BTCUSDT,-0.0001,42000\n"
    text += "2024-01-31T16:00:00Z,BTCUSDT,0.0001,\n"
    names, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    rows = rows_of(raws, "funding")
    assert names == ["tidy_funding"]
    assert str(rows["ts"].iloc[0]) == "2024-01-31 08:00:00.015000+00:00"
    assert rows["rate"].tolist() == [-0.0001, 0.0001]
    np.testing.assert_array_equal(rows["mark_price"], [42000.0, np.nan])


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("sum_open_interest,sum_open_interest_value", "5,100", (5.0, 100.0, "base")),
        ("open_interest,unit", "5,contracts", (5.0, np.nan, "contracts")),
        ("oi_usd", "100", (100.0, 100.0, "quote")),
    ],
)
def test_open_interest_says_what_it_counts(
    tmp_path: Path, header: str, cells: str, expected: tuple
):
    text = f"ts,symbol,{header}\n2024-01-31T08:00Z,BTCUSDT,{cells}\n"
    names, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    row = rows_of(raws, "open_interest").iloc[0]
    assert names == ["tidy_open_interest"]
    np.testing.assert_array_equal(
        [row["open_interest"], row["open_interest_value"]], list(expected[:2])
    )
    assert row["unit"] == expected[2]


def test_open_interest_that_does_not_say_what_it_counts_is_refused(tmp_path: Path):
    text = "ts,symbol,open_interest\n2024-01-31T08:00Z,BTCUSDT,5\n"
    with pytest.raises(DataError, match=r"a\.csv: column open_interest.*column unit"):
        read_path(Folder(tmp_path).text("a.csv", text), PERP)


def test_liquidations_take_the_average_price_and_the_filled_quantity(tmp_path: Path):
    text = (
        "ts,symbol,side,price,average_price,original_quantity,accumulated_filled_quantity\n"
        "2024-01-31T08:00:00.123Z,BTC,SELL,42000,41990,2,1.5\n"
        "2024-01-31T08:00:01Z,BTC,buy,42000,,2,2\n"
    )
    names, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    rows = rows_of(raws, "liquidations")
    assert names == ["tidy_liquidations"]
    assert rows["side"].tolist() == ["sell", "buy"]
    assert rows["price"].tolist() == [41990.0, 42000.0]
    assert rows["quantity"].tolist() == [1.5, 2.0]
    assert rows["event_id"].tolist() == ["", ""]


def test_trades_are_not_taken_for_liquidations_unless_the_name_says_so(tmp_path: Path):
    text = "ts,symbol,side,price,quantity\n2024-01-31T08:00Z,BTCUSDT,SELL,42000,2\n"
    folder = Folder(tmp_path)
    with pytest.raises(DataError, match="no known layout"):
        read_path(folder.text("a.csv", text), PERP)
    names, _ = read_path(folder.text("liquidations_2024.csv", text), PERP)
    assert names == ["tidy_liquidations"]


def test_sums_of_liquidations_per_day_are_no_events(tmp_path: Path):
    text = "ts,coin,total_usd,liq_count\n2024-01-31T00:00Z,BTC,100,2\n"
    with pytest.raises(DataError, match="no known layout"):
        read_path(Folder(tmp_path).text("liquidation_volume.csv", text), PERP)


def test_a_parquet_file_of_unknown_columns_is_refused_with_their_names(tmp_path: Path):
    path = Folder(tmp_path).parquet("a.parquet", {"coin": ["BTC\r\n"] * 9, "total_usd": [1.0] * 9})
    with pytest.raises(DataError, match=r"a\.parquet: no known.*Its columns are coin, total_usd"):
        read_path(path, PERP)


@pytest.mark.parametrize("cut", [6, -1, 300])
def test_a_parquet_file_that_is_cut_off_is_refused_as_damaged(tmp_path: Path, cut: int):
    folder = Folder(tmp_path)
    whole = folder.parquet("a.parquet", {"ts": [1] * 99, "symbol": ["A"] * 99}).read_bytes()
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read, it is cut off, damaged"):
        read_path(folder.bytes("a.parquet", whole[:cut]), PERP)


CLOSING = "ts,symbol,open,high,low,close,volume,{}\n2024-01-31T08:00:00Z,BTCUSDT,1,1,1,1,1,{}\n"


@pytest.mark.parametrize(
    ("column", "cell", "closes"),
    [
        ("close_time", "2024-01-31T08:59:59.999Z", "2024-01-31 08:59:59.999000+00:00"),
        ("Close Time", "1706691599999", "2024-01-31 08:59:59.999000+00:00"),
        ("closes_at", "1706691600", "2024-01-31 09:00:00+00:00"),
        ("close_time_us", "1706691600000001", "2024-01-31 09:00:00.000001+00:00"),
        ("close_time", "", "NaT"),
    ],
)
def test_close_time_is_when_the_bar_closes(tmp_path: Path, column: str, cell: str, closes: str):
    _, raws = read_path(Folder(tmp_path).text("a.csv", CLOSING.format(column, cell)), PERP)
    assert [str(told) for told in rows_of(raws, "bars")["closes_at"]] == [closes]
    assert notes_of(raws) == []


def test_close_time_in_parquet_is_known_by_its_digits(tmp_path: Path):
    table = {
        "ts": pa.array([datetime(2024, 1, 31, 8, tzinfo=UTC)] * 3),
        "symbol": ["BTCUSDT"] * 3,
        **{name: [1.0] * 3 for name in ("open", "high", "low", "close", "volume")},
        "close_time": pa.array([1706691599999, None, 170669], pa.int64()),
    }
    _, raws = read_path(Folder(tmp_path).parquet("a.parquet", table), PERP)
    told = [str(moment) for moment in rows_of(raws, "bars")["closes_at"]]
    assert told == ["2024-01-31 08:59:59.999000+00:00", "NaT"]
    assert rejects_of(raws) == [(3, "close_time is no time of 10, 13 or 16 digits")]


def test_adjustments_of_coins_are_read_with_their_kinds(tmp_path: Path):
    text = (
        "ts,symbol,kind,price_factor\n"
        "2017-08-01T12:20:00Z,BTCUSDT,Fork,0.9\n"
        "2020-12-12T00:00:00Z,XRPUSDT,airdrop,0.99\n"
        "2020-12-13T00:00:00Z,XRPUSDT,split,x\n"
    )
    names, raws = read_path(Folder(tmp_path).text("a.csv", text), PERP)
    rows = rows_of(raws, "adjustments")
    assert names == ["tidy_adjustments"]
    assert rows["kind"].tolist() == ["fork", "airdrop"]
    assert rows["price_factor"].tolist() == [0.9, 0.99]
    assert rows["symbol"].tolist() == ["BTC/USDT:USDT", "XRP/USDT:USDT"]
    assert rejects_of(raws) == [(4, "price_factor is not a number with a decimal point: 'x'")]
