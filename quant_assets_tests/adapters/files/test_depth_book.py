"""The book follows its differences, and knows when one is missing."""

import gzip
import json
import math
from typing import Any

import numpy as np
import pytest

from quant_assets.adapters.files.depth_book import DepthBook, Difference
from quant_assets_tests.adapters.real_files import real_file

BIDS = [(99.0, 1.0), (98.0, 2.0)]
ASKS = [(101.0, 3.0)]


def change(first: int, last: int, previous: int | None = None) -> Difference:
    """A difference that sets the best bid's quantity to its last id."""
    return Difference(first, last, previous, [(99.0, float(last))], [])


def best_bid(book: DepthBook) -> float:
    return book.top(1)[0][0][1]


def test_what_came_before_the_snapshot_is_caught_up_with() -> None:
    book = DepthBook()
    assert all(book.apply(change(n, n + 1)) for n in (1, 3, 5))
    assert not book.whole
    book.restart(4, BIDS, ASKS)
    assert book.whole
    assert best_bid(book) == 6.0


def test_levels_come_and_go() -> None:
    book = DepthBook()
    book.restart(1, BIDS, ASKS)
    assert book.apply(Difference(2, 2, None, [(99.0, 0.0), (97.0, 5.0)], [(100.5, 1.0)]))
    assert book.top(5) == [((98.0, 2.0), (100.5, 1.0)), ((97.0, 5.0), (101.0, 3.0))]
    assert book.top(1) == [((98.0, 2.0), (100.5, 1.0))]


def test_a_missing_difference_ends_the_book_until_the_next_snapshot() -> None:
    book = DepthBook()
    book.restart(1, BIDS, ASKS)
    assert book.apply(change(2, 3))
    assert not book.apply(change(5, 6))
    assert not book.whole
    assert book.apply(change(7, 8))  # waits
    book.restart(6, BIDS, ASKS)
    assert book.whole
    assert best_bid(book) == 8.0


def test_where_the_exchange_names_the_previous_one_that_decides() -> None:
    book = DepthBook()
    book.restart(10, BIDS, ASKS)
    assert book.apply(change(8, 14, previous=7))
    assert book.apply(change(20, 25, previous=14))  # ids may leap
    assert not book.apply(change(30, 31, previous=26))
    assert not book.whole


def test_an_empty_side_has_no_level() -> None:
    book = DepthBook()
    book.restart(1, BIDS, [])
    (level, _) = book.top(2)
    assert level[0] == (99.0, 1.0)
    assert all(math.isnan(value) for value in level[1])


def numbers(levels: list[list[str]]) -> list[tuple[float, float]]:
    return [(float(price), float(quantity)) for price, quantity in levels]


@pytest.mark.slow
@pytest.mark.parametrize(("market", "updates"), [("usdm", 6_545), ("spot", 3_448)])
def test_the_best_levels_are_those_that_the_exchange_sends_beside(
    market: str, updates: int
) -> None:
    """After each real update the book's top is the last book ticker up to its update id."""
    path = real_file(f"binance/raw/stream_2024-08-08/{market}/btcusdt_20240808.gz")
    book, tops, tickers = DepthBook(), [], []
    for line in gzip.decompress(path.read_bytes()).splitlines():
        message: dict[str, Any] = json.loads(line.partition(b" ")[2])
        data = message.get("data", {})
        if "lastUpdateId" in message:
            last = message["lastUpdateId"]
            book.restart(last, numbers(message["bids"]), numbers(message["asks"]))
        elif data.get("e") == "depthUpdate":
            bids, asks = numbers(data["b"]), numbers(data["a"])
            assert book.apply(Difference(data["U"], data["u"], data.get("pu"), bids, asks))
            tops += [(data["u"], *bid, *ask) for bid, ask in book.top(1) if book.whole]
        elif "A" in data:
            tickers.append([data["u"], *(float(data[name]) for name in ("b", "B", "a", "A"))])
    found, sent = np.array(tops), np.array(tickers)
    latest = np.searchsorted(sent[:, 0], found[:, 0], side="right") - 1
    known = latest >= 0
    assert known.sum() == updates
    np.testing.assert_array_equal(found[known, 1:], sent[latest[known], 1:])
