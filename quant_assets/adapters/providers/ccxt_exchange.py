"""Provider `ccxt`: what a crypto exchange publishes, pulled into the venue's source store.

`fetch` reads the store alone; `pull` asks the exchange (extra `crypto`). Bars are taken when they
have closed by the exchange's own clock. An order book is a snapshot of now: there is no history.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from quant_assets.adapters.pulling.base import Page, PullRequest
from quant_assets.adapters.pulling.ccxt_answers import (
    Columns,
    bar_columns,
    book_columns,
    funding_columns,
    open_interest_columns,
    raw_frame,
)
from quant_assets.adapters.pulling.ccxt_client import CcxtClient
from quant_assets.adapters.pulling.paging import Answer, Confirmed, Pace, page_through
from quant_assets.adapters.pulling.ranges import Range
from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.errors import ConfigError
from quant_assets.core.redaction import secrets_in
from quant_assets.core.venues import Duration, Strict, format_duration
from quant_assets.quant.market.bars import ALWAYS_OPEN

Pulled = Literal["bars", "funding", "open_interest", "order_book"]
Symbol = Annotated[str, Field(pattern=r"^[^\s/:]+/[^\s/:]+(:[^\s/:]+)?$")]
Rows = Annotated[int, Field(ge=2, le=5000)]
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Funding intervals of today's exchanges: pages are cut for the shortest, silence is the longest.
FUNDING_STEP, FUNDING_SILENCE = timedelta(hours=1), timedelta(hours=8)
# What ccxt says of an exchange that offers the dataset.
OFFERS: Mapping[str, str] = MappingProxyType(
    {
        "bars": "fetchOHLCV",
        "funding": "fetchFundingRateHistory",
        "open_interest": "fetchOpenInterestHistory",
        "order_book": "fetchOrderBook",
    }
)


class PageRows(Strict):
    """Rows that one answer may have; never more than the exchange's own limit.

    One of them is kept free: an exchange that counts the end of a range in, and sends the newest
    rows of what is too long, would else leave out the first.
    """

    bars: Rows = 500
    funding: Rows = 200
    open_interest: Rows = 200


class CcxtSettings(Strict):
    """Which exchange and symbols, what of them, and how patiently it is asked.

    `exchange` is its id in ccxt, `options` its options there. `open_interest_kept` is how far back
    the exchange tells open interest, null without end. `base_url` replaces all hosts of the
    exchange (a mirror). `volume_unit` says what ccxt's volumes count on this exchange. A bar is
    pulled `settle` after its close at the earliest: the last trades may come late. `page_end` has,
    by dataset, what the exchange calls the end of a page where ccxt does not translate its own
    `until`: without an end some exchanges send the newest rows, whatever was asked for.
    """

    exchange: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    symbols: Annotated[list[Symbol], Field(min_length=1)]
    datasets: Annotated[list[Pulled], Field(min_length=1)]
    page_rows: PageRows = PageRows()
    page_end: dict[Pulled, str] = Field(default_factory=dict)
    volume_unit: Literal["base", "contracts"] = "base"
    settle: Duration = timedelta(seconds=5)
    open_interest_step: Duration = timedelta(minutes=5)
    open_interest_kept: Duration | None = None
    book_levels: Annotated[int, Field(ge=1, le=5000)] = 20
    time_out: Duration = timedelta(seconds=10)
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    patience: Duration = timedelta(minutes=2)
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _symbols_say_it(cls, options: dict[str, Any]) -> dict[str, Any]:
        if "defaultType" in options:
            raise ValueError(
                "leave defaultType out: it turns a spot symbol into a perpetual; "
                "write a perpetual in full, BTC/USDT:USDT"
            )
        secrets = sorted(secrets_in(options))
        if secrets:
            raise ValueError(
                f"{secrets} belong into no file: public market data need no key, and settings are "
                "stored with every result"
            )
        return options

    @field_validator("base_url")
    @classmethod
    def _open_to_all(cls, base_url: str | None) -> str | None:
        if list(secrets_in({"base_url": base_url})):
            raise ValueError(
                "has a user, password or key in it, which belong into no file: settings are "
                "stored with every result"
            )
        return base_url

    @field_validator("symbols")
    @classmethod
    def _linear(cls, symbols: list[str]) -> list[str]:
        for symbol in symbols:
            pair, _, settle = symbol.partition(":")
            if settle and settle != pair.partition("/")[2]:
                raise ValueError(
                    f"{symbol} is settled in {settle}, not in its quote currency: volumes of such "
                    "contracts count quote currency; this provider knows spot and linear ones"
                )
        if len(set(symbols)) < len(symbols):
            raise ValueError("a symbol is named twice")
        return symbols


class Ccxt(StoredProvider):
    """Bars, funding, open interest and order books of one exchange."""

    name: ClassVar[str] = "ccxt"
    settings_model: ClassVar[type[Strict]] = CcxtSettings
    settings: CcxtSettings

    def check_venue(self) -> None:
        """Require round-the-clock bars with all prices, and what `market` says of funding."""
        market, settings = self.venue.market, self.settings
        if market.calendar != ALWAYS_OPEN:
            self.refuse("market.calendar", f"{market.calendar} is not 24/7, which exchanges are")
        if market.simulated:
            self.refuse("market.simulated", "is true, but an exchange's prices were traded")
        perpetuals = [symbol for symbol in settings.symbols if ":" in symbol]
        if market.asset_class == "crypto_perpetual" and not perpetuals:
            self.refuse(
                "provider.settings.symbols",
                "none is a perpetual, as market.asset_class says: write them in full, for example "
                f"{settings.symbols[0]}:{settings.symbols[0].partition('/')[2]}",
            )
        if market.funding == "required" and "funding" not in settings.datasets:
            self.refuse("provider.settings.datasets", "must have funding: market.funding needs it")

    def wanted(self) -> list[tuple[str, str]]:
        """See `Puller`; spot has neither funding nor open interest."""
        return [
            (dataset, symbol)
            for dataset in self.settings.datasets
            for symbol in self.settings.symbols
            if ":" in symbol or dataset in ("bars", "order_book")
        ]

    def kept(self, dataset: str) -> timedelta | None:
        """See `Puller`; exchanges forget open interest after some time."""
        return self.settings.open_interest_kept if dataset == "open_interest" else None

    def pull(self, request: PullRequest) -> Iterator[Page]:
        """See `Puller`; an order book is pulled when the request holds this moment."""
        if (request.dataset, request.symbol) not in self.wanted():
            raise ConfigError(
                f"venue {self.venue.name}: {request}: not among datasets and symbols of "
                "provider.settings"
            )
        market = self._market(request)
        now = self.client.server_time(request)
        if request.dataset == "order_book":
            yield from self._snapshot(request, now)
            return
        pace, read = self._pace(request.dataset), self._reader(request, market)
        askable = self._askable(request, now)
        if askable is None:
            return
        begin = self._listed(askable, market, read, pace)
        for found in page_through(read, begin, pace):
            lists = found.range.start == begin.start  # nothing was there before the listing
            start = askable.start if lists else found.range.start
            yield self._page(request, replace(found, range=Range(start, found.range.end)))

    @cached_property
    def client(self) -> CcxtClient:
        """The exchange, as it is asked; nothing is imported before the first question."""
        return CcxtClient(self.venue.name, self.settings)

    def _market(self, request: PullRequest) -> dict[str, Any]:
        """Facts of the symbol; the exchange must offer the dataset, and bars of this length."""
        client, exchange = self.client, self.client.exchange
        if not exchange.has.get(OFFERS[request.dataset]):
            self.refuse(
                "provider.settings.datasets",
                f"{self.settings.exchange} has no {request.dataset} to pull: leave it out, and "
                "drop files instead",
            )
        if request.dataset in ("bars", "open_interest"):
            self._timeframe(request.dataset)
        markets = client.ask(request, "load_markets")
        if request.symbol not in markets:
            near = ", ".join(difflib.get_close_matches(request.symbol, list(markets), n=3))
            raise client.refusal(
                request,
                f"{self.settings.exchange} does not list {request.symbol}; near it: {near or '–'}",
                "Mend provider.settings.symbols",
            )
        return dict(markets[request.symbol])

    def _timeframe(self, dataset: str) -> str:
        bars = dataset == "bars"
        length = self.venue.market.bar_length if bars else self.settings.open_interest_step
        text, known = format_duration(length), self.client.exchange.timeframes or {}
        if text not in known:
            key = "market.bar_length" if bars else "provider.settings.open_interest_step"
            self.refuse(key, f"{text} is not among {', '.join(known)} of {self.settings.exchange}")
        return text

    def _pace(self, dataset: str) -> Pace:
        rows = self.settings.page_rows
        if dataset == "bars":
            length = self.venue.market.bar_length
            return Pace(length, length, length, rows.bars - 1)
        if dataset == "funding":
            return Pace(FUNDING_STEP, FUNDING_SILENCE, MILLISECOND, rows.funding - 1)
        step = self.settings.open_interest_step
        return Pace(step, step, MILLISECOND, rows.open_interest - 1)

    def _askable(self, request: PullRequest, now: datetime) -> Range | None:
        """The part of the request that can be there: closed bars, and what is still kept."""
        start, end = request.start, min(request.end, now)
        if request.dataset == "bars":
            length = self.venue.market.bar_length
            wait = self.venue.market.publication_delay + self.settings.settle
            end = min(end, _floor(now - wait, length))
        kept = self.kept(request.dataset)
        if kept is not None:
            start = max(start, now - kept)
        return Range(start, end) if start < end else None

    def _listed(
        self,
        askable: Range,
        market: dict[str, Any],
        read: Callable[[Range], Answer],
        pace: Pace,
    ) -> Range:
        """Leave out the time before the listing, once the page before it was seen to be empty.

        (The listing that an exchange tells may be a later one, of a symbol that came back.)
        """
        created = market.get("created")
        if not isinstance(created, int):
            return askable
        listed = _floor(EPOCH + timedelta(milliseconds=created), pace.step)
        if not askable.start < listed < askable.end:
            return askable
        before = max(askable.start, listed - pace.rows * pace.step)
        if len(read(Range(before, listed)).frame):
            return askable
        return Range(listed, askable.end)

    def _reader(self, request: PullRequest, market: dict[str, Any]) -> Callable[[Range], Answer]:
        """Make the function that asks for a range and gives its rows."""
        dataset, symbol = request.dataset, request.symbol
        step, scale = self._pace(dataset).step, self._base_per_volume(market)
        names = {str(key): name for key, name in self.settings.page_end.items()}
        last = names.get(dataset, "until")

        def read(asked: Range) -> Answer:
            since, until = _milliseconds(asked.start), _milliseconds(asked.end) - 1
            ends = (since, 1 - (asked.start - asked.end) // step, {last: until})
            what = PullRequest(dataset, symbol, asked.start, asked.end)
            if dataset == "funding":
                rows = self.client.ask(what, "fetch_funding_rate_history", symbol, *ends)
                return self._answer(what, lambda: funding_columns(rows))
            period = self._timeframe(dataset)
            if dataset == "open_interest":
                rows = self.client.ask(what, "fetch_open_interest_history", symbol, period, *ends)
                return self._answer(what, lambda: open_interest_columns(rows, market))
            rows = self.client.ask(what, "fetch_ohlcv", symbol, period, *ends)
            return self._answer(what, lambda: bar_columns(rows, base_per_volume=scale))

        return read

    def _base_per_volume(self, market: dict[str, Any]) -> float:
        if self.settings.volume_unit == "base" or not market.get("contract"):
            return 1.0
        return float(market["contractSize"])

    def _answer(self, what: PullRequest, columns: Callable[[], Columns]) -> Answer:
        """Rows of an answer inside what was asked for; `DataError` when they are no rows."""
        try:
            frame = raw_frame(columns(), what.symbol, what.range)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            cause = f"its rows are not understood ({type(error).__name__}: {error})"
            raise self.client.refusal(what, cause, "Pull again later, or update ccxt") from error
        return Answer(frame, self.client.content())

    def _snapshot(self, request: PullRequest, now: datetime) -> Iterator[Page]:
        """The book of this moment, which confirms nothing but itself."""
        if not request.range.holds(now):
            return
        levels = self.settings.book_levels
        book = self.client.ask(request, "fetch_order_book", request.symbol, levels)
        moment = _milliseconds(now)
        answer = self._answer(request, lambda: book_columns(book, now=moment, levels=levels))
        if not len(answer.frame):
            raise self.client.refusal(request, "its book is empty", "Pull again later")
        start = answer.frame["ts"].iloc[0].to_pydatetime()
        yield self._page(request, Confirmed(Range(start, start + MILLISECOND), answer))

    def _page(self, request: PullRequest, found: Confirmed) -> Page:
        frame, content = found.answer.frame, found.answer.content
        return Page(request.dataset, request.symbol, frame, found.range, content, "json")


def _floor(moment: datetime, step: timedelta) -> datetime:
    """The last whole `step` since 1970 that is not after the moment."""
    return EPOCH + (moment - EPOCH) // step * step


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND
