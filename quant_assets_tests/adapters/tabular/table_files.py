"""Small files, read as a landing folder reads them."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.files.recognition import recognise
from quant_assets.adapters.layouts.base import OPTIONAL_COLUMNS, RAW_COLUMNS, Raw
from quant_assets.core.venues import Venue

MARKETS: Mapping[str, dict[str, Any]] = {
    "equity": {"calendar": "XNYS", "time_zone": "America/New_York", "bar_length": "1d"},
    "fx": {"calendar": "XFX", "time_zone": "UTC", "bar_length": "1h"},
    "future": {"calendar": "CMES", "time_zone": "America/Chicago", "bar_length": "1d"},
    "crypto_perpetual": {"calendar": "24/7", "time_zone": "UTC", "bar_length": "1h"},
    "crypto_spot": {"calendar": "24/7", "time_zone": "UTC", "bar_length": "1d"},
}


def venue_of(asset_class: str, settings: dict[str, Any] | None = None, **market: Any) -> Venue:
    """A venue of files; `market` overrides single keys."""
    return Venue.model_validate(
        {
            "name": f"test_{asset_class}",
            "title": "test",
            "provider": {"name": "files", "settings": settings or {}},
            "history": {"first": "1990-01-01"},
            "market": {
                "asset_class": asset_class,
                "currency": "USDT" if asset_class.startswith("crypto") else "USD",
                "bars_per_year": 252,
                "price_fields": ["open", "high", "low", "close", "volume"],
                **MARKETS[asset_class],
                **market,
            },
            "alpha": {"month_bars": 21},
        }
    )


def read_path(path: Path, venue: Venue) -> tuple[list[str], list[Raw]]:
    """Names of the layouts of a file's parts, and their raw frames, whose form is checked."""
    names, raws = [], []
    for file in open_source(path):
        layout = recognise(file)
        names.append(layout.name)
        for raw in layout.read(file, venue):
            check_form(raw)
            raws.append(raw)
    return names, raws


def rows_of(raws: Iterable[Raw], dataset: str) -> pd.DataFrame:
    """All rows of a dataset."""
    frames = [raw.frame for raw in raws if raw.dataset == dataset]
    return pd.concat(frames, ignore_index=True)


def rejects_of(raws: Iterable[Raw]) -> list[tuple[int, str]]:
    """Line and reason of what was set aside."""
    return [
        (int(line), reason)
        for raw in raws
        if raw.rejects is not None
        for line, reason in zip(raw.rejects["line"], raw.rejects["reason"], strict=True)
    ]


def notes_of(raws: Iterable[Raw]) -> list[str]:
    """All notes."""
    return [note for raw in raws for note in raw.notes]


def check_form(raw: Raw) -> None:
    """A raw frame has the agreed columns, in the agreed types."""
    known = {*RAW_COLUMNS[raw.dataset], *OPTIONAL_COLUMNS.get(raw.dataset, ())}
    assert set(RAW_COLUMNS[raw.dataset]) <= set(raw.frame.columns) <= known
    for name, dtype in raw.frame.dtypes.items():
        if name in {"ts", "last", "closes_at", "collected_at"}:
            assert str(dtype) == "datetime64[us, UTC]", name
        elif name in {"symbol", "unit", "event_id", "side", "kind", "ticker"}:
            assert str(dtype) == "str", name
        else:
            assert str(dtype) == ("int64" if name in {"line", "level"} else "float64"), name


class Folder:
    """Writes files for one test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self, name: str, text: str) -> Path:
        """A text file, as it stands; `.gz` names are compressed."""
        data = text.encode()
        return self.bytes(name, gzip.compress(data) if name.endswith(".gz") else data)

    def bytes(self, name: str, data: bytes) -> Path:
        """A file of these bytes."""
        path = self.path / name
        path.write_bytes(data)
        return path

    def parquet(self, name: str, columns: dict[str, Any]) -> Path:
        """A parquet file; values are Arrow arrays or lists."""
        path = self.path / name
        pq.write_table(pa.table(columns), path)
        return path

    def zip(self, name: str, members: dict[str, str]) -> Path:
        """A zip of text members."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in members.items():
                archive.writestr(member, text)
        return self.bytes(name, buffer.getvalue())

    def tar(self, name: str, members: dict[str, str]) -> Path:
        """A tar.gz of text members."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for member, text in members.items():
                info = tarfile.TarInfo(member)
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        return self.bytes(name, buffer.getvalue())
