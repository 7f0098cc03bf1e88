"""Files of a few lines in memory, venues for them, and everything that a layout makes of a file."""

import io
from dataclasses import dataclass, field
from typing import IO

import pandas as pd

from quant_assets.adapters.files.recognition import recognise
from quant_assets.adapters.layouts.base import OPTIONAL_COLUMNS, RAW_COLUMNS, SourceFile
from quant_assets.core.venues import Venue
from quant_assets_tests.adapters.venue_models import make_venue


@dataclass(frozen=True)
class MemoryFile:
    """A `SourceFile` that is no file."""

    name: str
    content: bytes

    @property
    def head(self) -> bytes:
        """Its beginning."""
        return self.content[:65_536]

    def open(self) -> IO[bytes]:
        """Its content."""
        return io.BytesIO(self.content)


def text_file(name: str, *lines: str) -> MemoryFile:
    """A file of these lines."""
    return MemoryFile(name, "\n".join([*lines, ""]).encode())


@dataclass
class Content:
    """What a layout made of a file."""

    layout: str
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    rejects: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: list[str] = field(default_factory=list)


def crypto_venue(
    asset_class: str = "crypto_perpetual", *, currency: str = "USDT", bar_length: str = "5m"
) -> Venue:
    """A venue whose market is this one."""
    market = {"asset_class": asset_class, "currency": currency, "bar_length": bar_length}
    return make_venue("simulated", first="2010-01-01", last=None, market=market)


def read_all(file: SourceFile, venue: Venue) -> Content:
    """Recognise and read a file; what every layout owes is checked on the way."""
    layout = recognise(file)
    content = Content(layout.name)
    frames: dict[str, list[pd.DataFrame]] = {}
    rejects = []
    for raw in layout.read(file, venue):
        assert set(RAW_COLUMNS[raw.dataset]) <= set(raw.frame.columns)
        optional = OPTIONAL_COLUMNS.get(raw.dataset, ())
        assert set(raw.frame.columns) <= {*RAW_COLUMNS[raw.dataset], *optional}
        assert str(raw.frame["ts"].dtype) == "datetime64[us, UTC]"
        assert raw.frame["line"].dtype == "int64"
        assert raw.frame["symbol"].dtype == "str"
        frames.setdefault(raw.dataset, []).append(raw.frame)
        content.notes.extend(raw.notes)
        if raw.rejects is not None:
            assert list(raw.rejects.columns) == ["line", "symbol", "reason", "text"]
            rejects.append(raw.rejects)
    content.frames = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    content.rejects = pd.concat(rejects, ignore_index=True) if rejects else pd.DataFrame()
    return content
