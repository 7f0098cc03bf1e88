"""Where a window of a strategy stands in its run when nothing is carried on that says so.

In mode `independent` windows do not know each other. How many bars there were before one is counted
by the times of the stored cells: each is opened once in a process, and no price is kept.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pandas as pd

from quant_assets.core.context import StageContext, StrategyContext, WalkForwardContext
from quant_assets.core.hashing import canonical_json
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.simulation.strategy_windows.history import (
    BEFORE,
    BarTimes,
    memory_of,
    standing_before,
    times_of,
)
from quant_assets.quant.simulation.strategy_windows.reading import funding_of, strategy_of
from quant_assets.quant.tuning.strategy_windows import memory_of_search
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore


def counted_before(workspace: Workspace, context: StageContext) -> dict[str, Any]:
    """`before` of a window that reads less than the whole history; nothing where all is read."""
    own = cast("StrategyContext", context)
    if own.mode != "independent":
        return {}
    walks = isinstance(own, WalkForwardContext)
    memory = memory_of_search(own) if walks else memory_of(strategy_of(own.strategy), own)
    if memory is None:
        return {}
    store, text = workspace.store, canonical_json(dict(own.strategy))
    first = workspace.span(own.venue).first_data

    def earlier(asset: str) -> list[Cell]:
        windows = store.windows(asset, own.venue)
        return [Cell(asset, own.venue, key) for key in windows if first <= key < own.window.key]

    root = store.layout.root
    times = [_times(root, cell, store.require(cell).sha256, text) for cell in earlier("bars")]
    if not times:
        return {}
    paid = [frame for frame in map(store.read, earlier("funding")) if len(frame)]
    funding = pd.concat(paid, ignore_index=True) if paid else None
    known = None if funding is None else funding_of(funding, own.market)
    return {BEFORE: standing_before(own, times, known, memory)}


@lru_cache(maxsize=4096)
def _times(root: Path, cell: Cell, _sha256: str, strategy: str) -> BarTimes:
    """Times of a cell's bars, those that a strategy's file asks for."""
    settings = strategy_of(json.loads(strategy)).settings
    return times_of(SnapshotStore(root).read(cell), settings.backtest)
