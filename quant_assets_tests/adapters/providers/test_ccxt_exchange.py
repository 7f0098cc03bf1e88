"""Provider `ccxt` against a local server that speaks Binance's REST and misbehaves on demand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.layouts.base import OPTIONAL_COLUMNS, RAW_COLUMNS
from quant_assets.adapters.providers.ccxt_exchange import Ccxt
from quant_assets.adapters.pulling.base import Page, Puller
from quant_assets.adapters.pulling.ranges import Range, missing_ranges
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets.quant.market.row_checks.rules import RowRules
from quant_assets_tests.adapters.providers.binance_server import (
    CUT,
    HTML,
    TOO_MANY,
    Binance,
    Fault,
    Reply,
    limited,
    milliseconds,
    serve,
)
from quant_assets_tests.adapters.providers.ccxt_venues import (
    DAY,
    EVERYTHING,
    PERPETUAL,
    SPOT,
    ask,
    ccxt_venue,
    pull,
)

NEEDS_CRYPTO = pytest.mark.skipif(
    find_spec("ccxt") is None or find_spec("tenacity") is None,
    reason='the extra is absent: pip install "quant_assets[crypto]"',
)
NOW = DAY + timedelta(hours=12, minutes=2, seconds=30)
STEP = timedelta(minutes=5)


@pytest.fixture(scope="module")
def server() -> Iterator[Binance]:
    with serve(NOW) as running:
        yield running


@pytest.fixture
def binance(server: Binance) -> Binance:
    server.now, server.listed = NOW, datetime(2020, 1, 1, tzinfo=UTC)
    server.max_rows = 1000
    for seen in (server.gaps, server.faults, server.asked):
        seen.clear()
    return server


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def provider(binance: Binance, naps: list[float]) -> Ccxt:
    return patient(Ccxt(ccxt_venue(binance.url)), naps)


def patient(provider: Ccxt, naps: list[float]) -> Ccxt:
    """The provider, noting how long it would have waited instead of waiting."""
    provider.client.sleep = naps.append
    return provider


def rows(pages: list[Page]) -> pd.DataFrame:
    return pd.concat([page.frame for page in pages], ignore_index=True)


def grid(count: int, step: timedelta = STEP) -> list[datetime]:
    return [DAY + n * step for n in range(count)]


@NEEDS_CRYPTO
@pytest.mark.parametrize("symbol", [PERPETUAL, SPOT])
def test_bars_equal_the_table_of_the_exchange(
    provider: Ccxt, binance: Binance, symbol: str
) -> None:
    pages = pull(provider, ask("bars", symbol))
    frame = rows(pages)
    assert frame["ts"].tolist() == grid(144)
    n = np.array([milliseconds(ts) // 300_000 % 50 for ts in grid(144)], dtype=float)
    for name, first in {"open": 100, "high": 102, "low": 99, "close": 101}.items():
        assert frame[name].tolist() == (first + n).tolist()
    assert frame["volume"].tolist() == (10.5 + n).tolist()
    assert set(frame["symbol"]) == {symbol}
    assert frame["line"].tolist() == [*range(1, 61), *range(1, 61), *range(1, 25)]
    path = "/api/v3/klines" if symbol == SPOT else "/fapi/v1/klines"
    assert [query["limit"] for query in binance.requests(path)] == ["61", "61", "25"]


@NEEDS_CRYPTO
def test_bars_pages_confirm_side_by_side_up_to_the_last_closed_bar(provider: Ccxt) -> None:
    pages = pull(provider, ask("bars"))
    edges = [DAY, *(DAY + hours * timedelta(hours=1) for hours in (5, 10, 12))]
    assert [page.confirmed for page in pages] == [Range(*pair) for pair in pairwise(edges)]
    assert pages[0].content.startswith(b'[[1767225600000, "102.00"')
    assert {page.suffix for page in pages} == {"json"}


@NEEDS_CRYPTO
@pytest.mark.parametrize(("delay", "last"), [("0s", "11:55"), ("145s", "11:55"), ("146s", "11:50")])
def test_bars_the_unclosed_one_is_never_yielded(
    binance: Binance, naps: list[float], delay: str, last: str
) -> None:
    venue = ccxt_venue(binance.url, market={"publication_delay": delay})
    frame = rows(pull(patient(Ccxt(venue), naps), ask("bars")))
    assert frame["ts"].iloc[-1].strftime("%H:%M") == last


@NEEDS_CRYPTO
def test_pull_of_what_has_not_happened_yet_gives_no_page(provider: Ccxt) -> None:
    tomorrow = DAY + timedelta(days=1)
    for dataset in EVERYTHING:
        request = ask(dataset, start=tomorrow, end=tomorrow + timedelta(days=1))
        assert pull(provider, request) == []


@NEEDS_CRYPTO
def test_funding_has_exact_times_rates_and_marks(provider: Ccxt) -> None:
    start = DAY - timedelta(days=2)
    pages = pull(provider, ask("funding", start=start))
    frame = rows(pages)
    due = [start + n * timedelta(hours=8) for n in range(8)]
    assert frame["ts"].tolist() == [moment + timedelta(milliseconds=3) for moment in due]
    n = [milliseconds(moment) // (8 * 3_600_000) % 10 for moment in due]
    assert frame["rate"].tolist() == pytest.approx([k / 10_000 for k in n], abs=1e-15)
    assert frame["mark_price"].tolist() == [100.25 + k for k in n]
    confirmed = [page.confirmed for page in pages]
    known = Range(start, due[-1] + timedelta(milliseconds=4))
    assert missing_ranges(confirmed, known) == []
    assert confirmed[-1].end == known.end


@NEEDS_CRYPTO
def test_funding_page_end_has_the_name_that_the_venue_gives_it(
    binance: Binance, naps: list[float]
) -> None:
    venue = ccxt_venue(binance.url, page_end={"funding": "endTime"})
    frame = rows(pull(patient(Ccxt(venue), naps), ask("funding")))
    assert len(frame) == 2
    first = binance.requests("/fapi/v1/fundingRate")[0]
    assert first["endTime"] == str(milliseconds(NOW) - 1)
    assert "until" not in first


@NEEDS_CRYPTO
def test_open_interest_counts_base_units_and_asks_for_what_is_kept(
    binance: Binance, naps: list[float]
) -> None:
    venue = ccxt_venue(binance.url, open_interest_kept="2h")
    pages = pull(patient(Ccxt(venue), naps), ask("open_interest"))
    frame = rows(pages)
    assert frame["ts"].iloc[0] == DAY + timedelta(hours=10, minutes=5)
    assert frame["ts"].iloc[-1] == DAY + timedelta(hours=12)
    n = np.array([milliseconds(ts.to_pydatetime()) // 300_000 % 100 for ts in frame["ts"]])
    assert frame["open_interest"].tolist() == (1000.0 + n).tolist()
    assert frame["open_interest_value"].tolist() == ((1000.0 + n) * 100).tolist()
    assert set(frame["unit"]) == {"base"}
    assert pages[0].confirmed.start == NOW - timedelta(hours=2)


@NEEDS_CRYPTO
@pytest.mark.parametrize(("symbol", "late"), [(PERPETUAL, 40), (SPOT, 0)])
def test_order_book_is_a_snapshot_that_confirms_its_own_instant(
    provider: Ccxt, symbol: str, late: int
) -> None:
    [page] = pull(provider, ask("order_book", symbol))
    moment = NOW - timedelta(milliseconds=late)
    assert page.confirmed == Range(moment, moment + timedelta(milliseconds=1))
    assert page.frame["ts"].tolist() == [moment] * 3
    assert page.frame["level"].tolist() == [0, 1, 2]
    assert page.frame["bid_price"].tolist() == [99.9, 99.8, 99.7]
    assert page.frame["ask_price"].tolist()[:2] == [100.1, 100.2]
    assert page.frame["ask_quantity"].isna().tolist() == [False, False, True]


@NEEDS_CRYPTO
def test_pages_have_the_columns_of_raw_frames_and_pass_the_row_checks(provider: Ccxt) -> None:
    assert isinstance(provider, Puller)
    rules = RowRules.of(provider.venue, file="page.json", received_at=NOW)
    for dataset, symbol in provider.wanted():
        for page in pull(provider, ask(dataset, symbol)):
            known = {*RAW_COLUMNS[dataset], *OPTIONAL_COLUMNS.get(dataset, ())}
            assert set(RAW_COLUMNS[dataset]) <= set(page.frame.columns) <= known
            assert str(page.frame["ts"].dtype) == "datetime64[us, UTC]"
            assert page.frame["ts"].between(page.confirmed.start, page.confirmed.end).all()
            checked = check_rows(dataset, page.frame, rules)
            assert len(checked.frame) == len(page.frame)
            assert len(checked.doubts) == 0


@NEEDS_CRYPTO
def test_wanted_spot_has_neither_funding_nor_open_interest(provider: Ccxt) -> None:
    assert [(d, s) for d, s in provider.wanted() if s == SPOT] == [
        ("bars", SPOT),
        ("order_book", SPOT),
    ]


@NEEDS_CRYPTO
def test_bars_before_the_listing_are_confirmed_after_one_look(
    provider: Ccxt, binance: Binance
) -> None:
    binance.listed = DAY + timedelta(hours=10, minutes=1)
    pages = pull(provider, ask("bars", start=DAY - timedelta(days=30)))
    assert [page.confirmed for page in pages] == [
        Range(DAY - timedelta(days=30), DAY + timedelta(hours=12))
    ]
    assert rows(pages)["ts"].iloc[0] == DAY + timedelta(hours=10, minutes=5)
    assert len(binance.requests("/fapi/v1/klines")) == 3  # before it, after it, its first minutes


@NEEDS_CRYPTO
def test_bars_of_a_symbol_that_came_back_are_not_cut_at_its_second_listing(
    provider: Ccxt, binance: Binance
) -> None:
    market = provider.client.ask("test", "load_markets")[PERPETUAL]
    market["created"] = milliseconds(DAY + timedelta(hours=10))
    assert rows(pull(provider, ask("bars")))["ts"].tolist() == grid(144)


@NEEDS_CRYPTO
def test_bars_of_an_outage_stay_missing_when_a_whole_page_is_empty(
    provider: Ccxt, binance: Binance
) -> None:
    binance.gaps.append((DAY + timedelta(hours=5), DAY + timedelta(hours=10)))
    pages = pull(provider, ask("bars"))
    asked = Range(DAY, DAY + timedelta(hours=12))
    assert missing_ranges([page.confirmed for page in pages], asked) == [
        Range(DAY + timedelta(hours=5), DAY + timedelta(hours=10))
    ]


@NEEDS_CRYPTO
@pytest.mark.parametrize("fault", [lambda table: table[:7], lambda table: table[:1]])
def test_bars_a_page_cut_in_the_middle_confirms_to_its_last_row_and_goes_on(
    provider: Ccxt, binance: Binance, fault: Fault
) -> None:
    binance.misbehave("/klines", fault)
    pages = pull(provider, ask("bars"))
    assert pages[0].confirmed == Range(DAY, DAY + len(pages[0].frame) * STEP)
    assert rows(pages)["ts"].tolist() == grid(144)
    assert all(left.confirmed.end == right.confirmed.start for left, right in pairwise(pages))


@NEEDS_CRYPTO
def test_bars_of_an_exchange_with_a_lower_limit_are_complete(
    provider: Ccxt, binance: Binance
) -> None:
    binance.max_rows = 11
    assert rows(pull(provider, ask("bars")))["ts"].tolist() == grid(144)


BAD_ANSWERS = {
    "too many requests in a 200": (TOO_MANY, "It was asked too often: pull again in some minutes"),
    "html page": (HTML, "sent no JSON but '<html><body>We will be back"),
    "html with 502": (Reply(502, "<html>Bad Gateway"), "502 Bad Gateway"),
    "cut json": (CUT, "The answer is an error page or was cut"),
    "empty body": (Reply(body=""), "sent no JSON but ''"),
    "429": (limited(3), "It was asked too often: pull again in 3 s"),
    "record instead of rows": (Reply(body='{"rows": 1}'), "has no time"),
    "row without a time": (Reply(body='[[null, "1", "1", "1", "1", "1"]]'), "row 1 of 1"),
    "hung up": (Reply(0), "Check that the network reaches the exchange"),
    "unknown code": (Reply(400, '{"code": -1121, "msg": "Invalid symbol."}'), "Invalid symbol"),
}


@NEEDS_CRYPTO
@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answer_is_an_error_that_names_everything_and_keeps_nothing(
    provider: Ccxt, binance: Binance, name: str
) -> None:
    fault, words = BAD_ANSWERS[name]
    pages = provider.pull(ask("bars"))
    first = next(pages)
    binance.misbehave("/klines", *[fault] * 9)
    with pytest.raises(DataError) as caught:
        next(pages)
    text = str(caught.value)
    assert text.startswith(
        "venue test_ccxt: binance: bars of BTC/USDT:USDT "
        "[2026-01-01T05:00:00Z, 2026-01-01T10:00:00Z): "
    )
    assert words in text
    assert "Nothing of this answer was kept" in text
    binance.faults.clear()
    again = pull(provider, ask("bars", start=first.confirmed.end))
    assert rows([first, *again])["ts"].tolist() == grid(144)


@NEEDS_CRYPTO
@pytest.mark.parametrize("fault", [TOO_MANY, HTML, CUT, Reply(503, "busy")])
def test_bad_answer_is_asked_again_and_a_good_one_taken(
    provider: Ccxt, binance: Binance, naps: list[float], fault: Fault
) -> None:
    binance.misbehave("/klines", fault, fault)
    assert rows(pull(provider, ask("bars")))["ts"].tolist() == grid(144)
    assert naps == [1.0, 2.0]


@NEEDS_CRYPTO
def test_bad_answer_retry_after_is_obeyed_when_it_is_patient_enough(
    provider: Ccxt, binance: Binance, naps: list[float]
) -> None:
    binance.misbehave("/klines", limited(30))
    assert rows(pull(provider, ask("bars")))["ts"].tolist() == grid(144)
    assert naps == [30.0]
    binance.misbehave("/klines", limited(3600))
    with pytest.raises(DataError, match="pull again in 3600 s"):
        pull(provider, ask("bars"))
    assert naps == [30.0]  # nobody is asked again before the hour is over
    binance.misbehave("/klines", limited(20), Reply(0))
    assert rows(pull(provider, ask("bars")))["ts"].tolist() == grid(144)
    assert naps == [30.0, 20.0, 2.0]  # what one answer said is not obeyed after the next


@NEEDS_CRYPTO
def test_bad_answer_a_silent_server_is_given_up_after_the_time_out(
    binance: Binance, naps: list[float]
) -> None:
    provider = patient(Ccxt(ccxt_venue(binance.url, time_out="1s", attempts=1)), naps)
    pull(provider, ask("order_book"))
    binance.misbehave("/klines", Reply(body="[]", wait=1.2))
    with pytest.raises(DataError, match=r"did not answer within 1s.*provider\.settings\.time_out"):
        pull(provider, ask("bars"))


@NEEDS_CRYPTO
def test_bad_answer_at_the_start_is_not_remembered(provider: Ccxt, binance: Binance) -> None:
    binance.misbehave("/exchangeInfo", *[HTML] * 4)
    with pytest.raises(DataError, match="sent no JSON"):
        pull(provider, ask("bars"))
    assert len(pull(provider, ask("bars"))) == 3


@NEEDS_CRYPTO
def test_bad_answer_server_down_names_what_was_asked(naps: list[float]) -> None:
    provider = patient(Ccxt(ccxt_venue("http://127.0.0.1:9")), naps)
    with pytest.raises(DataError, match=r"bars of BTC/USDT:USDT .*NetworkError.*Check that the"):
        pull(provider, ask("bars"))
    assert naps == [1.0, 2.0, 4.0]


@NEEDS_CRYPTO
def test_pull_unknown_symbol_names_the_nearest(binance: Binance, naps: list[float]) -> None:
    venue = ccxt_venue(binance.url, symbols=["PEPE/USDT:USDT"])
    with pytest.raises(DataError, match=r"does not list PEPE/USDT:USDT; near it: 1000PEPE/USDT"):
        pull(patient(Ccxt(venue), naps), ask("bars", "PEPE/USDT:USDT"))


@NEEDS_CRYPTO
def test_pull_of_what_the_venue_does_not_name_is_refused(provider: Ccxt) -> None:
    for request in (ask("bars", "XRP/USDT"), ask("funding", SPOT), ask("liquidations")):
        with pytest.raises(ConfigError, match="not among datasets and symbols"):
            pull(provider, request)


@NEEDS_CRYPTO
@pytest.mark.parametrize(
    ("settings", "market", "words"),
    [
        ({"exchange": "binanse"}, {}, r"'binanse' is not among the \d+ exchanges of ccxt"),
        ({}, {"bar_length": "7m"}, r"market\.bar_length: 7m is not among .*5m"),
        ({"exchange": "kraken"}, {}, r"kraken has no open_interest to pull"),
    ],
)
def test_pull_settings_that_only_ccxt_can_judge_are_named(
    binance: Binance, settings: dict[str, Any], market: dict[str, Any], words: str
) -> None:
    provider = Ccxt(ccxt_venue(binance.url, market=market, **settings))
    dataset = "open_interest" if "has no" in words else "bars"
    with pytest.raises(ConfigError, match=words):
        pull(provider, ask(dataset))
