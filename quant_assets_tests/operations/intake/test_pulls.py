"""Pulling: only missing ranges are asked for, pages become deliveries, failures lose nothing."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.adapters.layouts.base import Raw
from quant_assets.adapters.pulling.base import Page, PullRequest
from quant_assets.adapters.pulling.ranges import Range
from quant_assets.adapters.stored import newest_rows
from quant_assets.contracts.bars import Bars
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue
from quant_assets.operations.intake import pulls
from quant_assets.operations.intake.delivery import Origin, deliver
from quant_assets.operations.intake.pulls import Lost, lost_ranges, pull_venue
from quant_assets.storage.source_verification import source_problems
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)

pytestmark = pytest.mark.slow

VENUE = files_venue(funding="none")
HOUR = timedelta(hours=1)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def hour(number: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + number * HOUR


class Exchange:
    """Hourly bars since the venue's first hour, `rows` to a page; fails where it is told to."""

    def __init__(self, *wanted: tuple[str, str], rows: int = 4) -> None:
        self.listed = list(wanted) or [("bars", BTC)]
        self.rows = rows
        self.asked: list[PullRequest] = []
        self.keeps: dict[str, timedelta] = {}
        self.broken: dict[str, datetime] = {}
        self.silent: set[datetime] = set()

    def wanted(self) -> list[tuple[str, str]]:
        return self.listed

    def kept(self, dataset: str) -> timedelta | None:
        return self.keeps.get(dataset)

    def pull(self, request: PullRequest) -> Iterator[Page]:
        self.asked.append(request)
        start = request.start
        while start < request.end:
            end = min(start + self.rows * HOUR, request.end)
            if request.symbol in self.broken and end > self.broken[request.symbol]:
                raise DataError(f"{request.symbol} from {start}: the exchange is away")
            if start not in self.silent:
                yield self.page(request, Range(start, end))
            start = end

    def page(self, request: PullRequest, part: Range) -> Page:
        hours = (part.end - part.start) // HOUR
        first = f"{part.start:%Y-%m-%d %H:%M}"
        level = 100.0 + (part.start - hour(0)) // HOUR
        frame = raw_bars(first, hours, symbol=request.symbol, close=level).frame
        if request.dataset == "adjustments":
            frame = pd.DataFrame({"ts": [], "symbol": [], "line": []})
        content = f"{request.symbol} {part}".encode()
        return Page(request.dataset, request.symbol, frame, part, content, "json")


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return source_store(tmp_path)


def confirmed(store: SourceStore, key: str = f"bars {BTC}") -> list[tuple[datetime, datetime]]:
    return [receipt.confirmed[key] for receipt in store.receipts() if key in receipt.confirmed]


def test_pages_without_a_hole_are_one_delivery_with_one_confirmed_range(store: SourceStore):
    found = pull_venue(store, VENUE, Exchange(), hour(10))
    assert [r.counts["bars"]["stored"] for r in found.receipts] == [10]
    assert found.pulled == [pulls.Pulled("bars", BTC, 10, hour(10))]
    assert confirmed(store) == [(hour(0), hour(10))]
    (receipt,) = store.receipts()
    assert receipt.layout == "pulled by files"
    with zipfile.ZipFile(store.folder / "archive" / receipt.archived_as) as archive:
        assert archive.namelist() == [
            f"bars-BTC-USDT-USDT-0000{number}.json" for number in (1, 2, 3)
        ]
        assert (
            archive.read("bars-BTC-USDT-USDT-00002.json")
            .decode()
            .startswith(f"{BTC} [2024-01-01T04:00:00Z")
        )


def test_second_pull_asks_only_for_what_is_new(store: SourceStore):
    exchange = Exchange()
    pull_venue(store, VENUE, exchange, hour(10))
    found = pull_venue(store, VENUE, exchange, hour(12))
    assert [(r.start, r.end) for r in exchange.asked] == [(hour(0), hour(10)), (hour(10), hour(12))]
    assert found.receipts[0].counts["bars"]["stored"] == 2
    again = pull_venue(store, VENUE, exchange, hour(12))
    assert (again.receipts, again.pulled) == ([], [pulls.Pulled("bars", BTC)])
    assert len(exchange.asked) == 2


def test_range_that_was_not_confirmed_is_asked_for_again(store: SourceStore):
    exchange = Exchange()
    exchange.silent = {hour(4)}
    pull_venue(store, VENUE, exchange, hour(12))
    assert confirmed(store) == [(hour(0), hour(4)), (hour(8), hour(12))]
    exchange.silent = set()
    pull_venue(store, VENUE, exchange, hour(12))
    assert (exchange.asked[-1].start, exchange.asked[-1].end) == (hour(4), hour(8))
    assert sorted(confirmed(store)) == [
        (hour(0), hour(4)),
        (hour(4), hour(8)),
        (hour(8), hour(12)),
    ]


def test_failure_keeps_the_pages_before_it_and_the_other_symbols(store: SourceStore):
    exchange = Exchange(("bars", BTC), ("bars", ETH))
    exchange.broken = {BTC: hour(8)}
    found = pull_venue(store, VENUE, exchange, hour(12))
    btc, eth = found.pulled
    assert found.failures == [btc.failure]
    assert (btc.rows, btc.until) == (8, hour(8))
    assert "the exchange is away" in btc.failure
    assert confirmed(store) == [(hour(0), hour(8))]
    assert eth.failure == ""
    assert confirmed(store, f"bars {ETH}") == [(hour(0), hour(12))]


def test_all_symbols_and_data_sets_of_a_pull_are_one_delivery(store: SourceStore):
    exchange = Exchange(("bars", BTC), ("bars", ETH), ("adjustments", BTC))
    pull_venue(store, VENUE, exchange, hour(12))
    (receipt,) = store.receipts()
    assert receipt.symbols == {"bars": [BTC, ETH]}
    assert set(receipt.confirmed) == {f"bars {BTC}", f"bars {ETH}", f"adjustments {BTC}"}
    assert [(chunk.dataset, chunk.rows) for chunk in receipt.chunks] == [("bars", 24)]


def test_symbol_that_is_refused_as_a_whole_does_not_refuse_the_others(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    deliver = pulls.deliver

    def picky(store: SourceStore, venue: Venue, origin: Origin, raws: list[Raw]) -> object:
        if any((raw.frame["symbol"] == BTC).any() for raw in raws):
            raise DataError("prices of BTC are in another unit")
        return deliver(store, venue, origin, raws)

    monkeypatch.setattr(pulls, "deliver", picky)
    found = pull_venue(store, VENUE, Exchange(("bars", BTC), ("bars", ETH)), hour(12))
    assert found.failures == ["prices of BTC are in another unit"]
    (receipt,) = store.receipts()
    assert list(receipt.confirmed) == [f"bars {ETH}"]


def test_long_history_is_cut_into_deliveries_by_rows(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pulls, "BATCH_ROWS", 8)
    pull_venue(store, VENUE, Exchange(), hour(20))
    assert confirmed(store) == [(hour(0), hour(8)), (hour(8), hour(16)), (hour(16), hour(20))]


def test_lines_of_doubts_go_on_counting_from_page_to_page(store: SourceStore):
    class Wrong(Exchange):
        def page(self, request: PullRequest, part: Range) -> Page:
            page = super().page(request, part)
            if part.start == hour(4):
                page.frame.loc[1, "low"] = 1e9
            return page

    pull_venue(store, VENUE, Wrong(), hour(12))
    (chunk,) = store.chunks("doubts", hour(0), hour(99))
    row = store.read(chunk).iloc[0]
    assert (row["line"], row["ts"]) == (6, pd.Timestamp(hour(5)))


def test_page_without_rows_confirms_its_range(store: SourceStore):
    pull_venue(store, VENUE, Exchange(("adjustments", BTC), rows=99), hour(10))
    assert confirmed(store, f"adjustments {BTC}") == [(hour(0), hour(10))]
    assert store.receipts()[0].chunks == []


def test_snapshot_is_asked_for_now_every_time(store: SourceStore):
    exchange = Exchange(("order_book", BTC))
    exchange.pull = lambda request: exchange.asked.append(request) or iter(())  # type: ignore[method-assign, func-returns-value]
    for now in (hour(5), hour(6)):
        pull_venue(store, VENUE, exchange, now)
        assert exchange.asked[-1].range.holds(now)
    assert len(exchange.asked) == 2


def test_provider_that_cannot_pull_is_named(store: SourceStore):
    with pytest.raises(ConfigError, match="provider files cannot pull; drop files"):
        pull_venue(store, VENUE, object(), hour(1))


def test_what_the_source_no_longer_keeps_is_not_asked_for_and_named_as_lost(store: SourceStore):
    exchange = Exchange(("bars", BTC), ("bars", ETH))
    exchange.keeps["bars"] = 4 * HOUR
    pull_venue(store, VENUE, exchange, hour(10))
    assert [(asked.start, asked.end) for asked in exchange.asked] == [(hour(6), hour(10))] * 2
    assert confirmed(store) == [(hour(6), hour(10))]
    lost = [Lost("bars", symbol, hour(0), hour(6), 4 * HOUR) for symbol in (BTC, ETH)]
    assert lost_ranges(store, VENUE, exchange, hour(10)) == lost
    exchange.asked.clear()
    pull_venue(store, VENUE, exchange, hour(12))
    assert [(asked.start, asked.end) for asked in exchange.asked] == [(hour(10), hour(12))] * 2


def test_what_files_delivered_is_not_lost(store: SourceStore):
    exchange = Exchange(("bars", BTC))
    exchange.keeps["bars"] = 4 * HOUR
    deliver(store, VENUE, origin("old.csv"), [raw_bars("2024-01-01 01:00", 3)])
    (first, second) = lost_ranges(store, VENUE, exchange, hour(10))
    assert (first.start, first.end) == (hour(0), hour(1))
    assert second.start == hour(3) + timedelta.resolution
    assert second.end == hour(6)
    exchange.keeps.clear()
    assert lost_ranges(store, VENUE, exchange, hour(10)) == []


@pytest.mark.slow
def test_hourly_pulls_pack_themselves_and_nothing_is_asked_for_twice(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
):
    for method in (SourceStore.is_crowded, SourceStore.compact):
        monkeypatch.setattr(method, "__kwdefaults__", {"more_than": 3})
    exchange = Exchange(("bars", BTC), ("bars", ETH))
    for number in range(1, 11):
        pull_venue(store, VENUE, exchange, hour(number))
    names = [path.name for path in store.chunk_folder("bars", "2024").iterdir()]
    assert sum(name[0].isdigit() for name in names) <= 3
    assert sum(name.startswith("pack-") for name in names) == 1
    assert len(exchange.asked) == 20
    bars = newest_rows(store, "bars", Bars, (hour(0), hour(24)))
    assert bars.groupby("symbol")["ts"].nunique().tolist() == [10, 10]
    assert list(source_problems(store.layout, None)) == []
