"""Candles as Bitfinex answers: a JSON array of arrays, with the close before the high."""

import io
import re
from collections.abc import Iterator
from typing import IO, Any

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.files.native_symbols import symbol_named
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

_COLUMNS = ("ts", "open", "close", "high", "low", "volume")
_SPACE = b" \t\r\n"
_FIRST = re.compile(rb"\[\[\d{13}(,(-?\d[-+.\deE]*|null)){5}[],]")
_NATIVE = re.compile(r"(?:^|[/_-])t?([A-Z0-9]{3,10}:?[A-Z0-9]{3,10})(?=[/_.-]|$)")
_CHUNK = 1 << 20


class BitfinexCandles(FileLayout):
    """`[ms, open, close, high, low, volume]`; `line` is the number of the candle.

    The pair is in the file's name or in a folder of it, as in `LTCUSD-1m.json` or `LTCUSD/1m.json`.
    """

    name = "bitfinex_candles"
    expects = "JSON [[ms, open, close, high, low, volume], ...], named like LTCUSD-1m.json"

    def columns(self) -> tuple[str, ...]:
        """What the values mean."""
        return _COLUMNS

    def recognise(self, file: SourceFile) -> float:
        """By the first candle: a time in ms and five numbers, the second pair inside the last."""
        head = file.head[:512].translate(None, _SPACE)
        return 0.9 if _FIRST.match(head) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Bars of the pair in the name; their length is the venue's."""
        match = _NATIVE.search(file.name)
        if match is None:
            raise DataError(
                f"{file.name}: candles do not say of which pair they are, so the name must. Name "
                "the file like LTCUSD-1m.json."
            )
        symbol = symbol_named(file, match[1].replace(":", ""), venue)
        lines = io.BufferedReader(_ArraysAsLines(file.open(), file.name), _CHUNK)
        for rows in csv_rows(file, columns=_COLUMNS, stream=lines):
            columns: dict[str, Any] = {"ts": rows.stamps("ts", "ms"), "symbol": symbol}
            for name in ("open", "high", "low", "close", "volume"):
                columns[name] = rows.numbers(name, absent=("null",))
            yield rows.raw("bars", columns)


class _ArraysAsLines(io.RawIOBase):
    """An array of arrays as lines of their values, without ever holding all of it."""

    def __init__(self, inner: IO[bytes], name: str) -> None:
        self._inner = inner
        self._file = name
        self._ready = b""
        self._depth = 0
        self._started = self._ended = self._line_ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with lines."""
        while not self._ready and not self._ended:
            chunk = self._inner.read(_CHUNK)
            self._ready = self._rewritten(chunk)
            self._ended = not chunk
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _rewritten(self, chunk: bytes) -> bytes:
        """`[[1,2],[3,4]]` becomes the lines `1,2` and `3,4`; a blank one ends the array."""
        if not chunk and (self._depth != 0 or not self._started):
            raise DataError(f"{self._file}: its brackets do not close: cut off. Fetch it again.")
        self._started = True
        self._depth += chunk.count(b"[") - chunk.count(b"]")
        lines = chunk.translate(_BRACKETS, _SPACE + b"[")
        if self._line_ended:
            lines = lines.removeprefix(b",")
        self._line_ended = lines.endswith(b"\n") if lines else self._line_ended
        return lines.replace(b"\n,", b"\n")


_BRACKETS = bytes.maketrans(b"]", b"\n")
