"""Roots with bars, venues and strategy files, and walks over their cells."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.factories import strategy_specs
from quant_assets.orchestration.walk import Walker
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.storage.paths import Cell
from quant_assets_tests.quant.simulation.strategy_windows.runs import bars_frame
from quant_assets_tests.quant.strategies.markets import random_bars
from quant_assets_tests.storage.samples import commit

VENUE = """\
name: {name}
title: Test venue {name}
provider: {{name: simulated, settings: {{seed: 7}}}}
history: {{first: "2022-01-01", last: "2022-06-30"}}
training_windows: 2
market:
  asset_class: crypto_spot
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: {length}
  bars_per_year: 1095
  price_fields: [open, high, low, close, volume]
  simulated: true
alpha: {{month_bars: 15}}
"""
DIP = """\
strategy: dip
version: "1.0.0"
components:
  signals:
    entry_long:
      - rsi_oversold: {period: 5, threshold: 35}
    exit_long:
      - rsi_overbought: {period: 5, threshold: 60}
  sizing: {type: fixed_fraction, params: {fraction: 0.3}}
  risk:
    - trailing_stop: {pct: 0.08}
backtest: {initial_capital: 50000.0, universe: v}
"""
CROSS = """\
strategy: cross
version: "2.0.0"
runtime: {candle_interval: 8h}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 3, slow: 12, average: ema}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 12, average: ema}}]
walk_forward:
  parameters:
    components.signals.entry_long.0.ma_cross_up.fast: [2, 3, 5]
"""
MONTHS = ["2022-01-01", "2022-02-01", "2022-03-01", "2022-04-01", "2022-05-01", "2022-06-01"]
BARS = random_bars(rows=3 * 181, days=1 / 3, seed=21)
FIRST = np.datetime64("2022-01-01", "us")


@dataclass(frozen=True)
class Place:
    """A root with bars of venue v, venues and strategies in folders beside it."""

    folder: Path

    def write_venues(self, **lengths: str) -> None:
        """A venue file for each name, with bars of its length."""
        (self.folder / "venues").mkdir()
        for name, length in lengths.items():
            path = self.folder / "venues" / f"{name}.yaml"
            path.write_text(VENUE.format(name=name, length=length), encoding="utf-8")

    def write(self, text: str) -> None:
        """A strategy file."""
        name = text.split()[1]
        (self.folder / "strategies").mkdir(exist_ok=True)
        (self.folder / "strategies" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def workspace(self, root: str = "data") -> Workspace:
        settings = Settings(
            data_root=self.folder / root,
            venues_folder=self.folder / "venues",
            strategies_folder=self.folder / "strategies",
            venues=["v", "w"],
            grid=Grid(start=pd.Timestamp("2021-10-01").date()),
            lock_wait_seconds=0.0,
        )
        workspace = Workspace(settings)
        for window in map(workspace.grid.window, MONTHS):
            inside = (FRAME["ts"] >= window.start) & (FRAME["ts"] < window.end)
            for asset, frame in (("bars", FRAME[inside]), ("funding", NO_FUNDING)):
                cell = Cell(asset, "v", window.key)
                if workspace.store.manifest(cell) is None:
                    commit(workspace.store, cell, frame.reset_index(drop=True))
        return workspace


def shifted(bars: BarPanel) -> BarPanel:
    """The same bars from the venue's first day on."""
    move = FIRST - bars.ts[0]
    return replace(bars, ts=bars.ts + move, available_at=bars.available_at + move)


PANEL = shifted(BARS)
FRAME = bars_frame(PANEL)
NO_FUNDING = pd.DataFrame(
    {
        "ts": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "available_at": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "symbol": pd.array([], dtype="str"),
        "event_id": pd.array([], dtype="str"),
        "rate": np.empty(0),
        "mark_price": np.empty(0),
    }
)


def specs_of(workspace: Workspace, name: str) -> tuple[CellSpec, ...]:
    return strategy_specs(workspace.strategies[name], workspace.venues)


def walk(workspace: Workspace, spec: CellSpec, keys: list[str]) -> list[bool]:
    """Walk cells; True per cell that was computed."""
    return [not done.unchanged for done in Walker(workspace, spec, "run", None).run(keys)]


def walk_all(workspace: Workspace, name: str, venue: str = "v") -> list[bool]:
    windows, leaks, runs, *tuned = specs_of(workspace, name)
    keys = [f"{venue}|{month}" for month in MONTHS]
    for spec in tuned:
        assert walk(workspace, spec, keys) == [True] * 6
    done = walk(workspace, windows, keys)
    return done + walk(workspace, leaks, [venue]) + walk(workspace, runs, [venue])


def read(workspace: Workspace, asset: str) -> pd.DataFrame:
    cells = [Cell(asset, "v", month) for month in MONTHS]
    return pd.concat([workspace.store.read(cell) for cell in cells], ignore_index=True)
