"""Whatever is done to the bytes of a table, reading it ends in rows or in a `DataError`."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue
from quant_assets_tests.adapters.layouts.test_lean import DAILY, FACTORS, QUOTES
from quant_assets_tests.adapters.layouts.test_one_instrument import BROKER, YAHOO
from quant_assets_tests.adapters.layouts.test_vintages import PRICES
from quant_assets_tests.adapters.layouts.test_wide_closes import CLOSES
from quant_assets_tests.adapters.tabular.table_files import Folder, read_path, venue_of

STOCKS = venue_of("equity", {"scale": 100000})
HOURS = venue_of("fx", {"scale": 100000})
TIDY = "ts,symbol,close,funding_rate\n2024-01-31T08:00Z,A,1,0.1\n2024-01-31T09:00Z,B,2,0.2\n"
TEXTS = {
    "AAPL.csv": YAHOO,
    "closes.csv": CLOSES,
    "20150324.csv": PRICES,
    "GBPUSDh1.csv": BROKER,
    "aapl.csv": DAILY * 2,
    "eurusd.csv": QUOTES,
    "factors.csv": FACTORS,
    "map.csv": "19990310,qqq,Q\n20501231,qqq,Q\n",
    "tidy.csv": TIDY,
    "funding.csv": TIDY.replace(",close", ",note"),
}
ODD = (
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"\r",
    b",",
    b"\n",
    b"1e999",
    b"-",
    b"NaN",
    b"9" * 40,
    b"\xef\xbb",
)


def mutated(data: bytes, draw: np.random.Generator) -> bytes:
    """The bytes with one to three cuts, insertions or repetitions."""
    for _ in range(draw.integers(1, 4)):
        place, other = sorted(draw.integers(0, len(data) + 1, 2).tolist())
        change = draw.integers(0, 4)
        if change == 0:
            data = data[:place] + data[other:]
        elif change == 1:
            data = data[:place] + ODD[draw.integers(len(ODD))] + data[place:]
        elif change == 2:
            data = data[:other] + data[place:]
        else:
            data = data[:place]
    return data


def refusal(path: Path, venue: Venue) -> str | None:
    """Why the file was refused, if it was; anything but a `DataError` fails the test."""
    try:
        read_path(path, venue)
    except DataError as error:
        return str(error)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_mutated_text_gives_rows_or_a_data_error_with_the_files_name(tmp_path: Path, name: str):
    draw, folder = np.random.default_rng(len(name)), Folder(tmp_path)
    venue = HOURS if name == "GBPUSDh1.csv" else STOCKS
    assert refusal(folder.text(name, TEXTS[name]), venue) is None
    found = [
        refusal(folder.bytes(name, mutated(TEXTS[name].encode(), draw)), venue) for _ in range(100)
    ]
    refused = [text for text in found if text is not None]
    assert 0 < len(refused) < 100
    assert all(name.partition(".")[0] in text for text in refused)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv.gz"])
def test_mutated_files_of_bytes_give_rows_or_a_data_error(tmp_path: Path, kind: str):
    folder, draw = Folder(tmp_path), np.random.default_rng(len(kind))
    moments = pa.array([datetime(2024, 1, 31, 8, tzinfo=UTC)] * 50)
    path = folder.parquet("a.parquet", {"ts": moments, "symbol": ["A"] * 50, "close": [1.0] * 50})
    whole = path.read_bytes() if kind == "parquet" else gzip.compress(TIDY.encode())
    found = [refusal(folder.bytes(f"a.{kind}", mutated(whole, draw)), STOCKS) for _ in range(200)]
    assert any(text is not None for text in found)
