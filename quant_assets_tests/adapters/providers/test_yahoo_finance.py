"""Provider `yfinance` on tables as yfinance returns them, worked by hand; nothing is downloaded."""

import inspect
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from typing import Any

import pandas as pd
import pytest

from quant_assets.adapters.layouts.base import RAW_COLUMNS
from quant_assets.adapters.providers.yahoo_finance import Yfinance
from quant_assets.adapters.pulling.base import Page, Puller, PullRequest
from quant_assets.adapters.pulling.ranges import Range
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue
from quant_assets.quant.market.row_checks.check import check_rows
from quant_assets.quant.market.row_checks.rules import RowRules

NEEDS_EQUITIES = pytest.mark.skipif(
    find_spec("yfinance") is None,
    reason='the extra is absent: pip install "quant_assets[equities]"',
)
# day, close, dividend, split ratio; Friday 2024-06-07 to Friday 2024-06-14
TABLE = [
    ("2024-06-06", 120.0, 0.0, 0.0),
    ("2024-06-07", 125.0, 0.0, 0.0),
    ("2024-06-10", 126.0, 0.0, 10.0),
    ("2024-06-11", 128.0, 2.5, 0.0),
    ("2024-06-12", 127.0, 0.0, 0.0),
    ("2024-06-13", 129.0, 1.27, 0.0),
    ("2024-06-14", 130.0, 0.0, 0.0),
]
NOW = datetime(2024, 6, 14, 20, 0, tzinfo=UTC)  # New York is still trading


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Yahoo:
    """Serves rows of the table as yfinance does, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, date, date]] = []

    def __call__(self, symbol: str, first: date, end: date) -> pd.DataFrame:
        self.asked.append((symbol, first, end))
        rows = [row for row in TABLE if first.isoformat() <= row[0] < end.isoformat()]
        close = [row[1] for row in rows]
        return pd.DataFrame(
            {
                "Adj Close": [c * 0.9 for c in close],
                "Close": close,
                "Dividends": [row[2] for row in rows],
                "High": [c + 1 for c in close],
                "Low": [c - 2 for c in close],
                "Open": [c - 1 for c in close],
                "Stock Splits": [row[3] for row in rows],
                "Volume": [1000] * len(rows),
            },
            index=pd.DatetimeIndex([row[0] for row in rows], name="Date"),
        )


def yahoo_venue(market: dict[str, Any] | None = None, **settings: Any) -> Venue:
    return Venue.model_validate(
        {
            "name": "test_yahoo",
            "title": "test",
            "provider": {
                "name": "yfinance",
                "settings": {
                    "symbols": ["NVDA", "BRK-B"],
                    "datasets": ["bars", "adjustments"],
                    **settings,
                },
            },
            "history": {"first": "2024-06-06"},
            "market": {
                "asset_class": "equity",
                "currency": "USD",
                "calendar": "XNYS",
                "time_zone": "America/New_York",
                "bar_length": "1d",
                "bars_per_year": 252,
                "price_fields": ["open", "high", "low", "close", "volume"],
                "price_adjustment": "splits",
                **(market or {}),
            },
            "alpha": {"month_bars": 21},
        }
    )


@pytest.fixture
def yahoo() -> Yahoo:
    return Yahoo()


@pytest.fixture
def provider(yahoo: Yahoo) -> Yfinance:
    made = Yfinance(yahoo_venue())
    made.download, made.clock = yahoo, lambda: NOW
    return made


def pull(provider: Yfinance, dataset: str, start: str, end: str) -> list[Page]:
    return list(provider.pull(PullRequest(dataset, "NVDA", day(start), day(end))))


def test_bars_are_the_closed_sessions_of_the_range(provider: Yfinance, yahoo: Yahoo) -> None:
    [page] = pull(provider, "bars", "2024-06-11", "2024-06-20")
    frame = page.frame
    assert frame["ts"].tolist() == [day("2024-06-11"), day("2024-06-12"), day("2024-06-13")]
    assert frame["close"].tolist() == [128.0, 127.0, 129.0]
    assert frame["open"].tolist() == [127.0, 126.0, 128.0]
    assert frame["low"].tolist() == [126.0, 125.0, 127.0]
    assert tuple(frame.columns) == RAW_COLUMNS["bars"]
    assert page.confirmed == Range(day("2024-06-11"), day("2024-06-14"))
    assert yahoo.asked == [("NVDA", date(2024, 5, 28), date(2024, 6, 14))]
    assert page.content.decode().splitlines()[0].startswith("ts,symbol,Open,High,Low,Close")


def test_bars_of_today_are_known_when_the_day_and_the_delay_are_over(provider: Yfinance) -> None:
    for hours, last in ((27.9, "2024-06-13"), (28.0, "2024-06-14")):
        provider.clock = lambda hours=hours: day("2024-06-14") + timedelta(hours=hours)
        venue = yahoo_venue({"publication_delay": "4h"})
        made = Yfinance(venue)
        made.download, made.clock = provider.download, provider.clock
        [page] = pull(made, "bars", "2024-06-11", "2024-06-20")
        assert page.frame["ts"].iloc[-1] == day(last)


def test_bars_a_day_without_a_price_is_a_row_unless_it_is_the_last(
    provider: Yfinance, yahoo: Yahoo
) -> None:
    def download(*asked: Any) -> pd.DataFrame:
        return yahoo(*asked).mask(lambda table: table["Close"].isin([128.0, 129.0]))

    provider.download = download
    [page] = pull(provider, "bars", "2024-06-11", "2024-06-20")
    assert page.frame["ts"].tolist() == [day("2024-06-11"), day("2024-06-12")]
    assert page.frame["close"].isna().tolist() == [True, False]
    assert page.confirmed == Range(day("2024-06-11"), day("2024-06-13"))


def test_bars_a_split_inside_the_range_takes_the_whole_history_again(
    provider: Yfinance, yahoo: Yahoo
) -> None:
    [page] = pull(provider, "bars", "2024-06-10", "2024-06-13")
    assert page.confirmed == Range(day("2024-06-06"), day("2024-06-13"))
    assert len(page.frame) == 5
    assert [first for _, first, _ in yahoo.asked] == [date(2024, 5, 27), date(2024, 5, 23)]


def test_adjustments_are_splits_and_dividends_against_the_close_before(
    provider: Yfinance,
) -> None:
    [page] = pull(provider, "adjustments", "2024-06-07", "2024-06-14")
    rows = [(row.ts.to_pydatetime(), row.kind, row.price_factor) for row in page.frame.itertuples()]
    assert rows == [
        (day("2024-06-10"), "split", 0.1),
        (day("2024-06-11"), "dividend", 1.0 - 2.5 / 126.0),
        (day("2024-06-13"), "dividend", 1.0 - 1.27 / 127.0),
    ]
    assert tuple(page.frame.columns) == RAW_COLUMNS["adjustments"]
    assert page.confirmed == Range(day("2024-06-07"), day("2024-06-14"))


def test_adjustments_of_the_first_day_know_the_close_before_the_range(provider: Yfinance) -> None:
    [page] = pull(provider, "adjustments", "2024-06-11", "2024-06-12")
    assert page.frame["price_factor"].tolist() == [1.0 - 2.5 / 126.0]


def test_adjustments_a_range_without_any_is_confirmed_by_its_bars(provider: Yfinance) -> None:
    [page] = pull(provider, "adjustments", "2024-06-12", "2024-06-13")
    assert len(page.frame) == 0
    assert page.confirmed == Range(day("2024-06-12"), day("2024-06-13"))


def test_pages_pass_the_row_checks(provider: Yfinance) -> None:
    assert isinstance(provider, Puller)
    rules = RowRules.of(provider.venue, file="page.csv", received_at=NOW)
    for dataset in ("bars", "adjustments"):
        [page] = pull(provider, dataset, "2024-06-06", "2024-06-20")
        checked = check_rows(dataset, page.frame, rules)
        assert len(checked.frame) == len(page.frame) > 0
        assert len(checked.doubts) == 0


def test_pull_a_weekend_confirms_nothing(provider: Yfinance) -> None:
    assert pull(provider, "bars", "2024-06-08", "2024-06-10") == []


def test_pull_what_has_not_happened_yet_asks_nobody(provider: Yfinance, yahoo: Yahoo) -> None:
    assert pull(provider, "bars", "2024-06-14", "2024-06-20") == []
    assert yahoo.asked == []


def test_pull_an_empty_frame_is_a_failure_that_names_what_was_asked(provider: Yfinance) -> None:
    provider.download = lambda *_: pd.DataFrame()
    with pytest.raises(DataError) as caught:
        pull(provider, "bars", "2024-06-11", "2024-06-13")
    text = str(caught.value)
    assert text.startswith(
        "venue test_yahoo: yfinance: bars of NVDA [2024-06-11T00:00:00Z, 2024-06-13T00:00:00Z): "
    )
    assert "sent no rows" in text
    assert "provider.settings.symbols" in text


def test_pull_a_table_without_actions_is_a_failure(provider: Yfinance, yahoo: Yahoo) -> None:
    provider.download = lambda *asked: yahoo(*asked).drop(columns=["Dividends"])
    with pytest.raises(DataError, match=r"columns \['Dividends'\] are absent; there are"):
        pull(provider, "adjustments", "2024-06-11", "2024-06-13")


def test_pull_of_what_the_venue_does_not_name_is_refused(provider: Yfinance) -> None:
    with pytest.raises(ConfigError, match="not among datasets and symbols"):
        list(provider.pull(PullRequest("bars", "SPY", day("2024-06-11"), day("2024-06-13"))))


@NEEDS_EQUITIES
def test_download_asks_yfinance_for_raw_prices_and_actions(
    monkeypatch: pytest.MonkeyPatch, yahoo: Yahoo
) -> None:
    import yfinance

    signature, seen = inspect.signature(yfinance.download), {}

    def download(*arguments: Any, **named: Any) -> pd.DataFrame:
        seen.update(signature.bind(*arguments, **named).arguments)
        return yahoo(seen["tickers"], *(date.fromisoformat(seen[n]) for n in ("start", "end")))

    monkeypatch.setattr(yfinance, "download", download)
    provider = Yfinance(yahoo_venue())
    provider.clock = lambda: NOW
    [page] = pull(provider, "bars", "2024-06-11", "2024-06-14")
    assert len(page.frame) == 3
    assert (seen["auto_adjust"], seen["actions"], seen["interval"]) == (False, True, "1d")
    assert (seen["multi_level_index"], seen["progress"]) == (False, False)


def test_download_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(ConfigError, match=r'pip install "quant_assets\[equities\]"'):
        pull(Yfinance(yahoo_venue()), "bars", "2024-06-11", "2024-06-13")


@pytest.mark.parametrize(
    ("market", "words"),
    [
        ({"bar_length": "1h", "bars_per_year": 1764}, r"market\.bar_length: 1:00:00 is not 1d"),
        ({"price_adjustment": "none"}, r"price_adjustment: none is not splits"),
        ({"price_adjustment": "total_return"}, r"price_adjustment: total_return is not splits"),
    ],
)
def test_venue_that_cannot_be_served_is_refused(market: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Yfinance(yahoo_venue(market))
