"""A file of daily bars of two symbols, and strategies of a user."""

from pathlib import Path

import numpy as np
import pandas as pd

IDEA = """\
strategy: idea
version: "1.2.0"
runtime:
  candle_interval: "1d"
components:
  signals:
    entry_long:
      - ma_cross_up: {fast: 3, slow: 10}
    exit_long:
      - ma_cross_down: {fast: 3, slow: 10}
  sizing:
    type: fixed_fraction
    params: {fraction: 0.4}
  risk:
    - trailing_stop: {pct: 0.05}
backtest:
  initial_capital: 50000.0
"""


def daily_bars(n: int = 300, seed: int = 5) -> pd.DataFrame:
    """Open, high, low, close and volume of AAA and BBB, long form."""
    rng = np.random.default_rng(seed)
    ts = pd.date_range("2022-01-03", periods=n, freq="D", tz="UTC")
    frames = []
    for symbol in ("AAA", "BBB"):
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
        opened = close * np.exp(rng.normal(0.0, 0.005, n))
        high = np.maximum(opened, close) * 1.005
        low = np.minimum(opened, close) * 0.995
        values = {"open": opened, "high": high, "low": low, "close": close}
        frames.append(pd.DataFrame({"ts": ts, "symbol": symbol, **values, "volume": 1e6}))
    return pd.concat(frames, ignore_index=True).sort_values(["ts", "symbol"], ignore_index=True)


def write_bars(folder: Path, name: str = "bars.csv", **options: int) -> Path:
    """The bars as a CSV or parquet file."""
    path, frame = folder / name, daily_bars(**options)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


def write_idea(folder: Path, text: str = IDEA) -> Path:
    """A strategy file."""
    path = folder / "idea.yaml"
    path.write_text(text, encoding="utf-8")
    return path
