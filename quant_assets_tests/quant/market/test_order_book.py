"""Books keep their times; a crossed or locked one is marked on every row, and has a doubt."""

import numpy as np

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.order_book import OrderBook
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.market.order_book import best_prices, clean_order_book, crossed_books
from quant_assets_tests.quant.market.event_frames import NAN, order_book
from quant_assets_tests.quant.market.frames import ingestion

ROWS = (
    ("03 10:00", "A", 0, 99.0, 101.0, True),
    ("03 10:00", "A", 1, 98.0, 102.0, True),
    ("03 10:00", "B", 0, 50.0, 50.0),
    ("03 11:00", "A", 0, 102.0, 101.5),
    ("03 11:00", "A", 1, 98.0, 103.0),
    ("03 11:00", "B", 0, NAN, 51.0),
    ("03 11:00", "B", 1, NAN, 52.0),
)


def clean(*rows: tuple):
    telemetry = RecordingTelemetry()
    frame = clean_order_book(ingestion(), telemetry, raw_order_book=order_book(*rows))
    return OrderBook.check_frame(frame, where="order book"), telemetry.rows[0]


def test_clean_order_book_marks_what_the_prices_say():
    frame, told = clean(*ROWS)
    assert frame["is_crossed"].tolist() == [False, False, True, True, True, False, False]
    raw = order_book(*ROWS)
    assert frame.drop(columns="is_crossed").equals(raw.drop(columns="is_crossed"))
    assert (told["snapshots"], told["crossed"], told["repeated"]) == (4.0, 2.0, 0.0)


def test_crossed_books_are_doubts_of_their_snapshot():
    flags = Doubts.check_frame(crossed_books(order_book(*ROWS)), where="flags")
    found = list(zip(flags["symbol"], flags["reason"], flags["value"], strict=True))
    assert found == [("B", "locked book", 0.0), ("A", "crossed book", 0.5)]


def test_best_prices_are_over_all_levels_and_nan_on_an_empty_side():
    starts, bid, ask = best_prices(order_book(*ROWS))
    assert starts.tolist() == [0, 2, 3, 5]
    np.testing.assert_array_equal(bid, [99.0, 50.0, 102.0, NAN])
    np.testing.assert_array_equal(ask, [101.0, 50.0, 101.5, 51.0])


def test_clean_order_book_without_rows_is_the_empty_frame():
    frame = clean_order_book(ingestion(), NullTelemetry(), raw_order_book=OrderBook.empty())
    assert OrderBook.check_frame(frame, where="empty").empty
    assert Doubts.check_frame(crossed_books(frame), where="empty").empty
