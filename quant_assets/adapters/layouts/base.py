"""What a layout is: a way of writing market data into files, recognised by content.

A layout turns a file into raw frames: typed columns and line numbers, nothing judged. Whether a row
is believable is decided after it, in one place for all layouts.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, ClassVar, Protocol

import pandas as pd

from quant_assets.core.registry import discover
from quant_assets.core.venues import Venue

PACKAGE = "quant_assets.adapters.layouts"
# Columns of a raw frame by dataset; `ts` is datetime64[us, UTC], NaT where it cannot be read;
# `symbol` and other words are str; numbers are float64, NaN where empty; `line` is int64: the
# 1-based line of the file (or row, where it has no lines). Optional columns may be left out.
RAW_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bars": ("ts", "symbol", "open", "high", "low", "close", "volume", "line"),
        "funding": ("ts", "symbol", "rate", "line"),
        "marks": ("ts", "symbol", "mark_price", "line"),
        "open_interest": ("ts", "symbol", "open_interest", "open_interest_value", "unit", "line"),
        "liquidations": ("ts", "symbol", "event_id", "side", "price", "quantity", "line"),
        "order_book": (
            *("ts", "symbol", "level", "bid_price", "bid_quantity", "ask_price", "ask_quantity"),
            "line",
        ),
        "depth_bands": ("ts", "symbol", "band_pct", "depth", "notional", "line"),
        "adjustments": ("ts", "symbol", "kind", "price_factor", "line"),
        # `ts` and `last`: first and last day of the ticker, `last` NaT while it is in use.
        "aliases": ("ts", "symbol", "ticker", "last", "line"),
    }
)
OPTIONAL_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # `closes_at`: when the source says that the bar closes (else ts + the venue's bar length);
        # `adjusted_close`: the source's own adjusted close, from which adjustments are derived;
        # `collected_at`: the vintage of the row, where one file holds several.
        "bars": ("closes_at", "adjusted_close", "collected_at", "quote_volume", "trades"),
        "funding": ("mark_price",),
    }
)


class SourceFile(Protocol):
    """A file, or a member of an archive, opened with limits on size, ratio and rows."""

    @property
    def name(self) -> str:
        """Name as delivered, with `archive.zip/` before a member's; never used as a path."""

    @property
    def head(self) -> bytes:
        """The first 64 KiB of the decompressed content."""

    def open(self) -> IO[bytes]:
        """Stream over the decompressed content; `DataError` when a limit is passed."""


@dataclass(frozen=True)
class Raw:
    """Rows of one dataset out of a file.

    `rejects` has the lines that could not even be read: columns line (int64), symbol, reason and
    text (str). `notes` are remarks for the receipt, such as a column that nobody expected.
    """

    dataset: str
    frame: pd.DataFrame
    rejects: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)


class FileLayout(ABC):
    """One way of writing rows; a plug-in sets `name` and says what it expects to see."""

    name: ClassVar[str]
    expects: ClassVar[str]

    @abstractmethod
    def recognise(self, file: SourceFile) -> float:
        """How surely this is the layout, 0 (no) to 1; by content, the name being a hint at most."""

    @abstractmethod
    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """Raw frames of the file, a bounded number of rows at a time.

        Raises `DataError` that names file, line and column when the file is not what it seemed.
        """

    def columns(self) -> tuple[str, ...]:
        """Names of the columns that a file of this layout has, for the diff of an unknown one."""
        return ()


def layouts() -> dict[str, FileLayout]:
    """All layouts by name."""
    found = discover(PACKAGE, FileLayout)  # type: ignore[type-abstract] # a base, by design
    return {name: layout() for name, layout in found.items()}
