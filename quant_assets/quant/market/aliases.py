"""Which instrument a ticker meant on a day: renames, and tickers that were given out again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

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


def instrument_on(aliases: Iterable[Alias], ticker: str, day: date) -> str:
    """Find the instrument that `ticker` meant on `day`.

    A ticker without an alias is its own instrument. Raises `DataError` for a ticker that has
    aliases, none of which holds on that day, and for aliases of one ticker that overlap.
    """
    own = _in_order([alias for alias in aliases if alias.ticker == ticker])
    if not own:
        return ticker
    for alias in own:
        if alias.first <= day <= alias.until:
            return alias.instrument
    known = ", ".join(str(alias) for alias in own)
    raise DataError(
        f"ticker {ticker} means no instrument on {day}; its aliases: {known}. Add the one that "
        "holds on that day, or leave its rows out."
    )


def by_instrument(bars: pd.DataFrame, aliases: pd.DataFrame) -> pd.DataFrame:
    """Bars with the instrument in place of a ticker that meant it on the bar's day.

    aliases : ts (first day), last (NaT: still today), ticker, symbol. Rows stay in their order.
    """
    ts, symbols = bars["ts"], bars["symbol"].copy()
    for alias in aliases.to_dict("records"):
        ticker, symbol, last = alias["ticker"], alias["symbol"], alias["last"]
        if ticker == symbol:
            continue
        meant = (bars["symbol"] == ticker) & (ts >= alias["ts"])
        if not pd.isna(last):
            meant &= ts < last + pd.Timedelta(days=1)
        symbols[meant] = symbol
    return bars.assign(symbol=symbols)


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
