"""Provider `yfinance`: daily bars, splits and dividends of Yahoo, pulled into the source store.

`fetch` reads the store alone; `pull` asks Yahoo (extra `equities`; its terms allow personal use).
Yahoo's prices are adjusted for splits as of the day on which one asks: a split changes all history
before it, so a pull that meets one takes the whole history again. yfinance prints what went wrong
and returns an empty frame; here that is a failure.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from quant_assets.adapters.providers.base import midnight
from quant_assets.adapters.pulling.base import Page, PullRequest
from quant_assets.adapters.pulling.ranges import Range
from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.clock import utc_now
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.sources import Sources
from quant_assets.core.venues import Strict, Venue

INSTALL = 'pip install "quant_assets[equities]"'
DAY = timedelta(days=1)
# A dividend needs the close before it; the longest closing of a US exchange since 1914 was a week.
BEFORE = timedelta(days=14)
PRICES = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
SPLITS, DIVIDENDS = "Stock Splits", "Dividends"
Download = Callable[[str, date, date], pd.DataFrame]
Clock = Callable[[], datetime]


class YfinanceSettings(Strict):
    """`symbols` are Yahoo's tickers; `time_out_seconds` is that of one request."""

    symbols: Annotated[list[Annotated[str, Field(pattern=r"^\S+$")]], Field(min_length=1)]
    datasets: Annotated[list[Literal["bars", "adjustments"]], Field(min_length=1)]
    time_out_seconds: Annotated[float, Field(gt=0)] = 10.0


class Yfinance(StoredProvider):
    """Daily bars as Yahoo shows them (split-adjusted), and the actions behind them."""

    name: ClassVar[str] = "yfinance"
    settings_model: ClassVar[type[Strict]] = YfinanceSettings
    settings: YfinanceSettings

    def __init__(self, venue: Venue, sources: Sources | None = None) -> None:
        super().__init__(venue, sources)
        self.download: Download = self._ask_yahoo
        self.clock: Clock = utc_now

    def check_venue(self) -> None:
        """Daily bars whose prices are adjusted for splits: there are no others."""
        market = self.venue.market
        if market.bar_length != DAY:
            self.refuse("market.bar_length", f"{market.bar_length} is not 1d, all that it pulls")
        if market.price_adjustment != "splits":
            self.refuse(
                "market.price_adjustment",
                f"{market.price_adjustment} is not splits, which Yahoo's prices are adjusted for",
            )

    def wanted(self) -> list[tuple[str, str]]:
        """See `Puller`."""
        return [(d, symbol) for d in self.settings.datasets for symbol in self.settings.symbols]

    def kept(self, dataset: str) -> timedelta | None:
        """See `Puller`; Yahoo tells its whole history."""
        del dataset

    def pull(self, request: PullRequest) -> Iterator[Page]:
        """See `Puller`; one page, which begins with the history when a split rewrote it."""
        if (request.dataset, request.symbol) not in self.wanted():
            raise ConfigError(
                f"venue {self.venue.name}: {request}: not among datasets and symbols of "
                "provider.settings"
            )
        start, end = _session(request.start), min(request.end, self._closed())
        if start >= end:
            return
        table = self._table(request, start, end)
        beginning = midnight(self.venue.history.first)
        if request.dataset == "bars" and start > beginning and _splits(table, since=start):
            start = beginning
            table = self._table(request, start, end)
        known = table["Close"].notna() & (table["ts"] >= start) & (table["ts"] < end)
        if not known.any():
            return
        # Rows without a price at the end are not ready yet: they are asked for again.
        end = min(end, table.loc[known, "ts"].max().to_pydatetime() + DAY)
        rows = _bars(table) if request.dataset == "bars" else _adjustments(table)
        rows = rows[(rows["ts"] >= start) & (rows["ts"] < end)].reset_index(drop=True)
        confirmed = Range(start, end)
        content = table.to_csv(index=False).encode()
        yield Page(request.dataset, request.symbol, rows, confirmed, content, "csv")

    def _closed(self) -> datetime:
        """End of the last session whose bar can be known by now."""
        return _session(self.clock() - self.venue.market.publication_delay)

    def _table(self, request: PullRequest, start: datetime, end: datetime) -> pd.DataFrame:
        """Yahoo's table with `ts` and `line`, from before `start` on; never an empty one."""
        after = _session(end + DAY - timedelta.resolution)
        answer = self.download(request.symbol, (start - BEFORE).date(), after.date())
        if not len(answer):
            raise self._failure(
                request,
                "Yahoo sent no rows (yfinance prints the cause above and returns an empty table)",
            )
        missing = [n for n in (*PRICES, SPLITS, DIVIDENDS) if n not in answer.columns]
        if missing:
            raise self._failure(
                request, f"columns {missing} are absent; there are {[*map(str, answer.columns)]}"
            )
        index = pd.DatetimeIndex(answer.index)
        days = index.tz_localize(None) if index.tz is not None else index
        ts = pd.Series(days.normalize().as_unit("us").tz_localize("UTC"))
        table = answer[[*PRICES, DIVIDENDS, SPLITS]].reset_index(drop=True).astype("float64")
        table.insert(0, "ts", ts)
        table.insert(1, "symbol", pd.Series([request.symbol] * len(table), dtype="str"))
        table["line"] = np.arange(1, len(table) + 1, dtype=np.int64)
        return table.sort_values("ts", kind="stable").reset_index(drop=True)

    def _failure(self, request: PullRequest, cause: str) -> DataError:
        return DataError(
            f"venue {self.venue.name}: yfinance: {request}: {cause}. Check the ticker in "
            "provider.settings.symbols and the network, and pull again later. Nothing of this "
            "answer was kept."
        )

    def _ask_yahoo(self, symbol: str, first: date, end: date) -> pd.DataFrame:
        """Yahoo's daily table of one ticker, `first <= day < end`, with actions."""
        try:
            import yfinance
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"venue {self.venue.name}: pulling needs the package {error.name}: {INSTALL}"
            ) from error
        # Answers about the past are remembered there by question, errors and pages of HTML, too.
        yfinance.data.YfData.cache_get.cache_clear()
        answer = yfinance.download(
            symbol,
            start=first.isoformat(),
            end=end.isoformat(),
            interval="1d",
            auto_adjust=False,
            actions=True,
            keepna=True,
            threads=False,
            progress=False,
            timeout=self.settings.time_out_seconds,
            multi_level_index=False,
        )
        return pd.DataFrame() if answer is None else answer


def _session(moment: datetime) -> datetime:
    """Begin of the UTC day that holds the moment."""
    return midnight(moment.date())


def _splits(table: pd.DataFrame, *, since: datetime) -> bool:
    ratios = table.loc[table["ts"] >= since, SPLITS]
    return bool(((ratios != 0.0) & (ratios != 1.0) & ratios.notna()).any())


def _bars(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.rename(columns=PRICES)
    return rows[["ts", "symbol", *PRICES.values(), "line"]]


def _adjustments(table: pd.DataFrame) -> pd.DataFrame:
    """Price factors: 1 / ratio of a split, 1 - cash / close of the bar before of a dividend.

    Close and cash are both as of today's number of shares, so their ratio is the published one.
    """
    close = table["Close"].ffill().shift(1)  # the last close that there was
    ratio, cash = table[SPLITS], table[DIVIDENDS]
    parts = [
        _events(table, "split", (ratio > 0.0) & (ratio != 1.0), 1.0 / ratio),
        _events(table, "dividend", cash > 0.0, 1.0 - cash / close),
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values(["ts", "kind"], kind="stable").reset_index(drop=True)


def _events(table: pd.DataFrame, kind: str, happened: pd.Series, factor: pd.Series) -> pd.DataFrame:
    rows = table.loc[happened, ["ts", "symbol"]]
    rows["kind"] = pd.Series([kind] * len(rows), index=rows.index, dtype="str")
    rows["price_factor"] = factor[happened].astype("float64")
    rows["line"] = table.loc[happened, "line"]
    return rows
