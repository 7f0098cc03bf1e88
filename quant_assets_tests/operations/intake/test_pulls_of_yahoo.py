"""Yahoo, asked by yfinance itself, pulled into a source store; the server is this machine's."""

import logging
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from quant_assets.adapters.providers.yahoo_finance import Yfinance
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.operations.intake.inspection import coverage
from quant_assets.operations.intake.pulls import Pull, pull_venue
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.adapters.providers.test_yahoo_finance import (
    NEEDS_EQUITIES,
    NOW,
    TABLE,
    day,
    yahoo_venue,
)
from quant_assets_tests.adapters.providers.yahoo_server import (
    CUT,
    HTML,
    NOT_FOUND,
    TOO_MANY,
    Reply,
    Yahoo,
    serve,
)

pytestmark = [
    NEEDS_EQUITIES,
    pytest.mark.slow,  # the first import of yfinance takes a second
    # yfinance 1.7 itself calls pandas 3.1 in a way that pandas 4 will not have.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning"),
]
JUNE = Grid().window("2024-06-01")


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """yfinance with its own session, whose requests all go to the server; its caches are empty."""
    import yfinance
    from yfinance import data, multi
    from yfinance._http import _backend

    plain = [row for row in TABLE if row[3] == 0.0]
    with serve({"NVDA": TABLE, "BRK-B": plain}) as running:

        class Session(_backend.Session):
            def request(self, method: str, url: str, *arguments: Any, **words: Any) -> Any:
                assert urlsplit(url).hostname.endswith(".yahoo.com")
                return super().request(
                    method, running.url + urlsplit(url).path, *arguments, **words
                )

        # On import it asks for warnings about itself, before the filters of this file.
        warnings.filterwarnings("ignore", "The inplace keyword in", DeprecationWarning)
        yfinance.set_tz_cache_location(str(tmp_path / "yahoo"))
        shared = data.YfData()
        monkeypatch.setattr(multi, "new_session", Session)
        for name, value in {"_cookie": None, "_crumb": None, "_cookie_strategy": "basic"}.items():
            monkeypatch.setattr(shared, name, value)
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)
        yield running


def made(folder: Path, **settings: Any) -> tuple[SourceStore, Venue, Yfinance]:
    venue = yahoo_venue(**{"time_out_seconds": 2.0, **settings})
    store = SourceStore(Layout(folder), venue.name)
    provider = Yfinance(venue, store)
    provider.clock = lambda: NOW
    return store, venue, provider


def rows(found: Pull) -> dict[tuple[str, str], int]:
    return {(each.dataset, each.symbol): each.rows for each in found.pulled}


def test_yahoo_is_pulled_through_yfinance_and_read_back(yahoo: Yahoo, tmp_path: Path):
    store, venue, provider = made(tmp_path)
    found = pull_venue(store, venue, provider, NOW)
    assert found.failures == []
    assert rows(found) == {
        ("bars", "NVDA"): 6,
        ("bars", "BRK-B"): 5,
        ("adjustments", "NVDA"): 3,
        ("adjustments", "BRK-B"): 2,
    }
    bars = provider.fetch("bars", JUNE)
    mine = bars[bars["symbol"] == "NVDA"]
    assert mine["close"].tolist() == [120.0, 125.0, 126.0, 128.0, 127.0, 129.0]
    assert mine["low"].tolist() == [118.0, 123.0, 124.0, 126.0, 125.0, 127.0]
    assert mine["ts"].iloc[-1] == day("2024-06-13"), "the session that is open is not there"
    events = provider.fetch("adjustments", JUNE)
    split = events[events["kind"] == "split"]
    assert split["price_factor"].tolist() == [0.1]
    paid = events[(events["kind"] == "dividend") & (events["symbol"] == "NVDA")]
    assert paid["price_factor"].tolist() == [1 - 2.5 / 126.0, 1 - 1.27 / 127.0]
    assert {row.symbol for row in coverage(store, venue)} == {"NVDA", "BRK-B"}
    asked = len(yahoo.charts())
    assert pull_venue(store, venue, provider, NOW).receipts == []
    assert len(yahoo.charts()) == asked, "what is confirmed is not asked for again"


def test_a_split_that_comes_later_rewrites_the_history_as_a_revision(yahoo: Yahoo, tmp_path: Path):
    store, venue, provider = made(tmp_path, symbols=["NVDA"], datasets=["bars"])
    yahoo.tables["NVDA"] = [(d, c * 10, 0.0, 0.0) for d, c, _, _ in TABLE[:2] if c is not None]
    provider.clock = lambda: day("2024-06-08")
    pull_venue(store, venue, provider, provider.clock())
    assert provider.fetch("bars", JUNE)["close"].tolist() == [1200.0, 1250.0]
    yahoo.tables["NVDA"] = TABLE
    provider.clock = lambda: NOW
    found = pull_venue(store, venue, provider, NOW)
    assert found.receipts[0].counts["bars"]["revised"] == 2
    assert provider.fetch("bars", JUNE)["close"].tolist()[:2] == [120.0, 125.0]


@pytest.mark.parametrize(
    "fault",
    [NOT_FOUND, TOO_MANY, HTML, CUT, Reply(503), Reply(wait=3.0)],
    ids=["delisted", "too many", "down", "cut", "503", "hangs"],
)
def test_whatever_yahoo_does_wrong_is_a_failure_and_the_next_pull_mends_it(
    yahoo: Yahoo, tmp_path: Path, fault: Reply
):
    store, venue, provider = made(
        tmp_path, symbols=["NVDA"], datasets=["bars"], time_out_seconds=0.5
    )
    yahoo.fault = fault
    found = pull_venue(store, venue, provider, NOW)
    assert len(found.failures) == 1
    assert "Yahoo sent no rows" in found.failures[0]
    assert store.receipts() == []
    yahoo.fault = None
    again = pull_venue(store, venue, provider, NOW + timedelta(minutes=5))
    assert (again.failures, rows(again)) == ([], {("bars", "NVDA"): 6})
