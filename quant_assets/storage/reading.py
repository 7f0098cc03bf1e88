"""What notebooks use: `load` a cell or a span of cells, `query` the lake. No daemon, read-only."""

import json
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from quant_assets.core.config import load_settings
from quant_assets.core.errors import ConfigError, MissingCellError
from quant_assets.storage.frames import to_frame
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

SPAN = "..."
BARS, ADJUSTMENTS = "bars", "adjustments"


def _root(root: Path | str | None) -> Path:
    return Path(root).absolute() if root is not None else load_settings().data_root.absolute()


def load(
    asset: str,
    *,
    venue: str,
    window: str | None = None,
    root: Path | str | None = None,
    adjusted_as_of: datetime | str | None = None,
) -> pd.DataFrame:
    """A stored asset as a DataFrame, hash-checked.

    asset : name, for example `portfolio_weights`.
    venue : venue name; its YAML file need not exist any more.
    window : `YYYY-MM-DD` for one cell, `first...last` for a span (either end may be left out),
        None for all cells.
    root : data root; by default the one of the settings.
    adjusted_as_of : an instant (UTC where no zone is said), for `bars` alone: their prices and
        volumes as someone would adjust them then, by the events that were known and in effect and
        that the venue's prices do not contain; see `quant.market.adjust`. None: as stored.

    Raises `MissingCellError` when nothing fits; the message lists what there is.
    """
    store = SnapshotStore(_root(root))
    frame = _stored(store, asset, venue, window)
    if adjusted_as_of is None:
        return frame
    if asset != BARS:
        raise ConfigError(f"{asset} cannot be adjusted: adjusted_as_of is for {BARS!r} alone")
    from quant_assets.quant.market.adjust import adjust_bars, unapplied  # with pandera, 0.7 s

    events = _stored(store, ADJUSTMENTS, venue, None)
    left = unapplied(_price_adjustment(store, venue), events)
    return adjust_bars(frame, left, as_of=_instant(adjusted_as_of))


def _stored(store: SnapshotStore, asset: str, venue: str, window: str | None) -> pd.DataFrame:
    stored = store.windows(asset, venue)
    windows = [name for name in stored if _inside(name, window)]
    if not windows:
        raise MissingCellError(_nothing(store, asset, venue, window, stored))
    tables = [store.read_table(Cell(asset, venue, name)) for name in windows]
    filled = [table for table in tables if table.num_rows] or tables[:1]
    if _of_one_kind(filled):
        return to_frame(pa.concat_tables(filled).combine_chunks()).copy()
    return pd.concat([to_frame(table) for table in filled], ignore_index=True)


def _of_one_kind(tables: list[pa.Table]) -> bool:
    """Whether tables have the same columns, whose values can be put below each other as they are.

    Categories of a dictionary are those of its table, and pandas has rules of its own for them.
    """
    schema = tables[0].schema
    has_categories = any(pa.types.is_dictionary(field.type) for field in schema)
    return not has_categories and all(table.schema.equals(schema) for table in tables)


def _price_adjustment(store: SnapshotStore, venue: str) -> str:
    """What the venue's stored prices contain, from the configuration that its bars were made by."""
    cell = store.cells_of(BARS, venue)[-1]
    digest = store.require(cell).config_digest
    config = json.loads(store.read_bytes(digest, where=f"configuration of {cell}", suffix="json"))
    return str(config["market"]["price_adjustment"])


def _instant(moment: datetime | str) -> datetime:
    stamp = pd.Timestamp(moment)
    known = stamp.tz_localize("UTC") if stamp.tz is None else stamp
    return known.to_pydatetime()


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
    from quant_assets.storage.catalog import run_query  # with duckdb

    return run_query(_root(root), sql)
