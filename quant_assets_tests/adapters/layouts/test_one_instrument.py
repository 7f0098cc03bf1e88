"""Files that are named after their instrument: plain bars, Yahoo's export, a broker's bars."""

from pathlib import Path

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets_tests.adapters.tabular.table_files import (
    Folder,
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

STOCKS = venue_of("equity")
YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2016-06-28,1.0,2.0,0.5,1.5,1.4,100
2016-06-29,null,null,null,null,null,null
2016-06-30,1.0,2.0,0.5,1.5,1.4,null
"""
BROKER = """Date,open,high,low,close,tick_volume
2012-11-16 05:00:00,158611.0,158618.00000000003,158572.0,158599.0,1032
2012-11-16 06:00:00,158611.0,158618.5,158572.0,158599.0,7
"""


def test_plain_bars_are_those_of_the_files_name(tmp_path: Path):
    text = "timestamp_utc,open,high,low,close,volume\n2024-01-01 23:01:00,1,2,0.5,1.5,205\n"
    path = Folder(tmp_path).text("6EH4.XCME_1min_bars_20240101_20240131.csv.gz", text)
    names, raws = read_path(path, venue_of("future", bar_length="1m"))
    row = rows_of(raws, "bars").iloc[0]
    assert names == ["tidy_one_symbol"]
    assert row["symbol"] == "6EH4.XCME"
    assert str(row["ts"]) == "2024-01-01 23:01:00+00:00"
    assert row[["open", "high", "low", "close", "volume"]].tolist() == [1.0, 2.0, 0.5, 1.5, 205.0]


def test_bars_without_volume_have_none(tmp_path: Path):
    text = "DATE,OPEN,HIGH,LOW,CLOSE\n1990-01-02,17.24,17.24,17.24,17.24\n"
    rows = rows_of(read_path(Folder(tmp_path).text("vix-daily.csv", text), STOCKS)[1], "bars")
    assert rows["symbol"].tolist() == ["vix"]
    assert rows["volume"].isna().all()


def test_a_crypto_file_must_be_named_after_a_pair(tmp_path: Path):
    text = "timestamp,open,high,low,close,volume\n2024-01-01 23:00:00+00:00,1,2,0.5,1.5,205\n"
    folder, venue = Folder(tmp_path), venue_of("crypto_perpetual")
    rows = rows_of(read_path(folder.text("BTCUSDT_1h.csv", text), venue)[1], "bars")
    assert rows["symbol"].tolist() == ["BTC/USDT:USDT"]
    with pytest.raises(DataError, match=r"'bitcoin_prices' is no pair.*BTCUSDT\.csv"):
        read_path(folder.text("bitcoin_prices.csv", text), venue)


def test_yahoo_bars_have_utc_midnights_and_the_adjusted_close(tmp_path: Path):
    names, raws = read_path(Folder(tmp_path).text("BRK-A.csv.gz", YAHOO), STOCKS)
    rows = rows_of(raws, "bars")
    assert names == ["yahoo_csv"]
    assert rows[["symbol", "close", "adjusted_close", "volume"]].to_numpy().tolist() == [
        ["BRK-A", 1.5, 1.4, 100.0]
    ]
    assert str(rows["ts"].iloc[0]) == "2016-06-28 00:00:00+00:00"


def test_days_that_yahoo_has_not_are_set_aside_with_their_lines(tmp_path: Path):
    _, raws = read_path(Folder(tmp_path).text("PTR.csv", YAHOO), STOCKS)
    assert rejects_of(raws) == [
        (3, "the source has null for this day"),
        (4, "Volume is not a number with a decimal point: 'null'"),
    ]


def test_american_dates_are_refused_with_a_sample(tmp_path: Path):
    text = YAHOO.replace("2016-06-28", "6/28/2016").partition("2016-06-29")[0]
    with pytest.raises(DataError, match=r"PTR\.csv: column Date.*line 2 has '6/28/2016'"):
        read_path(Folder(tmp_path).text("PTR.csv", text), STOCKS)


def test_broker_prices_are_whole_numbers_divided_by_the_declared_scale(tmp_path: Path):
    venue = venue_of("fx", {"scale": 100000}, time_zone="Europe/Athens")  # UTC+2 in November
    names, raws = read_path(Folder(tmp_path).text("GBPUSDh1.csv", BROKER), venue)
    rows = rows_of(raws, "bars")
    assert names == ["broker_bars"]
    assert rows["symbol"].tolist() == ["GBPUSD"]
    assert rows[["open", "high", "low", "close"]].to_numpy().tolist() == [
        [1.58611, 1.58618, 1.58572, 1.58599]
    ]
    assert np.isnan(rows["volume"].iloc[0])
    assert str(rows["ts"].iloc[0]) == "2012-11-16 03:00:00+00:00"
    assert rejects_of(raws) == [(3, "high is no whole number of 1/100000")]
    assert notes_of(raws) == ["column 'tick_volume' counts quotes: there is no volume"]


def test_broker_prices_may_have_a_scale_by_symbol(tmp_path: Path):
    text = "Date,open,high,low,close,tick_volume\n2020-01-02,108765,108800,108700,108750,7\n"
    venue = venue_of("fx", {"scale": {"USDJPY": 1000, "default": 100000}}, bar_length="1d")
    folder = Folder(tmp_path)
    for name, opened in (("USDJPYd1.csv", 108.765), ("EURUSDd1.csv", 1.08765)):
        _, raws = read_path(folder.text(name, text), venue)
        assert rows_of(raws, "bars")["open"].tolist() == [opened]
    with pytest.raises(DataError, match=r"EURUSDd1\.csv: .*provider\.settings\.scale\.default"):
        read_path(
            tmp_path / "EURUSDd1.csv", venue_of("fx", {"scale": {"USDJPY": 1000}}, bar_length="1d")
        )
    with pytest.raises(ConfigError, match=r"settings\.scale\.USDJPY: 0 is no number above 0"):
        read_path(
            tmp_path / "USDJPYd1.csv", venue_of("fx", {"scale": {"USDJPY": 0}}, bar_length="1d")
        )


def test_broker_prices_without_a_declared_scale_are_refused(tmp_path: Path):
    path = Folder(tmp_path).text("GBPUSDh1.csv", BROKER)
    with pytest.raises(DataError, match=r"GBPUSDh1\.csv: .*provider\.settings\.scale"):
        read_path(path, venue_of("fx"))
    with pytest.raises(ConfigError, match=r"provider\.settings\.scale: '1e5' is no number"):
        read_path(path, venue_of("fx", {"scale": "1e5"}))


def test_broker_days_are_refused_by_a_venue_of_hours(tmp_path: Path):
    text = "Date,open,high,low,close,tick_volume\n2012-11-16,158611,158618,158572,158599,1032\n"
    with pytest.raises(DataError, match=r"line 2: 2012-11-16 is a date without a time"):
        read_path(Folder(tmp_path).text("GBPUSDd1.csv", text), venue_of("fx", {"scale": 1e5}))
