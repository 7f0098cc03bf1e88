"""What is missing, range by range, and what a delivery changed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from quant_assets.core.errors import DataError
from quant_assets.operations.intake.delivery import deliver
from quant_assets.operations.intake.inspection import changes, coverage
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.operations.intake.deliveries import (
    files_venue,
    origin,
    raw_bars,
    source_store,
)

VENUE = files_venue()


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return source_store(tmp_path)


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2024, 2, number, hour, tzinfo=UTC)


def test_coverage_names_each_hole_by_the_range_to_fetch(store: SourceStore):
    parts = [raw_bars("2024-02-01", 6), raw_bars("2024-02-01 08:00", 2), raw_bars("2024-02-02", 1)]
    deliver(store, VENUE, origin("a"), parts)
    (found,) = coverage(store, VENUE)
    assert (found.dataset, found.symbol, found.rows) == ("bars", "BTC/USDT:USDT", 9)
    assert (found.first, found.last) == (day(1), day(2))
    assert [(h.start, h.end, h.bars) for h in found.holes] == [
        (day(1, 6), day(1, 8), 2),
        (day(1, 10), day(2), 14),
    ]
    assert found.missing == 16


def test_coverage_of_sessions_needs_half_of_the_symbols(store: SourceStore):
    venue = files_venue(calendar="XNYS", asset_class="equity", funding="none", bar_length="1h")
    for symbol, first, hours in (("A", "2024-02-01", 5), ("B", "2024-02-01", 5)):
        deliver(store, venue, origin(symbol), [raw_bars(first, hours, symbol=symbol)])
    deliver(store, venue, origin("c"), [raw_bars("2024-02-01", 1, symbol="C")])
    deliver(store, venue, origin("d"), [raw_bars("2024-02-01 04:00", 1, symbol="C")])
    by_symbol = {row.symbol: row for row in coverage(store, venue)}
    assert by_symbol["A"].missing == 0
    assert [(h.start, h.end) for h in by_symbol["C"].holes] == [(day(1, 1), day(1, 4))]


def test_changes_shows_new_rows_and_old_and_new_values_of_revised_ones(store: SourceStore):
    deliver(store, VENUE, origin("a"), [raw_bars("2024-02-01", 2)])
    deliver(store, VENUE, origin("b"), [raw_bars("2024-02-01 01:00", 2, close=50.0)])
    first, second = changes(store, 2)
    assert first.before is not None
    assert (first.before["close"], first.after["close"]) == (101.0, 50.0)
    assert "volume" not in first.after
    assert second.before is None
    assert second.key.startswith("2024-02-01 02:00:00+00:00 BTC/USDT:USDT")
    with pytest.raises(DataError, match="no delivery number 9; known: 1 to 2"):
        list(changes(store, 9))
