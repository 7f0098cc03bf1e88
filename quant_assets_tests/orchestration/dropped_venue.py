"""A small venue that lives on dropped files, and files for it.

Five perpetuals with 8-hour bars, long enough for all pillars to run in seconds.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.orchestration.workspace import Workspace
from quant_assets_tests.reliability.fixture_venue import TEMPLATE, neutral_environment

NAME = "dropped"
MONTHS = [f"2024-{month:02d}-01" for month in range(1, 8)]
SYMBOLS = {
    f"{base}/USDT:USDT": price
    for base, price in (
        ("AAA", 40000.0),
        ("BBB", 2000.0),
        ("CCC", 100.0),
        ("DDD", 0.5),
        ("EEE", 7.0),
    )
}
TWO_MONTHS = ["2024-01-01", "2024-02-01"]
_SIMULATED = "  simulated: true\n"


def write_dropped(folder: Path, *, name: str = NAME, extra: str = "") -> Path:
    """The venue file; `extra` is added at its end."""
    text = TEMPLATE.format(
        name=name, seed=11, provider="files", first="2024-01-01", last="2024-12-31", training=3
    )
    head, _, rest = text.partition("  settings:\n")
    _, _, tail = rest.partition("history:")
    text = (
        head
        + "history:"
        + tail.replace(_SIMULATED, "").replace("funding: required", "funding: none")
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text + extra, encoding="utf-8")
    return path


def environment(root: Path, venues: Path, *names: str) -> dict[str, str]:
    """Settings of processes that work on `root` with these venues alone."""
    listed = ",".join(f'"{name}"' for name in names or (NAME,))
    return {
        **neutral_environment(),
        "QUANT_ASSETS_DATA_ROOT": str(root),
        "QUANT_ASSETS_VENUES_FOLDER": str(venues),
        "QUANT_ASSETS_VENUES": f"[{listed}]",
        "QUANT_ASSETS_GRID__START": "2023-11-01",
        "QUANT_ASSETS_GRID__END": "2025-01-01",
        "QUANT_ASSETS_DETAIL": "brief",
    }


def bars(months: Sequence[str]) -> pd.DataFrame:
    """Tidy bars of the months: ts, symbol, open, high, low, close, volume.

    Random walks of one generator over the whole year, so a month is the same in any choice.
    """
    generator = np.random.default_rng(11)
    year = pd.date_range("2024-01-01", "2025-01-01", freq="8h", tz="UTC", inclusive="left")
    market = generator.normal(0.0, 0.01, len(year))
    frames = []
    for symbol, price in SYMBOLS.items():
        steps = market + generator.normal(0.0, 0.01, len(year))
        close = price * np.exp(np.cumsum(steps))
        opens = np.concatenate([[price], close[:-1]])
        spread = 1.0 + generator.uniform(0.001, 0.004, len(year))
        frame = {
            "ts": year,
            "symbol": symbol,
            "open": opens,
            "high": np.maximum(opens, close) * spread,
            "low": np.minimum(opens, close) / spread,
            "close": close,
            "volume": generator.uniform(1e6, 2e6, len(year)) / price,
        }
        frames.append(pd.DataFrame(frame))
    rows = pd.concat(frames).sort_values(["ts", "symbol"], ignore_index=True)
    return rows[rows["ts"].dt.strftime("%Y-%m-01").isin(list(months))].reset_index(drop=True)


def drop(root: Path, frame: pd.DataFrame, file: str, *, venue: str = NAME) -> Path:
    """Put the rows into the landing folder, as a copy that is complete at once."""
    folder = root / "landing" / venue
    folder.mkdir(parents=True, exist_ok=True)
    temp = folder / f".{file}.part"
    frame.to_csv(temp, index=False)
    return temp.rename(folder / file)


def workspace_of(folder: Path, extra: str = "", **settings: object) -> Workspace:
    write_dropped(folder / "venues", extra=extra)
    return workspace_of_folder(folder, **settings)


def workspace_of_folder(folder: Path, **settings: object) -> Workspace:
    return Workspace(
        Settings(
            data_root=folder / "data",
            venues_folder=folder / "venues",
            venues=[NAME],
            grid=Grid(start="2023-11-01"),
            **settings,
        )
    )


def root(workspace: Workspace) -> Path:
    return workspace.store.layout.root


def put(workspace: Workspace, file: str = "a.csv", months: list[str] | None = None) -> Path:
    path = drop(root(workspace), bars(months or TWO_MONTHS), file)
    moment = time.time() - 60
    os.utime(path, (moment, moment))
    return path
