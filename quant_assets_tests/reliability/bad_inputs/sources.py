"""Rows 42 to 44: sources that answer with errors, with half a page, or with another history."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.pulling.paging import Answer, Pace, page_through
from quant_assets.adapters.pulling.ranges import Range, missing_ranges
from quant_assets.contracts.doubts import Doubts
from quant_assets.core.windows import Grid
from quant_assets_tests.operations.intake.deliveries import files_venue
from quant_assets_tests.reliability.bad_inputs.landing import SPAN, Landing, bar, table

HOUR = timedelta(hours=1)
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)


def case_42_error_instead_of_data(landing: Landing) -> None:
    """Refuse and keep nothing (for live answers, and backing off: `test_ccxt_exchange`)."""
    for name, content in (
        ("page.csv", "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"),
        ("page.json", "<html>maintenance</html>"),
        ("code.json", '{"code": -1003, "msg": "Too many requests"}'),
        ("code.csv", '{"code": -1003, "msg": "Too many requests"}'),
    ):
        landing.drop(content, name=name).refused(name)
    assert landing.store.receipts() == []
    assert landing.store.chunks("bars", *SPAN) == []


def case_43_page_cut_in_the_middle(landing: Landing) -> None:
    """Only contiguous ranges that an answer confirmed are complete; the rest is asked for again."""
    asked: list[Range] = []

    def ask(wanted: Range) -> Answer:
        asked.append(wanted)
        hours = [hour for hour in range(20) if wanted.holds(BEGIN + hour * HOUR)]
        kept = hours[:4] if len(asked) == 2 else hours  # the second answer lost its tail
        ts = pd.Series([BEGIN + hour * HOUR for hour in kept], dtype="datetime64[us, UTC]")
        return Answer(pd.DataFrame({"ts": ts}), b"")

    wanted, pace = Range(BEGIN, BEGIN + 30 * HOUR), Pace(HOUR, HOUR, HOUR, rows=10)
    pages = list(page_through(ask, wanted, pace))
    spans = [
        ((page.range.start - BEGIN) // HOUR, (page.range.end - BEGIN) // HOUR) for page in pages
    ]
    assert spans == [(0, 10), (10, 14), (14, 20)]
    missing = missing_ranges([page.range for page in pages], wanted)
    assert missing == [Range(BEGIN + 20 * HOUR, wanted.end)]
    without = missing_ranges([pages[0].range, pages[2].range], wanted)
    assert without[0] == Range(BEGIN + 10 * HOUR, BEGIN + 14 * HOUR)


def case_44_revised_history(landing: Landing) -> None:
    """A new version; the old one is kept, the difference noted, and the window is stale."""
    march, april = (Grid().window(day) for day in ("2024-03-01", "2024-04-01"))
    hours = [*range(5), *range(24 * 31, 24 * 31 + 5)]
    landing.drop(table(map(bar, hours)))
    provider = provider_for(files_venue(), landing.store)
    before = [provider.source_digest("bars", window) for window in (march, april)]
    again = landing.drop(table([bar(2, close="100.7"), bar(3)]), name="b.csv")
    assert (again.counts["revised"], again.counts["unchanged"]) == (1, 1)
    assert again.told == [(1, "flagged", "revised")]
    assert "close=100.5" in again.doubts.text[0]
    after = [provider.source_digest("bars", window) for window in (march, april)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]
    assert provider.fetch("bars", march).close.tolist() == [100.5, 100.5, 100.7, 100.5, 100.5]
    chunks = landing.store.chunks("bars", *SPAN)
    assert [landing.store.read(chunk).close.tolist() for chunk in chunks] == [[100.5] * 10, [100.7]]
    doubts = Doubts.check_frame(provider.fetch("doubts", march), where="doubts")
    assert doubts.reason.tolist() == ["revised"]
