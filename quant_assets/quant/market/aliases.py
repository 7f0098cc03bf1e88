"""Which instrument a ticker meant on a day: renames, and tickers that were given out again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError


@dataclass(frozen=True)
class Alias:
    """`ticker` meant `instrument` from `first` to `last`, both included; None is still today."""

    ticker: str
    instrument: str
    first: date
    last: date | None = None

    @property
    def until(self) -> date:
        """The last day on which the alias may hold."""
        return self.last or date.max

    def __str__(self) -> str:
        """Tell what is meant, and when."""
        return f"{self.instrument} {self.first} to {self.last or 'today'}"


def dated_names(aliases: pd.DataFrame) -> list[Alias]:
    """Rows of the contract `Aliases` as objects, in their order."""
    columns = (aliases[name].tolist() for name in ("ticker", "symbol", "ts", "last"))
    return [
        Alias(ticker, symbol, ts.date(), None if pd.isna(last) else last.date())
        for ticker, symbol, ts, last in zip(*columns, strict=True)
    ]


def with_strangers(names: Iterable[Alias]) -> list[Alias]:
    """The names, and one for every span in which an instrument's ticker was somebody else's.

    Where `WM` is an instrument that had the ticker WM from 2009-08-05 on, nobody says who had it
    before: that one is `WM-UNTIL-20090804`. After the last day of an instrument that ended, its
    ticker is `XYZ-SINCE-20190102`. A ticker that is no instrument's own name is left alone.
    Raises `DataError` when two instruments have one ticker on one day.
    """
    found = list(names)
    own = {alias.instrument for alias in found}
    by_ticker: dict[str, list[Alias]] = {}
    for alias in found:
        by_ticker.setdefault(alias.ticker, []).append(alias)
    for ticker in sorted(by_ticker):
        claimed = _in_order(by_ticker[ticker])
        if ticker in own:
            found += _unclaimed(ticker, claimed)
    return found


def _unclaimed(ticker: str, claimed: list[Alias]) -> Iterator[Alias]:
    """Spans between, before and behind the claims, which are in order and do not overlap."""
    first: date | None = date.min
    for alias in claimed:
        if first is not None and first < alias.first:
            before = alias.first - timedelta(days=1)
            yield Alias(ticker, f"{ticker}-UNTIL-{before:%Y%m%d}", first, before)
        first = None if alias.last is None else alias.last + timedelta(days=1)
    if first is not None:
        yield Alias(ticker, f"{ticker}-SINCE-{first:%Y%m%d}", first)


def by_instrument(rows: pd.DataFrame, names: Iterable[Alias]) -> pd.DataFrame:
    """Rows with the instrument in place of a ticker that meant it on the row's UTC day.

    Columns ts and symbol are looked at; rows stay in their order. Where nobody claims a ticker on a
    day, the ticker is the symbol.
    """
    if not len(rows):
        return rows
    days = rows["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    first, last = days.min(), days.max()
    wanted = [
        alias
        for alias in names
        if alias.ticker != alias.instrument and alias.first <= last and alias.until >= first
    ]
    if not wanted:
        return rows
    codes, tickers = pd.factorize(rows["symbol"])
    position = {ticker: code for code, ticker in enumerate(tickers)}
    symbols = rows["symbol"].to_numpy(dtype=object)
    for alias in wanted:
        meant = (days >= np.datetime64(alias.first)) & (days <= np.datetime64(alias.until))
        symbols[(codes == position.get(alias.ticker, -1)) & meant] = alias.instrument
    return rows.assign(symbol=pd.Series(symbols, index=rows.index, dtype="str"))


def _in_order(aliases: Sequence[Alias]) -> list[Alias]:
    ordered = sorted(aliases, key=lambda alias: (alias.first, alias.until))
    for alias in ordered:
        if alias.until < alias.first:
            raise DataError(f"alias of {alias.ticker}: {alias} ends before it begins")
    for earlier, later in pairwise(ordered):
        if later.first <= earlier.until:
            raise DataError(
                f"aliases of {earlier.ticker} overlap: {earlier}, and {later}. End the first one "
                f"before {later.first}."
            )
    return ordered
