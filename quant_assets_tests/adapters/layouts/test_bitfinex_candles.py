"""Candles of Bitfinex: the close comes before the high."""

import json

import pandas as pd
import pytest

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.layouts import bitfinex_candles
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import MemoryFile, crypto_venue, read_all
from quant_assets_tests.adapters.real_files import real_file

VENUE = crypto_venue("crypto_spot", currency="USD", bar_length="1m")
CANDLES = [
    [1368976980000, 3.1, 3.3, 3.4, 3.0, 10],
    [1368980160000, 3.2, 3.2, 3.2, 3.2, 1.5],
    [1368980220000, 3.2, None, 3.2, 3.2, 1e-7],
]


def candles(text: str, name: str = "LTCUSD-1m.json") -> MemoryFile:
    return MemoryFile(name, text.encode())


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunk", [1 << 20, 7, 1])
def test_the_close_comes_before_the_high(
    indent: int | None, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bitfinex_candles, "_CHUNK", chunk)
    content = read_all(candles(json.dumps(CANDLES, indent=indent)), VENUE)
    bars = content.frames["bars"]
    assert content.layout == "bitfinex_candles"
    assert set(bars["symbol"]) == {"LTC/USD"}
    assert bars["ts"][0] == pd.Timestamp("2013-05-19 15:23", tz="UTC")
    assert bars.loc[0, ["open", "high", "low", "close"]].tolist() == [3.1, 3.4, 3.0, 3.3]
    assert bars["close"].isna().tolist() == [False, False, True]
    assert bars["volume"].tolist() == [10.0, 1.5, 1e-7]
    assert bars["line"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["LTCUSD/1m/2013.json", "tLTCUSD_1m.json", "in/x/LTC:USD.json"])
def test_the_pair_may_be_in_a_folder_of_the_name(name: str) -> None:
    bars = read_all(candles(json.dumps(CANDLES), name), VENUE).frames["bars"]
    assert set(bars["symbol"]) == {"LTC/USD"}


def test_a_candle_that_is_none_is_set_aside() -> None:
    content = read_all(candles(json.dumps([*CANDLES, [1368980280000, "3,2"], ["x"] * 6])), VENUE)
    assert content.rejects["line"].tolist() == [4, 5]


REFUSED = {
    "cut off": (candles(json.dumps(CANDLES)[:-1]), "do not close: cut off"),
    "no pair": (candles(json.dumps(CANDLES), "merged.json"), "Name the file like LTCUSD"),
    "an answer that is an error": (candles('["error",11010,"ratelimit: error"]'), "no known"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_array_is_refused(kind: str) -> None:
    file, message = REFUSED[kind]
    with pytest.raises(DataError, match=message):
        read_all(file, VENUE)


def test_a_real_file() -> None:
    relative = "bitfinex/raw/LTCUSD/Candles_1m/2013/merged.json.gz"
    path = real_file(relative)
    (opened,) = open_source(path, name=relative)
    bars = read_all(opened, VENUE).frames["bars"]
    assert len(bars) == 18_645
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
