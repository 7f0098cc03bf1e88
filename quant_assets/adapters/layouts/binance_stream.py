"""Recorded websocket streams of Binance: a receive time in ns, a space, and the message as JSON."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import TEXT_SHOWN, rejects_frame
from quant_assets.adapters.files.depth_book import DepthBook, Difference
from quant_assets.adapters.files.limits import LIMITS, MEBIBYTE
from quant_assets.adapters.files.liquidation_rows import SIDES, event_ids
from quant_assets.adapters.files.native_symbols import contract_usd, is_inverse, unified
from quant_assets.adapters.files.stamps import DIGITS, to_column
from quant_assets.adapters.files.trade_bars import TradeBars, Trades, whole
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

LEVELS = 20
_FIRST = re.compile(rb'\d{19} \{"(stream|lastUpdateId)":')
_DECIMAL = re.compile(r"\d{1,20}(\.\d{1,20})?")
_MAX_LINE = 8 * MEBIBYTE
_BATCH_LINES = 100_000
_SECOND_MS = 1000
_MAX_SKEW_MS = 3_600_000
_SETTLED_MS = 5000  # the streams of one recording are not in one order of time
_ORDINARY = "MARKET"  # the others (insurance fund, auto-deleveraging) do not trade on the book
_SAME_TIME = "quotes share their millisecond with a later one or with a book"
FORCED = "forceOrder"
_BOOK = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")


class BinanceStream(FileLayout):
    """One instrument's depth, book ticker and trades, in the exchange's own time (ms).

    Depth: from the snapshot on, the book of 20 levels as the last update up to the end of a second
    left it, for every second with one; after a missing update nothing, until the next snapshot. An
    update gathers some tens of milliseconds, so the book may be that late. Ticker: level 0 at its
    transaction time, the last one of a millisecond; where the exchange gives it no time (spot)
    it is left out, because the recorder's clock is another. Trades: bars that lie wholly between
    the first and the last message. Forced orders: liquidations, of whichever instruments there are.
    """

    name = "binance_stream"
    expects = 'lines like 1723161255088169167 {"stream":"btcusdt@trade","data":{...}}'

    def recognise(self, file: SourceFile) -> float:
        """By the first line."""
        return 1.0 if _FIRST.match(file.head) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Rows of datasets `order_book`, `bars` and `liquidations`."""
        recording = _Recording(file.name, venue)
        with file.open() as stream:
            for number, line in enumerate(_lines(stream, file.name), start=1):
                recording.take(number, line)
                if number % _BATCH_LINES == 0:
                    yield from recording.flush()
                if number > LIMITS.rows:
                    raise DataError(f"{file.name}: more than {LIMITS.rows:,} lines. Cut it.")
        yield from recording.finish()


def _lines(stream: IO[bytes], name: str) -> Iterator[bytes]:
    while line := stream.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise DataError(f"{name}: a line of more than {_MAX_LINE:,} bytes: damaged. Fetch it.")
        yield line


def _parsed(line: bytes) -> tuple[int, Any]:
    """Receive time in ms, and the message."""
    receive, _, text = line.partition(b" ")
    if not receive.isdigit() or len(receive) != DIGITS["ns"]:
        raise ValueError("it does not begin with a receive time in ns")
    return int(receive) // 10**6, json.loads(text)


def _number(value: Any) -> float:
    """A price or quantity, which Binance writes as text; `ValueError` for what cannot be one."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError(f"{value!r} is not a price or quantity")
    return float(value)


def _whole(value: Any) -> int:
    """An id or time; `ValueError` for what cannot be one."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r} is not an id or time")
    return value


def _time(value: Any) -> int:
    """A time in ms, by its 13 digits."""
    if not 10**12 <= _whole(value) < 10**13:
        raise ValueError(f"{value!r} is not a time in ms")
    return int(value)


def _quotes(value: Any) -> list[tuple[float, float]]:
    return [(_number(price), _number(quantity)) for price, quantity in value]


@dataclass
class _Recording:
    """What the messages up to a line amount to."""

    file: str
    venue: Venue
    received: int = 0
    symbol: str = ""
    native: str = ""
    book: DepthBook = field(default_factory=DepthBook)
    second: int | None = None  # the end, in ms, of the second whose changes are in the book
    rows: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    trades: list[tuple[int, float, float, int]] = field(default_factory=list)
    forced: list[tuple[int, str, str, float, float, int]] = field(default_factory=list)
    last_trade: int | None = None
    span: tuple[int, int] | None = None
    rejects: list[tuple[int, str, str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gaps: list[int] = field(default_factory=list)
    bars: TradeBars = field(init=False)

    takers: dict[str, Callable[[int, dict[str, Any]], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.takers = {
            "depthUpdate": self.depth,
            "bookTicker": self.ticker,
            "trade": self.trade,
            FORCED: self.forced_order,
        }
        self.bars = TradeBars(self.venue.market.bar_length)

    def take(self, number: int, line: bytes) -> None:
        """Read one line; a line that is no message is set aside."""
        if not line.strip():
            return
        try:
            self.received, message = _parsed(line)
            self._message(number, message)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
            reason = f"no message: {type(cause).__name__}: {cause}"[:TEXT_SHOWN]
            shown = line[:TEXT_SHOWN].decode("utf-8", errors="backslashreplace").strip()
            self.rejects.append((number, self.symbol, reason, shown))

    def _message(self, number: int, message: dict[str, Any]) -> None:
        if "lastUpdateId" in message:
            bids, asks = _quotes(message["bids"]), _quotes(message["asks"])
            self.book.restart(_whole(message["lastUpdateId"]), bids, asks)
            return
        data = message["data"]
        kind = data.get("e", "bookTicker" if "A" in data else "unnamed")
        if kind not in self.takers:
            self.counts[f"{kind} messages are not read"] += 1
            return
        if kind != FORCED:  # those of all instruments may share a stream
            self._same_symbol(str(data["s"]))
        self.takers[kind](number, data)

    def _same_symbol(self, native: str) -> None:
        if not self.symbol:
            self.native, self.symbol = native, self._unified(native)
        elif native != self.native:
            raise ValueError(f"symbol {native!r} in a recording of {self.native}")

    def _unified(self, native: str) -> str:
        symbol = unified(native, self.venue)
        if symbol is None:
            raise ValueError(f"symbol {native!r} is not a base with a known quote currency")
        return symbol

    def _saw(self, time: int) -> None:
        if abs(time - self.received) > _MAX_SKEW_MS:
            raise ValueError(f"its time {time} is more than an hour from when it was received")
        first, last = self.span or (time, time)
        self.span = (min(first, time), max(last, time))

    def depth(self, number: int, data: dict[str, Any]) -> None:
        """A change of the book."""
        time = _time(data.get("T", data["E"]))
        if "pu" in data and self.venue.market.asset_class == "crypto_spot":
            raise DataError(
                f"{self.file}: line {number} is of a derivatives market, venue {self.venue.name} "
                "is crypto_spot. Deliver the file to a venue of crypto_perpetual."
            )
        change = Difference(
            _whole(data["U"]),
            _whole(data["u"]),
            _whole(data["pu"]) if "pu" in data else None,
            _quotes(data["b"]),
            _quotes(data["a"]),
        )
        self._saw(time)
        if self.second is not None and time > self.second:
            self._keep_book(number)
        if not self.book.apply(change):
            self.gaps.append(number)
        # The book stands at the end of this second, when a later change shows that it has passed.
        self.second = -(-time // _SECOND_MS) * _SECOND_MS if self.book.whole else None

    def _keep_book(self, number: int) -> None:
        if self.second is None or not self.book.whole:
            return
        self.counts[_SAME_TIME] += (self.second, 0) in self.rows
        for level, (bid, ask) in enumerate(self.book.top(LEVELS)):
            self.rows[self.second, level] = (*bid, *ask, number, 1)

    def ticker(self, number: int, data: dict[str, Any]) -> None:
        """Best bid and ask."""
        if "T" not in data:
            self.counts["bookTicker messages have no time of the exchange and were left out"] += 1
            return
        time = _time(data["T"])
        values = tuple(_number(data[name]) for name in ("b", "B", "a", "A"))
        self._saw(time)
        before = self.rows.get((time, 0))
        if before is not None:
            self.counts[_SAME_TIME] += 1
        if before is None or not before[-1]:
            self.rows[time, 0] = (*values, number, 0)

    def trade(self, number: int, data: dict[str, Any]) -> None:
        """A trade."""
        time, trade_id = _time(data["T"]), _whole(data["t"])
        price, quantity = _number(data["p"]), _number(data["q"])
        self._saw(time)
        if self.last_trade is not None and trade_id > self.last_trade + 1:
            self.counts["trades are missing by their ids"] += trade_id - self.last_trade - 1
        self.last_trade = trade_id
        if data.get("X", _ORDINARY) != _ORDINARY or price == 0 or quantity == 0:
            self.counts["trades were not made on the book (insurance fund and the like)"] += 1
        else:
            self.trades.append((time, price, quantity, number))

    def forced_order(self, number: int, data: dict[str, Any]) -> None:
        """A forced order: the price is the average one, the quantity what was filled in all."""
        order = data["o"]
        time, side = _time(order["T"]), str(order["S"]).lower()
        if side not in SIDES:
            raise ValueError(f"side {order['S']!r} is neither BUY nor SELL")
        symbol = self._unified(str(order["s"]))
        price, quantity = _number(order["ap"]) or _number(order["p"]), _number(order["z"])
        self._saw(time)
        if is_inverse(symbol) and price > 0:
            quantity = quantity * contract_usd(symbol) / price
        self.forced.append((time, symbol, side, price, quantity, number))

    def flush(self) -> Iterator[Raw]:
        """What is settled: books and quotes of some seconds ago, bars that ended."""
        settled = self.span[1] - _SETTLED_MS if self.span else 0
        yield self._order_book([key for key in self.rows if key[0] < settled])
        yield Raw("bars", self._bars(last=False), self._taken_rejects())
        yield from self._liquidations()

    def finish(self) -> Iterator[Raw]:
        """The rest, with what was noticed on the way."""
        if self.span is None:
            raise DataError(f"{self.file}: no data, not one message could be read.")
        yield self._order_book(list(self.rows))
        bars = self._bars(last=True)
        notes = [f"{count} {what}" for what, count in sorted(self.counts.items()) if count]
        if self.gaps:
            shown = ", ".join(str(line) for line in self.gaps[:10])
            notes.append(f"{len(self.gaps)} gaps in the updates of the book, at line {shown}")
        yield Raw("bars", bars, self._taken_rejects(), notes)
        yield from self._liquidations()

    def _taken_rejects(self) -> pd.DataFrame | None:
        found, self.rejects = self.rejects, []
        return rejects_frame(found) if found else None

    def _liquidations(self) -> Iterator[Raw]:
        found, self.forced = self.forced, []
        if not found:
            return
        time, symbol, side, price, quantity, line = zip(*found, strict=True)
        sides = pd.Series(side, dtype="str")
        prices, quantities = np.array(price), np.array(quantity)
        moments = np.array(time, dtype="datetime64[ms]").astype("datetime64[us]")
        frame = pd.DataFrame(
            {
                "ts": to_column(moments),
                "symbol": pd.Series(symbol, dtype="str"),
                "event_id": event_ids(sides, prices, quantities),
                "side": sides,
                "price": prices,
                "quantity": quantities,
                "line": np.array(line, dtype=np.int64),
            }
        )
        yield Raw("liquidations", frame)

    def _order_book(self, keys: list[tuple[int, int]]) -> Raw:
        keys.sort()
        values = np.array([self.rows.pop(key) for key in keys], dtype=np.float64).reshape(-1, 6)
        times = np.array([time for time, _ in keys], dtype="datetime64[ms]")
        frame = pd.DataFrame({"ts": to_column(times.astype("datetime64[us]"))})
        frame["symbol"] = pd.Series([self.symbol] * len(keys), dtype="str")
        frame["level"] = np.array([level for _, level in keys], dtype=np.int64)
        for index, name in enumerate(_BOOK):
            frame[name] = values[:, index]
        frame["line"] = values[:, 4].astype(np.int64)
        return Raw("order_book", frame)

    def _bars(self, *, last: bool) -> pd.DataFrame:
        """Bars that ended; those that the recording has a part of only are left out."""
        found, self.trades = self.trades, []
        time, price, quantity, line = (
            np.array([trade[index] for trade in found], dtype=kind)
            for index, kind in enumerate(("datetime64[ms]", "float64", "float64", "int64"))
        )
        ts = time.astype("datetime64[us]")
        bars, late = self.bars.add(Trades(ts, price, quantity, np.ones_like(line), line))
        for position in np.flatnonzero(late):
            row = (int(line[position]), self.symbol, "comes after trades of a later bar", "")
            self.rejects.append(row)
        if last:
            bars = pd.concat([bars, self.bars.finish()], ignore_index=True)
        start, end = (datetime.fromtimestamp(ms / _SECOND_MS, UTC) for ms in self.span or (0, 0))
        length = self.venue.market.bar_length
        inside = whole(bars, start=start, end=end, length=length)
        if not inside.all():
            self.counts["bars were recorded in part and left out"] += int((~inside).sum())
        frame = bars[inside].reset_index(drop=True)
        frame.insert(1, "symbol", pd.Series([self.symbol] * len(frame), dtype="str"))
        return frame
