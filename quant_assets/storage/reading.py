"""What notebooks use: `load` a cell or a span of cells, `query` the lake. No daemon, read-only."""

from pathlib import Path

import pandas as pd

from quant_assets.core.config import load_settings
from quant_assets.core.errors import MissingCellError
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

SPAN = "..."


def _root(root: Path | str | None) -> Path:
    return Path(root).absolute() if root is not None else load_settings().data_root.absolute()


def load(
    asset: str, *, venue: str, window: str | None = None, root: Path | str | None = None
) -> pd.DataFrame:
    """A stored asset as a DataFrame, hash-checked.

    asset : name, for example `portfolio_weights`.
    venue : venue name; its YAML file need not exist any more.
    window : `YYYY-MM-DD` for one cell, `first...last` for a span (either end may be left out),
        None for all cells.
    root : data root; by default the one of the settings.

    Raises `MissingCellError` when nothing fits; the message lists what there is.
    """
    store = SnapshotStore(_root(root))
    stored = store.windows(asset, venue)
    windows = [name for name in stored if _inside(name, window)]
    if not windows:
        raise MissingCellError(_nothing(store, asset, venue, window, stored))
    frames = [store.read(Cell(asset, venue, name)) for name in windows]
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0].copy()


def _inside(name: str, window: str | None) -> bool:
    if window is None:
        return True
    first, span, last = window.partition(SPAN)
    return (first <= name and (not last or name <= last)) if span else name == first


def _nothing(
    store: SnapshotStore, asset: str, venue: str, window: str | None, stored: list[str]
) -> str:
    if stored:
        return (
            f"no cells of {asset!r} for venue {venue!r} and window {window!r}; stored are "
            f"{len(stored)} windows from {stored[0]} to {stored[-1]}"
        )
    known = {name: store.venues(name) for name in store.assets()}
    return (
        f"no cells of {asset!r} for venue {venue!r} under {store.layout.root}; "
        f"stored assets and venues: {known or 'none, run quant-assets demo'}"
    )


def query(sql: str, *, root: Path | str | None = None) -> pd.DataFrame:
    """Run SQL over the lake; every asset is a table with the extra columns `venue` and `window`.

    `window` is a word of SQL, so it stands in double quotes.
    Example: ``query('SELECT entrant, sum(fees) FROM equity GROUP BY entrant')``.
    """
    return run_query(_root(root), sql)
