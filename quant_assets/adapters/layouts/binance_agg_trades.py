"""Aggregated trades of Binance's archive, made into bars of the venue's length."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, first_rows, header
from quant_assets.adapters.files.native_symbols import (
    contract_usd,
    is_inverse,
    named,
    symbol_named,
)
from quant_assets.adapters.files.trade_bars import TradeBars, Trades, whole
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = (
    *("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id"),
    *("transact_time", "is_buyer_maker"),
)
_SPOT_COLUMNS = (*_COLUMNS, "is_best_match")
_NAME = r"(?P<symbol>.+?)-aggTrades-(?P<month>\d{4}-\d{2})(?:-(?P<day>\d{2}))?"
_LIKE = "BTCUSDT-aggTrades-2024-01.csv or BTCUSDT-aggTrades-2024-01-31.csv"
_BOOLEANS = {"true", "false"}


class BinanceAggTrades(FileLayout):
    """Bars of the month or day in the file's name, from trades in ms or us.

    Bars that reach beyond that time are left out with a note: the file has a part of them only.
    So are trades that cannot be read, come late, or are missing by their ids; the bars around them
    stay, and the note says so. Quantities of coin-margined contracts are turned into base.
    """

    name = "binance_agg_trades"
    expects = "7 or 8 columns from agg_trade_id to is_buyer_maker, in a file named like " + _LIKE

    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the names, or by ids, time and truth values in their places."""
        if set(_COLUMNS) <= set(header(file)):
            return 1.0
        return 0.9 if _headerless(file) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars as they end; `line` is that of the bar's first trade."""
        match = named(file, _NAME, like=_LIKE)
        symbol = symbol_named(file, match["symbol"], venue)
        names = _headerless(file)
        notes = [] if names else column_notes(file, required=_COLUMNS, optional=_SPOT_COLUMNS)
        maker = _BarMaker(symbol, venue.market.bar_length, _period(file, match))
        for rows in csv_rows(file, columns=names):
            yield maker.bars(rows, notes)
            notes = []
        yield maker.rest()


def _headerless(file: SourceFile) -> tuple[str, ...] | None:
    """The columns of a file without a line of names; None when it has one, or is another."""
    cells = first_rows(file, 1)
    if not cells or len(cells[0]) not in {len(_COLUMNS), len(_SPOT_COLUMNS)}:
        return None
    row = cells[0]
    ids = all(row[index].isdecimal() for index in (0, 3, 4, 5))
    true_or_false = all(cell.lower() in _BOOLEANS for cell in row[6:])
    return _SPOT_COLUMNS[: len(row)] if ids and true_or_false else None


def _period(file: SourceFile, match: re.Match[str]) -> tuple[datetime, datetime]:
    """First instant of the month or day that the file covers, and the one after its last."""
    try:
        first = date.fromisoformat(f"{match['month']}-{match['day'] or '01'}")
    except ValueError as cause:
        raise DataError(f"{file.name}: there is no such day. Name it like {_LIKE}.") from cause
    days = 1 if match["day"] else monthrange(first.year, first.month)[1]
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return start, start + timedelta(days=days)


@dataclass
class _BarMaker:
    symbol: str
    length: timedelta
    period: tuple[datetime, datetime]
    last_id: int | None = None
    missing: int = 0
    partial: int = 0
    aside: int = 0
    made: TradeBars = field(init=False)

    def __post_init__(self) -> None:
        self.made = TradeBars(self.length)

    def bars(self, rows: Rows, notes: list[str]) -> Raw:
        """Bars that ended with this batch of trades."""
        ts = rows.stamps("transact_time", "ms", "us")
        price, quantity = rows.numbers("price"), rows.numbers("quantity")
        count = rows.integers("last_trade_id") - rows.integers("first_trade_id") + 1
        number = rows.integers("agg_trade_id")
        rows.set_aside(~(price > 0) | ~(quantity > 0), "price and quantity must be positive")
        rows.set_aside(count < 1, "its last trade comes before its first")
        first, after = (np.datetime64(edge.replace(tzinfo=None), "us") for edge in self.period)
        rows.set_aside((ts < first) | (ts >= after), "not in the time of the file's name")
        self._missing_ids(number)
        if is_inverse(self.symbol):
            with np.errstate(divide="ignore", invalid="ignore"):
                quantity = quantity * contract_usd(self.symbol) / price
        good = np.ones(len(rows), dtype=bool)
        good[list(rows.reasons)] = False
        trades = Trades(ts[good], price[good], quantity[good], count[good], rows.line[good])
        bars, late = self.made.add(trades)
        positions = np.zeros(len(rows), dtype=bool)
        positions[np.flatnonzero(good)[late]] = True
        rows.set_aside(positions, "comes after trades of a later bar")
        rejects = rows.rejects(self.symbol)
        self.aside += 0 if rejects is None else len(rejects)
        return Raw("bars", self._whole(bars), rejects, notes)

    def rest(self) -> Raw:
        """The last bar, and what was noticed on the way."""
        frame, notes = self._whole(self.made.finish()), []
        if self.missing:
            notes.append(f"{self.missing} aggregated trades are missing by their ids")
        if self.partial:
            notes.append(f"{self.partial} bars reach beyond the time of the file and were left out")
        if self.aside:
            notes.append(f"{self.aside} trades were set aside, their bars are without them")
        return Raw("bars", frame, notes=notes)

    def _missing_ids(self, number: npt.NDArray[np.int64]) -> None:
        if len(number) == 0:
            return
        before = number[0] - 1 if self.last_id is None else self.last_id
        steps = np.diff(number, prepend=before)
        self.missing += int((steps[steps > 1] - 1).sum())
        self.last_id = int(number[-1])

    def _whole(self, bars: pd.DataFrame) -> pd.DataFrame:
        start, end = self.period
        inside = whole(bars, start=start, end=end, length=self.length)
        self.partial += int((~inside).sum())
        frame = bars[inside].reset_index(drop=True)
        frame.insert(1, "symbol", pd.Series([self.symbol] * len(frame), dtype="str"))
        return frame
