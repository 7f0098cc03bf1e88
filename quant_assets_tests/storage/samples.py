"""Small frames, manifests' facts and lakes that the storage tests share."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.storage.manifests import Manifest, RunRecord
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

ODD_SYMBOLS = ["NA", "NULL", "TRUE", "1INCH", "nan", "None", "", "BTC/USDT:USDT", "Ωμέγα", "=1+1"]


def record(**changes: Any) -> RunRecord:
    """A run record; volatile, so any value does."""
    values = {
        "run_id": "r1",
        "written_at": "2026-01-01T00:00:00Z",
        "environment": "e",
        "seconds": 0.1,
    }
    return RunRecord(**{**values, **changes})


def facts(store: SnapshotStore, **changes: Any) -> dict[str, Any]:
    """The manifest's fields that a frame does not tell; the config object exists."""
    values: dict[str, Any] = {
        "kind": "series",
        "contract": "Sample",
        "fingerprint": "f" * 64,
        "code_version": "c" * 64,
        "config_digest": store.put_config({"sample": True}),
        "run": record(),
    }
    return {**values, **changes}


def bars(days: int = 3, *, first: str = "2020-01-01", scale: float = 1.0) -> pd.DataFrame:
    """A bars-like frame of the symbols AAPL and MSFT; closes are 100·scale, 101·scale, ..."""
    ts = pd.date_range(first, periods=days, freq="D", tz="UTC").as_unit("us").repeat(2)
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + pd.Timedelta(hours=21),
            "symbol": pd.Series(["AAPL", "MSFT"] * days, dtype="str"),
            "close": (np.arange(2 * days) + 100.0) * scale,
        }
    )


def commit(store: SnapshotStore, cell: Cell, frame: pd.DataFrame, **changes: Any) -> Manifest:
    """Commit `frame` with sample facts."""
    return store.commit(cell, frame, facts(store, **changes))


def temps(root: Path) -> list[Path]:
    """Temp files below `root`, found without the library's help."""
    return [path for path in root.rglob("*") if ".tmp-" in path.name]


def flip_bit(path: Path, byte: int, bit: int = 0) -> None:
    """Change one bit in place; the file stays read-only and keeps its inode."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.seek(byte)
        value = stream.read(1)[0]
        stream.seek(byte)
        stream.write(bytes([value ^ (1 << bit)]))
    path.chmod(mode)


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A tmpfs at `folder`; skips where mounting is not permitted."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.decode().strip()[:80]}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
