"""Bytes of snapshots: our settings against others of pyarrow's writer, in memory, one thread.

All write and verify page checksums, except the row that shows what these cost.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks._peers import market, timed
from benchmarks.page import Row
from quant_assets.storage.frames import decode_table, encode_table, parquet_settings, to_table

TITLE = "Writing and reading a snapshot, without disk and hash"
TARGET = "ours at most 1.05 of the fastest that takes no more than 1.05 of our bytes"
SPLIT, DELTA = "BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED"
OURS, UNCHECKED = "ours", "ours without checksums"


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    rows: list[Row] = []
    for n_symbols, n_times, decimals in ((16, 200, 4), (50, 20_000, 4), (50, 20_000, 16)):
        table = to_table(_bars(n_symbols, n_times // (10 if quick else 1), decimals))
        name = f"{table.num_rows:,} rows, {decimals} decimals"
        rows += _measured(name, table, repeats=2 if quick else 9 if n_times > 200 else 200)
    return rows


def _measured(frame: str, table: pa.Table, *, repeats: int) -> list[Row]:
    writers: dict[str, Callable[[], Any]] = {OURS: partial(encode_table, table)}
    writers |= {
        name: partial(_write, table, settings) for name, settings in _settings(table.schema).items()
    }
    files = {name: writer() for name, writer in writers.items()}
    readers: dict[str, Callable[[], Any]] = {
        name: partial(decode_table, data)
        if name == OURS
        else partial(_read, data, checked=name != UNCHECKED)
        for name, data in files.items()
    }
    written, read = timed(writers, repeats), timed(readers, repeats)
    write_ms = {name: 1000.0 * timing.typical for name, timing in written.items()}
    read_ms = {name: 1000.0 * timing.typical for name, timing in read.items()}
    rivals = [
        name
        for name in files
        if name not in {OURS, UNCHECKED} and len(files[name]) <= 1.05 * len(files[OURS])
    ]
    fastest = min(write_ms[name] for name in rivals), min(read_ms[name] for name in rivals)
    return [
        {
            "frame": frame,
            "settings": name,
            "kB": len(files[name]) / 1000.0,
            "write CPU ms": write_ms[name],
            "read CPU ms": read_ms[name],
            "write, times best": write_ms[name] / fastest[0],
            "read, times best": read_ms[name] / fastest[1],
        }
        for name in files
    ]


def _settings(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """What pyarrow offers for such columns."""
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    others = [field.name for field in schema if field.name not in floats]
    split, delta = dict.fromkeys(floats, SPLIT), dict.fromkeys(times, DELTA)
    texts = ["symbol"]
    chosen = parquet_settings(schema)
    return {
        UNCHECKED: chosen | {"write_page_checksum": False},
        "pyarrow as shipped": {},
        "split, delta, zstd": chosen | {"compression": "zstd"},
        "split, delta, none": chosen | {"compression": "none"},
        "split, dictionary, lz4": {
            "use_dictionary": others,
            "column_encoding": split,
            "compression": "lz4",
        },
        "plain, delta, lz4": {
            "use_dictionary": texts,
            "column_encoding": delta,
            "compression": "lz4",
        },
        "plain, delta, zstd": {
            "use_dictionary": texts,
            "column_encoding": delta,
            "compression": "zstd",
        },
        "plain, dictionary, lz4": {"use_dictionary": others, "compression": "lz4"},
        "plain, dictionary, zstd": {"use_dictionary": others, "compression": "zstd"},
    }


def _write(table: pa.Table, settings: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **({"write_page_checksum": True} | settings))
    return bytes(sink.getvalue().to_pybytes())


def _read(data: bytes, *, checked: bool) -> pa.Table:
    return pq.read_table(
        pa.BufferReader(data), use_threads=False, page_checksum_verification=checked
    )


def _bars(n_symbols: int, n_times: int, decimals: int) -> pd.DataFrame:
    rows = market(n_symbols, n_times, np.timedelta64(1, "m"), absent=0.0)
    order = np.lexsort((rows.code, rows.ts))
    names = np.array([f"S{number:02d}/USDT:USDT" for number in range(n_symbols)], dtype=object)
    ts = pd.DatetimeIndex(rows.ts[order]).tz_localize("UTC")
    fields = {name: np.round(values[order], decimals) for name, values in rows.fields.items()}
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + pd.Timedelta(minutes=1),
            "symbol": pd.Series(names[rows.code[order]], dtype="str"),
            **fields,
            "is_gap": np.zeros(len(ts), dtype=bool),
        }
    )
