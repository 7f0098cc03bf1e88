"""The packaged venues of files: complete, feasible, and able to take what they say they take."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.providers.files import Files
from quant_assets.adapters.venues.loader import load_venues
from quant_assets.core.venues import History, Venue
from quant_assets.core.windows import Window
from quant_assets.operations.intake.landing import take_in
from quant_assets.quant.market.row_checks.check import Checked, check_rows
from quant_assets.quant.market.row_checks.rules import RowRules
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.adapters.tabular.table_files import Folder, read_path, rows_of

NAMES = ["fx_spot", "us_equities_lean", "us_equities_yahoo"]
NOW = datetime(2026, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def venues() -> dict[str, Venue]:
    return load_venues(None)


def taken(path: Path, venue: Venue, dataset: str) -> Checked:
    rows = rows_of(read_path(path, venue)[1], dataset)
    return check_rows(dataset, rows, RowRules.of(venue, file=path.name, received_at=NOW))


@pytest.mark.parametrize("name", NAMES)
def test_packaged_venue_of_files_is_feasible_and_empty_until_something_is_delivered(
    venues: dict[str, Venue], name: str
):
    venue = venues[name]
    provider = provider_for(venue)
    assert isinstance(provider, Files)
    assert provider.history() is None
    symbols = provider.settings.symbols
    assert not symbols or len(symbols) * venue.optimization.max_weight >= venue.optimization.budget


def test_equities_are_adjusted_on_read_and_say_that_they_are_survivors(venues: dict[str, Venue]):
    for name, published in (("us_equities_lean", "none"), ("us_equities_yahoo", "splits")):
        provider = provider_for(venues[name])
        assert isinstance(provider, Files)
        assert (provider.published, provider.adjusts) == (published, True)
        stamps = [stamp.split(":")[0] for stamp in venues[name].stamps()]
        assert stamps == ["SURVIVORS ONLY", "PRICES ADJUSTED"]


def test_yahoos_file_is_taken_on_the_dates_of_its_sessions(
    venues: dict[str, Venue], tmp_path: Path
):
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2017-09-01,1,2,0.5,1.5,1.4,100\n"
    path = Folder(tmp_path).text("NA.csv", text)
    frame = taken(path, venues["us_equities_yahoo"], "bars").frame
    assert frame[["symbol", "close", "volume"]].to_numpy().tolist() == [["NA", 1.5, 100.0]]
    assert str(frame["ts"].iloc[0]) == "2017-09-01 00:00:00+00:00"
    assert str(frame["available_at"].iloc[0]) == "2017-09-02 00:00:00+00:00"


def test_leans_files_are_taken_as_bars_events_and_tickers(venues: dict[str, Venue], tmp_path: Path):
    folder, venue = Folder(tmp_path), venues["us_equities_lean"]
    bars = folder.zip("wm.zip", {"wm.csv": "19981209 00:00,353100,358800,348800,356300,3241200\n"})
    assert taken(bars, venue, "bars").frame["close"].tolist() == [35.63]
    factors = folder.text("wm.csv", "19980102,0.5,1,1\n19980925,0.5,1,48.81\n20501231,1,1,0\n")
    events = taken(factors, venue, "adjustments").frame
    assert events[["kind", "price_factor"]].to_numpy().tolist() == [["dividend", 0.5]]
    tickers = folder.text("gone.csv", "19980102,uw,N\n19980716,uw,N\n20501231,wm,N\n")
    names = taken(tickers, venue, "aliases").frame
    assert names["ticker"].tolist() == ["UW", "WM"]
    assert str(names["last"].iloc[0])[:10] == "1998-07-16"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("eurusd.csv", "20070101 00:00,1.25,1.5,1.0,1.25,0,1.25,1.5,1.0,1.25,0\n"),
        (
            "EURUSDd1.csv",
            "Date,open,high,low,close,tick_volume\n2007-01-01,125000,150000,100000,125000,9\n",
        ),
    ],
)
def test_both_kinds_of_fx_files_give_one_series(
    venues: dict[str, Venue], tmp_path: Path, name: str, text: str
):
    result = taken(Folder(tmp_path).text(name, text), venues["fx_spot"], "bars")
    assert result.frame[["symbol", "open", "high", "low", "close"]].to_numpy().tolist() == [
        ["EURUSD", 1.25, 1.5, 1.0, 1.25]
    ]
    assert result.doubts.empty


def test_delivered_files_come_back_adjusted_and_of_the_chosen_symbols_alone(
    venues: dict[str, Venue], tmp_path: Path
):
    """A 2:1 split after the 28th, and a dividend of 10 on a close of 100 after the 29th."""
    spec = venues["us_equities_lean"].provider
    chosen = spec.model_copy(update={"settings": {**spec.settings, "symbols": ["AAPL"]}})
    venue = venues["us_equities_lean"].model_copy(update={"provider": chosen})
    folder, store = Folder(tmp_path), SourceStore(Layout(tmp_path), venue.name)
    closes = (("20240228", 200), ("20240229", 100), ("20240301", 90))
    bars = "".join(f"{day} 00:00,{c}0000,{c}0000,{c}0000,{c}0000,5\n" for day, c in closes)
    factors = "20240101,0.9,0.5,1\n20240228,0.9,0.5,200\n20240229,0.9,1,100\n20501231,1,1,0\n"
    for path in (
        folder.zip("aapl.zip", {"aapl.csv": bars}),
        folder.text("aapl.csv", factors),
        folder.zip("spy.zip", {"spy.csv": bars}),
    ):
        assert take_in(store, venue, path).refusal == ""
    provider = provider_for(venue, store)
    assert provider.history() == History(first=date(2024, 2, 28), last=date(2024, 3, 1))
    window = Window(key="x", start=datetime(2024, 1, 1, tzinfo=UTC), end=NOW)
    frame = provider.fetch("bars", window)
    assert frame["symbol"].unique().tolist() == ["AAPL"]
    assert frame["close"].tolist() == pytest.approx([200, 200, 200], rel=1e-12)
    assert frame["volume"].tolist() == [5.0, 2.5, 2.5]
    benchmark = provider.fetch("reference", window)
    assert benchmark["returns"].tolist()[1:] == pytest.approx([-0.5, -0.1], rel=1e-12)
