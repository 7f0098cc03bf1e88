"""A returns matrix of a whole market: stored by window, read back as one panel."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.page import Row
from benchmarks.processes import used_by

TITLE = "5,000 symbols x 10 years of daily returns, stored by month and read as one panel"
TARGET = "below 2,000 MB"
SYMBOLS, QUICK_SYMBOLS, MONTHS = 5_000, 500, 120
FIRST = "2010-01-01"


def measure(folder: Path, *, quick: bool) -> list[Row]:
    symbols = QUICK_SYMBOLS if quick else SYMBOLS
    rows: list[Row] = []
    for what in ("store", "read"):
        words = ["-m", "benchmarks.matrix", what, str(folder / "root"), str(symbols)]
        used = used_by(words, {**os.environ, "PYTHONPATH": os.getcwd()}, folder)
        rows.append(
            {
                "what": what,
                "cells": MONTHS,
                "values": used.output.strip(),
                "s": used.wall,
                "CPU s": used.cpu,
                "peak MB": used.peak_megabytes,
            }
        )
    return rows


def store(root: Path, symbols: int) -> int:
    """Commit one cell a month; returns the number of values."""
    from quant_assets.contracts.returns import Returns
    from quant_assets.storage.manifests import RunRecord
    from quant_assets.storage.paths import Cell
    from quant_assets.storage.snapshots import SnapshotStore

    snapshots = SnapshotStore(root)
    record = RunRecord(run_id="benchmark", written_at="", environment="", seconds=0.0)
    names = pd.Series([f"S{number:04d}" for number in range(symbols)], dtype="str")
    generator = np.random.default_rng(0)
    count = 0
    for month in pd.date_range(FIRST, periods=MONTHS, freq="MS", tz="UTC"):
        days = pd.bdate_range(month, month + pd.offsets.MonthEnd(1), unit="us")
        ts = pd.Series(days.repeat(symbols))
        frame = pd.DataFrame(
            {
                "ts": ts,
                "available_at": ts + pd.Timedelta(days=1),
                "symbol": pd.Series(np.tile(names.to_numpy(), len(days)), dtype="str"),
                "returns": generator.normal(0, 0.01, len(ts)),
            }
        )
        Returns.check_frame(frame, where="benchmark")
        cell = Cell("returns_matrix", "market", f"{month:%Y-%m-%d}")
        facts = {"kind": "series", "contract": "Returns", "run": record}
        digests = dict.fromkeys(("fingerprint", "code_version", "config_digest"), "benchmark")
        snapshots.commit(cell, frame, {**facts, **digests})
        count += len(frame)
    return count


def read(root: Path) -> int:
    """Read all cells into one (time, symbol) panel; returns the number of values."""
    from quant_assets.quant.market.panel import to_panel
    from quant_assets.storage.snapshots import SnapshotStore

    snapshots = SnapshotStore(root)
    cells = snapshots.cells_of("returns_matrix", "market")
    panels = [to_panel(snapshots.read(cell), "returns").values for cell in cells]
    return int(np.concatenate(panels).size)


if __name__ == "__main__":
    _, what, place, size = sys.argv
    print(f"{store(Path(place), int(size)) if what == 'store' else read(Path(place)):,}")
