"""Recorded streams: books at the end of seconds, quotes at their times, bars that are whole."""

import json
from typing import Any

import pandas as pd
import pytest

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.layouts import binance_stream
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import (
    Content,
    MemoryFile,
    crypto_venue,
    read_all,
    text_file,
)
from quant_assets_tests.adapters.real_files import real_file

VENUE = crypto_venue(bar_length="1m")
SPOT = crypto_venue("crypto_spot", bar_length="1m")
START = 1704067200000  # 2024-01-01 00:00 UTC


def message(data: dict[str, Any], stream: str = "btcusdt@x") -> str:
    body = data if "lastUpdateId" in data else {"stream": stream, "data": {"s": "BTCUSDT"} | data}
    return f"1704067200030314667 {json.dumps(body, separators=(',', ':'))}"


def snapshot(last: int, *, bids: list[list[str]], asks: list[list[str]]) -> str:
    return message({"lastUpdateId": last, "bids": bids, "asks": asks})


def depth(ms: int, first: int, last: int, previous: int, bid: str) -> str:
    data = {"e": "depthUpdate", "E": START, "T": START + ms, "U": first, "u": last, "pu": previous}
    return message(data | {"b": [["99.0", bid]], "a": []})


def ticker(ms: int, quantity: str) -> str:
    data = {"e": "bookTicker", "u": 1, "b": "99.0", "B": quantity, "a": "101.0", "A": "1"}
    return message(data | {"T": START + ms, "E": START + ms})


def trade(ms: int, number: int, price: str, **changes: Any) -> str:
    data = {"e": "trade", "T": START + ms, "t": number, "p": price, "q": "0.5", "X": "MARKET"}
    return message(data | changes)


BOOK = snapshot(10, bids=[["99.0", "1"], ["98.0", "2"]], asks=[["101.0", "3"]])


def read(*lines: str, venue: Any = VENUE) -> Content:
    return read_all(text_file("recording", *lines), venue)


def test_the_book_stands_at_the_end_of_every_second_in_which_it_changed() -> None:
    content = read(
        depth(100, 5, 9, 4, "7"),  # before the snapshot, and no part of it
        depth(200, 10, 12, 9, "4"),
        BOOK,
        depth(900, 13, 14, 12, "5"),
        depth(1000, 15, 16, 14, "6"),
        depth(1001, 17, 18, 16, "8"),
        depth(5200, 19, 20, 18, "9"),
        depth(6500, 21, 22, 20, "3"),
    )
    book = content.frames["order_book"]
    best = book[book["level"] == 0]
    assert ((best["ts"] - pd.Timestamp("2024-01-01", tz="UTC")).dt.total_seconds()).tolist() == [
        1.0,
        2.0,
        6.0,
    ]
    assert best["bid_quantity"].tolist() == [6.0, 8.0, 9.0]
    assert best["line"].tolist() == [6, 7, 8]
    second = book[book["level"] == 1]
    assert second["bid_price"].tolist() == [98.0] * 3
    assert second["ask_price"].isna().all()


def test_a_gap_in_the_updates_ends_the_book_until_the_next_snapshot() -> None:
    content = read(
        BOOK,
        depth(100, 10, 12, 9, "4"),
        depth(1100, 20, 22, 19, "5"),
        depth(2100, 23, 24, 22, "6"),
        snapshot(24, bids=[["99.0", "1"]], asks=[]),
        depth(3100, 25, 26, 24, "7"),
        depth(4100, 27, 28, 26, "8"),
    )
    book = content.frames["order_book"]
    assert book["ts"].dt.second.unique().tolist() == [1, 4]
    assert "1 gaps in the updates of the book, at line 3" in content.notes


def test_quotes_stand_at_their_times_and_books_come_before_them() -> None:
    content = read(
        BOOK,
        ticker(5, "1"),
        ticker(5, "2"),
        depth(100, 10, 12, 9, "4"),
        ticker(1000, "6"),
        depth(1001, 13, 14, 12, "5"),
        ticker(1000, "9"),
    )
    book = content.frames["order_book"]
    assert book[book["level"] == 0]["bid_quantity"].tolist() == [2.0, 4.0]
    assert book["ts"].is_monotonic_increasing
    assert "3 quotes share their millisecond with a later one or with a book" in content.notes


def test_a_quote_without_a_time_of_the_exchange_is_left_out() -> None:
    quote = message({"u": 1, "b": "99.0", "B": "1", "a": "101.0", "A": "1"})
    content = read(trade(0, 1, "100"), quote, venue=SPOT)
    assert len(content.frames["order_book"]) == 0
    assert any("no time of the exchange" in note for note in content.notes)


def test_only_bars_that_were_recorded_wholly_are_given() -> None:
    content = read(
        trade(30_000, 1, "100"),
        trade(60_000, 2, "101"),
        trade(119_999, 4, "103"),
        trade(119_999, 5, "0", X="NA"),
        trade(120_000, 6, "102"),
    )
    bars = content.frames["bars"]
    assert bars["ts"].tolist() == [pd.Timestamp("2024-01-01 00:01", tz="UTC")]
    assert bars.loc[0, ["open", "high", "low", "close", "volume"]].tolist() == [
        *(101.0, 103.0, 101.0, 103.0),
        1.0,
    ]
    assert content.notes == [
        "2 bars were recorded in part and left out",
        "1 trades are missing by their ids",
        "1 trades were not made on the book (insurance fund and the like)",
    ]


@pytest.mark.slow
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [BOOK]
    for n in range(400):
        lines.append(depth(n * 333, n + 11, n + 11, n + 10, str(n)))
        lines.append(ticker(n * 333 + 1, str(n)))
        lines.append(trade(n * 333, n, "100"))
    once = read(*lines)
    monkeypatch.setattr(binance_stream, "_BATCH_LINES", 50)
    batched = read(*lines)
    for dataset, frame in once.frames.items():
        pd.testing.assert_frame_equal(batched.frames[dataset], frame)
    assert len(once.frames["bars"]) == 2


def test_lines_that_are_no_message_are_set_aside() -> None:
    lines = [
        "1704067200030314667 {",
        "x {}",
        message({"e": "trade", "T": 17, "t": 1, "p": "1", "q": "1"}),
        message({"e": "trade", "T": START, "t": 1, "p": "nan", "q": "1"}),
        message({"e": "trade", "T": START, "t": 1, "p": 1.5, "q": "1"}),
        message({"e": "trade", "s": "ETHUSDT", "T": START, "t": 1, "p": "1", "q": "1"}),
        trade(3_700_000, 3, "1"),
        '1704067200030314667 {"data":' + "[" * 100_000,
        "1704067200030314667 []",
    ]
    content = read(trade(0, 1, "100"), *lines, "", message({"e": "kline"}))
    assert content.rejects["line"].tolist() == list(range(2, 11))
    assert "1 kline messages are not read" in content.notes


def test_a_recording_without_a_message_or_of_another_market_is_refused() -> None:
    with pytest.raises(DataError, match="not one message"):
        read(trade(0, -1, "100"))
    with pytest.raises(DataError, match="line 1 is of a derivatives market"):
        read(depth(1, 1, 2, 0, "1"), venue=SPOT)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_stream, "_MAX_LINE", 1000)
    with pytest.raises(DataError, match="a line of more than 1,000 bytes"):
        read_all(MemoryFile("x", trade(0, 1, "1").encode() + b" " * 2000), VENUE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("market", "books", "bars"), [("usdm", 345, 5), ("spot", 346, 5)], ids=["usdm", "spot"]
)
def test_real_recordings(market: str, books: int, bars: int) -> None:
    path = real_file(f"binance/raw/stream_2024-08-08/{market}/btcusdt_20240808.gz")
    (opened,) = open_source(path)
    content = read_all(opened, VENUE if market == "usdm" else SPOT)
    book = content.frames["order_book"]
    assert (book["level"] == 19).sum() == books
    assert len(content.frames["bars"]) == bars
    assert not content.rejects.size
    assert not any("gaps" in note or "missing" in note for note in content.notes)
    best = book[book["level"] == 0]
    assert (best["bid_price"] < best["ask_price"]).all()


def forced(ms: int, symbol: str = "BTCUSDT", **changes: Any) -> str:
    order = {"s": symbol, "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "0.5", "p": "100.0"}
    order |= {"ap": "99.5", "X": "FILLED", "l": "0.1", "z": "0.5", "T": START + ms}
    return message({"e": "forceOrder", "E": START + ms, "o": order | changes}, "x@forceOrder")


def test_forced_orders_are_liquidations_of_their_own_instruments() -> None:
    """4 contracts of 100 USD at 50,000 USD are 0.008 BTC."""
    content = read(
        trade(10, 1, "100"),
        forced(20),
        forced(30, "ETHUSDT", S="BUY", ap="0"),
        forced(40, "BTCUSD_PERP", z="4", ap="50000"),
        forced(50, S="HOLD"),
        forced(60, "?"),
    )
    events = content.frames["liquidations"]
    assert events["symbol"].tolist() == ["BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USD:BTC"]
    assert events["side"].tolist() == ["sell", "buy", "sell"]
    assert events["price"].tolist() == [99.5, 100.0, 50000.0]
    assert events["quantity"].tolist() == [0.5, 0.5, 0.008]
    assert events["ts"][0] == pd.Timestamp(START + 20, unit="ms", tz="UTC")
    assert events["line"].tolist() == [2, 3, 4]
    assert content.rejects["line"].tolist() == [5, 6]
    assert not any("forceOrder" in note for note in content.notes)


def test_a_recording_of_forced_orders_alone_is_read() -> None:
    content = read(forced(20), forced(30))
    assert len(content.frames["liquidations"]) == 2
    assert content.frames["bars"].empty
