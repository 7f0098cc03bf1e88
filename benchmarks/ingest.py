"""Files of one-minute bars taken in: time, peak memory, and the share that checking costs."""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather

from benchmarks.page import Row
from benchmarks.processes import used_by

TITLE = "One-minute bars taken in from files, every row checked"
TARGET = "50 symbols x 500,000 rows below 2,000 MB; checks at most 15 % of the time"
SYMBOLS, QUICK_SYMBOLS, BARS = 50, 3, 500_000
VENUE = """
name: minutes
title: one-minute bars
provider: {name: files}
history: {first: 2023-01-01}
market:
  asset_class: crypto_perpetual
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: 1m
  bars_per_year: 525600
  price_fields: [open, high, low, close, volume]
  funding: assume_zero
alpha: {month_bars: 1440}
"""


def measure(folder: Path, *, quick: bool) -> list[Row]:
    symbols = QUICK_SYMBOLS if quick else SYMBOLS
    (folder / "venues").mkdir()
    (folder / "venues" / "minutes.yaml").write_text(VENUE, encoding="utf-8")
    root = folder / "root"
    landing = root / "landing" / "minutes"
    landing.mkdir(parents=True)
    for number in range(symbols):
        write_bars(landing / f"A{number:02d}_USDT_USDT-1m-futures.feather", seed=number)
    environment = {
        **os.environ,
        "QUANT_ASSETS_DATA_ROOT": str(root),
        "QUANT_ASSETS_VENUES_FOLDER": str(folder / "venues"),
        "QUANT_ASSETS_VENUES": '["minutes"]',
    }
    used = used_by(["-m", "quant_assets.cli.main", "ingest"], environment, folder)
    checking = seconds_of_checks(folder / "venues" / "minutes.yaml", seed=0)
    rows = symbols * BARS
    return [
        {
            "symbols": symbols,
            "rows": rows,
            "s": used.wall,
            "CPU s": used.cpu,
            "rows a CPU second": rows / used.cpu,
            "peak MB": used.peak_megabytes,
            "checks, % of CPU": 100.0 * checking * symbols / used.cpu,
        }
    ]


def bars(seed: int) -> pd.DataFrame:
    """A random walk in freqtrade's columns; 347 days of minutes."""
    generator = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(generator.normal(0, 4e-4, BARS))), 4)
    opens = np.concatenate([[close[0]], close[:-1]])
    spread = np.round(np.abs(generator.normal(0, 2e-4, BARS)) * close, 4)
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=BARS, freq="min", tz="UTC", unit="ms"),
            "open": opens,
            "high": np.maximum(opens, close) + spread,
            "low": np.minimum(opens, close) - spread,
            "close": close,
            "volume": np.round(generator.exponential(50.0, BARS), 3),
        }
    )


def write_bars(path: Path, *, seed: int) -> None:
    """Write one symbol as freqtrade does."""
    table = pa.Table.from_pandas(bars(seed), preserve_index=False)
    pyarrow.feather.write_feather(table, str(path), compression="lz4")


def seconds_of_checks(venue_file: Path, *, seed: int) -> float:
    """CPU seconds of the row checks and the contract on one symbol's bars."""
    from datetime import UTC, datetime

    from quant_assets.contracts.bars import Bars
    from quant_assets.core.venues import Venue
    from quant_assets.core.yaml_loader import load_model
    from quant_assets.quant.market.row_checks.check import check_rows
    from quant_assets.quant.market.row_checks.rules import RowRules

    venue = load_model(venue_file, Venue)
    frame = bars(seed).rename(columns={"date": "ts"})
    frame["ts"] = frame["ts"].astype("datetime64[us, UTC]")
    raw = frame.assign(symbol=pd.Series(["A"] * BARS, dtype="str"), line=np.arange(1, BARS + 1))
    rules = RowRules.of(venue, file="a", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        checked = check_rows("bars", raw, rules)
        Bars.check_frame(checked.frame, where="benchmark")
        best = min(best, time.process_time() - began)
    return best
