"""One ticker, two companies: the map file, or else the venue, says whose bar it is."""

from datetime import date
from pathlib import Path

import pytest

from quant_assets.adapters.providers.base import provider_for
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.operations.intake.inspection import coverage
from quant_assets.operations.intake.landing import take_in
from quant_assets.quant.market.aliases import Alias
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.adapters.real_files import real_folder
from quant_assets_tests.adapters.tabular.table_files import venue_of

pytestmark = pytest.mark.slow

GRID = Grid()
BARS = """20080925 00:00,26300,26700,15100,17700,376577647
20080926 00:00,18000,18000,15000,16000,483241
20090805 00:00,289400,292500,284300,285800,1606227
"""
MAP = "19980102,uw,N\n19980716,uw,N\n20090804,wmi,N\n20501231,wm,N\n"
OLD = "WM-UNTIL-20090804"


class Room:
    """A venue of stocks and its source store."""

    def __init__(self, folder: Path, **settings: object) -> None:
        venue = venue_of("equity")
        provider = venue.provider.model_copy(update={"settings": settings})
        history = venue.history.model_copy(update={"first": date(1998, 1, 2)})
        update = {"provider": provider, "history": history}
        self.venue: Venue = venue.model_copy(update=update)
        self.folder = folder
        self.store = SourceStore(Layout(folder / "root"), self.venue.name)
        self.provider = provider_for(self.venue, self.store)

    def take(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        assert take_in(self.store, self.venue, path).refusal == ""

    def symbols(self, window: str, dataset: str = "bars") -> list[str]:
        return sorted(self.provider.fetch(dataset, GRID.window(window))["symbol"].unique())

    def digest(self, window: str, dataset: str = "bars") -> str:
        return self.provider.source_digest(dataset, GRID.window(window))


def test_map_file_parts_the_bars_of_two_companies(tmp_path: Path):
    room = Room(tmp_path)
    room.take("wm.csv", BARS)
    assert room.symbols("2008-09-01") == ["WM"]
    before = {window: room.digest(window) for window in ("2008-09-01", "2009-08-01", "2010-01-01")}
    (tmp_path / "maps").mkdir()
    room.take("maps/wm.csv", MAP)
    assert room.symbols("2008-09-01") == [OLD]
    assert room.symbols("2009-08-01") == ["WM"]
    after = {window: room.digest(window) for window in before}
    changed = [window for window in before if before[window] != after[window]]
    assert changed == ["2008-09-01", "2009-08-01"]  # until the 4th of August it would rename
    spans = {row.symbol: (row.rows, str(row.last.date())) for row in coverage(*_of(room))}
    assert spans == {OLD: (2, "2008-09-26"), "WM": (1, "2009-08-05")}


def test_later_renames_leave_earlier_windows_alone(tmp_path: Path):
    room = Room(tmp_path)
    room.take("wm.csv", BARS)
    room.take("map.csv", "19980102,map\n20501231,map\n")
    before = room.digest("2008-09-01")
    (tmp_path / "maps").mkdir()
    room.take("maps/map.csv", "19980102,map\n20200101,map\n20501231,mapp\n")
    assert room.digest("2008-09-01") == before


def test_doubts_about_bars_stand_under_the_same_instrument(tmp_path: Path):
    room = Room(tmp_path)
    room.take("wm.csv", f"{BARS}20080924 00:00,26300,15100,26700,17700,1\n")
    room.take("map_of.csv".replace("_of", ""), "19980102,map\n20501231,map\n")
    (tmp_path / "maps").mkdir()
    room.take("maps/wm.csv", MAP)
    assert room.symbols("2008-09-01", "doubts") == [OLD]


def test_venue_says_who_had_a_ticker_where_no_map_file_does(tmp_path: Path):
    said = [
        {"ticker": "WM", "symbol": "WAMUQ", "last": "2008-09-26"},
        {"ticker": "WM", "symbol": "WM", "first": "2009-08-05"},
    ]
    room = Room(tmp_path, aliases=said)
    room.take("wm.csv", BARS)
    assert room.symbols("2008-09-01") == ["WAMUQ"]
    assert room.symbols("2009-08-01") == ["WM"]
    assert [row.symbol for row in coverage(*_of(room))] == ["WAMUQ", "WM"]


def test_venues_word_about_a_ticker_counts_more_than_the_map_file(tmp_path: Path):
    """Bars that were delivered by instrument, not by the ticker of their days."""
    room = Room(tmp_path, aliases=[{"ticker": "WM", "symbol": "WM"}])
    room.take("wm.csv", BARS)
    (tmp_path / "maps").mkdir()
    room.take("maps/wm.csv", MAP)
    assert room.symbols("2008-09-01") == ["WM"]
    assert Alias("WMI", "WM", date(1998, 7, 17), date(2009, 8, 4)) in room.provider.names()


def test_bars_of_an_instrument_and_of_its_old_ticker_on_one_day_are_refused(tmp_path: Path):
    said = [
        {"ticker": "WMI", "symbol": "WM", "last": "2008-12-31"},
        {"ticker": "WM", "symbol": "WM"},
    ]
    room = Room(tmp_path, aliases=said)
    room.take("wm.csv", BARS)
    room.take("wmi.csv", BARS.replace("26300", "26400"))
    with pytest.raises(DataError, match="WM has two bars at 2008-09-25"):
        room.symbols("2008-09-01")


def test_venue_that_gives_one_ticker_to_two_instruments_on_a_day_is_refused(tmp_path: Path):
    said = [{"ticker": "WM", "symbol": "A", "last": "2009-08-05"}, {"ticker": "WM", "symbol": "WM"}]
    with pytest.raises(ConfigError, match=r"settings\.aliases: aliases of WM overlap"):
        Room(tmp_path, aliases=said)


def test_alias_without_a_symbol_is_refused_with_its_key(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"provider\.settings\.aliases.*symbol"):
        Room(tmp_path, aliases=[{"ticker": "WM"}])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("wm", {OLD: (2465, "2008-09-26"), "WM": (2934, "2021-03-31")}),
        ("goog", {"GOOG-UNTIL-20140402": (2422, "2014-04-02"), "GOOG": (1761, "2021-03-31")}),
    ],
)
def test_real_zip_of_two_companies_is_two_instruments(
    tmp_path: Path, ticker: str, expected: dict[str, tuple[int, str]]
):
    """Washington Mutual until it failed; Google's class A shares until class C took the ticker."""
    room, folder = Room(tmp_path), real_folder() / "us_equities" / "lean"
    for path in (folder / "daily" / f"{ticker}.zip", folder / "map_files" / f"{ticker}.csv"):
        assert take_in(room.store, room.venue, path, keep=True).refusal == ""
    found = {row.symbol: (row.rows, str(row.last.date())) for row in coverage(*_of(room))}
    assert found == expected


def _of(room: Room) -> tuple[SourceStore, Venue]:
    return room.store, room.venue
