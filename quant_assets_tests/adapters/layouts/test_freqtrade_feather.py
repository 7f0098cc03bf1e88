"""Feather files of freqtrade, made here and real ones."""

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather

from quant_assets.adapters.files.opening import open_source
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import MemoryFile, crypto_venue, read_all
from quant_assets_tests.adapters.real_files import real_file

VENUE = crypto_venue()
DATES = pd.to_datetime(["2025-03-06 10:30:00.000", "2025-03-06 10:35:00.003"], utc=True)


def candles(**changes: object) -> pd.DataFrame:
    columns: dict[str, object] = {
        "date": DATES,
        "open": [1.5, 2.0],
        "high": [3.0, 3.0],
        "low": [1.0, 1.0],
        "close": [2.0, 2.5],
        "volume": [10.0, 20.0],
    }
    return pd.DataFrame(columns | changes)


def feather_file(name: str, frame: pd.DataFrame) -> MemoryFile:
    buffer = io.BytesIO()
    table = pa.Table.from_pandas(frame).replace_schema_metadata(None)
    feather.write_feather(table, buffer, compression="lz4")
    return MemoryFile(name, buffer.getvalue())


def test_futures_are_bars_that_close_a_step_later() -> None:
    content = read_all(feather_file("BTC_USDT_USDT-5m-futures.feather", candles()), VENUE)
    bars = content.frames["bars"]
    assert content.layout == "freqtrade_feather"
    assert bars["symbol"].tolist() == ["BTC/USDT:USDT"] * 2
    assert bars["ts"].tolist() == list(DATES)
    assert (bars["closes_at"] - bars["ts"]).tolist() == [pd.Timedelta("5min")] * 2
    assert bars["close"].tolist() == [2.0, 2.5]
    assert bars["line"].tolist() == [1, 2]


def test_the_open_of_funding_is_the_rate_and_of_mark_the_mark_price() -> None:
    funding = read_all(feather_file("BTC_USDT_USDT-8h-funding_rate.feather", candles()), VENUE)
    assert funding.frames["funding"]["rate"].tolist() == [1.5, 2.0]
    assert funding.frames["funding"]["ts"].tolist() == list(DATES)
    marks = read_all(feather_file("ETH_USDC_USDC-1h-mark.feather", candles()), VENUE)
    assert marks.frames["marks"]["mark_price"].tolist() == [1.5, 2.0]
    assert set(marks.frames["marks"]["symbol"]) == {"ETH/USDC:USDC"}


def test_spot_has_no_settlement_currency() -> None:
    content = read_all(feather_file("dir/BTC_USDT-5m.feather", candles()), VENUE)
    assert set(content.frames["bars"]["symbol"]) == {"BTC/USDT"}


def test_an_added_column_is_noted() -> None:
    content = read_all(feather_file("BTC_USDT-5m.feather", candles(vwap=[1.0, 2.0])), VENUE)
    assert content.notes == ["column vwap is new and was not read"]


REFUSED = {
    "another name": (feather_file("btc.feather", candles()), "Name it like BTC_USDT_USDT-5m"),
    "another step": (feather_file("BTC_USDT-1h.feather", candles()), "bars of 1h"),
    "no zone": (
        feather_file("BTC_USDT-5m.feather", candles(date=DATES.tz_localize(None))),
        "column date is timestamp.*UTC is expected",
    ),
    "texts": (
        feather_file("BTC_USDT-5m.feather", candles(close=["2,0", "2,5"])),
        "column close is .*string, numbers are expected",
    ),
    "no rows": (feather_file("BTC_USDT-5m.feather", candles().iloc[:0]), "no rows"),
    "too many columns": (
        feather_file("BTC_USDT-5m.feather", candles(**{f"c{n}": 1.0 for n in range(510)})),
        "more than 512",
    ),
    "renamed": (
        feather_file("BTC_USDT-5m.feather", candles().rename(columns={"close": "last"})),
        "Nearest is freqtrade_feather.*Missing: close. Not expected: last",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_changed_is_refused(kind: str) -> None:
    file, message = REFUSED[kind]
    with pytest.raises(DataError, match=message):
        read_all(file, VENUE)


def test_a_file_that_was_cut_off_is_refused() -> None:
    whole = feather_file("BTC_USDT-5m.feather", candles())
    for size in (len(whole.content) - 1, len(whole.content) // 2):
        with pytest.raises(DataError, match=r"cut off|no known layout"):
            read_all(MemoryFile(whole.name, whole.content[:size]), VENUE)


@pytest.mark.parametrize(
    ("file", "dataset", "rows", "symbol"),
    [
        ("freqtrade_2025h1/futures/BTC_USDT_USDT-5m-futures", "bars", 10_906, "BTC/USDT:USDT"),
        ("freqtrade_2025h1/futures/BTC_USDT_USDT-8h-funding_rate", "funding", 266, "BTC/USDT:USDT"),
        ("freqtrade_2025h1/futures/BTC_USDT_USDT-8h-mark", "marks", 266, "BTC/USDT:USDT"),
        ("freqtrade_2026/spot/ETH_USDT-5m", "bars", 8_794, "ETH/USDT"),
    ],
)
def test_real_files(file: str, dataset: str, rows: int, symbol: str) -> None:
    path: Path = real_file(f"binance/raw/{file}.feather")
    (opened,) = open_source(path)
    content = read_all(opened, VENUE)
    frame = content.frames[dataset]
    assert len(frame) == rows
    assert set(frame["symbol"]) == {symbol}
    expected = pd.read_feather(path)
    name = {"bars": "open", "funding": "rate", "marks": "mark_price"}[dataset]
    assert frame[name].tolist() == expected["open"].tolist()
    assert frame["ts"].tolist() == expected["date"].tolist()
