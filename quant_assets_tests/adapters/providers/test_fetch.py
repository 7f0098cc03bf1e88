"""One step for all raw assets: datasets of the provider, sessions of the venue's calendar."""

from datetime import date

from quant_assets.adapters.calendars import session_bars
from quant_assets.adapters.providers import fetch
from quant_assets.adapters.providers.base import Provider, provider_for
from quant_assets.adapters.providers.fetch import fetch_window, window_digest
from quant_assets.contracts.sessions import Sessions
from quant_assets.core.windows import Grid
from quant_assets_tests.operations.intake.deliveries import files_venue

GRID = Grid(start=date(2020, 1, 1))


def provider(calendar: str) -> Provider:
    return provider_for(
        files_venue(calendar=calendar, asset_class="equity", funding="none", bar_length="1d")
    )


def test_fetch_window_hands_datasets_to_the_provider_and_sessions_to_the_calendar():
    window = GRID.window("2024-02-01")
    ours = provider("XNYS")
    assert fetch_window(ours, "bars", window).equals(ours.fetch("bars", window))
    assert window_digest(ours, "bars", window) == ours.source_digest("bars", window)
    days = Sessions.check_frame(fetch_window(ours, "sessions", window), where="sessions")
    assert days.equals(session_bars(ours.venue.market, *ours.span(window)))
    assert fetch_window(provider("24/7"), "sessions", window).empty


def test_window_digest_of_sessions_tells_windows_and_versions_of_the_calendar_apart(monkeypatch):
    february, march = (GRID.window(f"2024-0{month}-01") for month in (2, 3))
    ours = provider("XNYS")
    assert window_digest(ours, "sessions", february) == window_digest(ours, "sessions", february)
    assert window_digest(ours, "sessions", february) != window_digest(ours, "sessions", march)
    known = window_digest(ours, "sessions", february)
    monkeypatch.setattr(fetch, "calendar_version", lambda _code: "exchange-calendars 99")
    assert window_digest(ours, "sessions", february) != known
