"""SQL over the lake: DuckDB in memory, one table per asset, no file within its reach.

DuckDB gets arrow datasets that are made from the manifests, and all file access is shut off. (With
`allowed_directories` it could also write below the root: even a SELECT may hold a COPY. And its
own parquet reader does not look at page checksums.)
"""

import re
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from quant_assets.core.errors import ConfigError, IntegrityError, StorageError
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.price_views import make_price_view, price_assets
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.strategy_views import make_views, needed_assets

_CELL_COLUMNS = ("venue", "window")
_BARE_WINDOW = re.compile(r"(?<!\")\bwindow\b(?!\")", re.IGNORECASE)
_ARROW = {
    "str": pa.large_string(),
    "bool": pa.bool_(),
    "float64": pa.float64(),
    "float32": pa.float32(),
}


def connect(
    root: Path, *, assets: list[str] | None = None, priced: bool = False
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection in UTC with a read-only table per asset (default: all assets).

    Each table has the asset's columns plus `venue` and `window`; the views of `strategy_views` come
    with the assets behind them, and where `priced` that of `price_views`. Files, extensions and the
    network are shut off, and the settings are locked.
    """
    store = SnapshotStore(root)
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    connection.execute("SET TimeZone='UTC'")  # not in `config`: that would look for an extension
    connection.execute("SET enable_external_access=false")
    shown = []
    for asset in store.assets() if assets is None else assets:
        manifests = _manifests(store, asset)
        if manifests:
            connection.register(asset, _dataset(store, asset, manifests))
            shown.append(asset)
    make_views(connection, store, shown)
    if priced:
        make_price_view(connection, store, shown)
    connection.execute("SET lock_configuration=true")
    return connection


def _manifests(store: SnapshotStore, asset: str) -> list[Manifest]:
    cells = [c for venue in store.venues(asset) for c in store.cells_of(asset, venue)]
    return [store.require(cell) for cell in cells]


def _dataset(store: SnapshotStore, asset: str, manifests: list[Manifest]) -> ds.FileSystemDataset:
    """The current objects of one asset; `venue` and `window` come from the manifests."""
    checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True, pre_buffer=False)
    kind = ds.ParquetFileFormat(default_fragment_scan_options=checked)
    local = fs.LocalFileSystem()
    schema = _schema(store, asset, manifests)
    added = [name for name in _CELL_COLUMNS if name not in schema.names]
    fragments = []
    for manifest in manifests:
        place = ds.scalar(True)
        for name in added:
            place = place & (ds.field(name) == getattr(manifest, name))
        path = str(store.layout.object(manifest.sha256))
        fragments.append(kind.make_fragment(path, local, partition_expression=place))
    for name in added:
        schema = schema.append(pa.field(name, pa.string()))
    return ds.FileSystemDataset(fragments, schema, kind, local)


def _schema(store: SnapshotStore, asset: str, manifests: list[Manifest]) -> pa.Schema:
    """All columns of the asset's cells; cells of an older code version may lack some.

    The order of the columns comes from the newest file: manifests of version 1 sorted them.
    """
    variants = {tuple(manifest.columns.items()): None for manifest in manifests}
    schemas = [pa.schema([(n, _arrow_type(d)) for n, d in variant]) for variant in variants]
    try:
        whole = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise StorageError(
            f"the cells of {asset} have columns that do not fit together: {error}. Recompute the "
            f"old ones: quant-assets backfill --venue {manifests[0].venue} --assets {asset}"
        ) from error
    newest = max(manifests, key=lambda manifest: manifest.window)
    order = _file_columns(store.layout.object(newest.sha256))
    rest = [name for name in whole.names if name not in order]
    return pa.schema([whole.field(name) for name in [*order, *rest] if name in whole.names])


def _file_columns(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(
            f"{path} is damaged or gone ({error}); `quant-assets verify` names what to do"
        ) from error


def _arrow_type(dtype: str) -> pa.DataType:
    if dtype.startswith("datetime64["):
        unit, _, zone = dtype[len("datetime64[") : -1].partition(", ")
        return pa.timestamp(unit, zone or None)
    return _ARROW.get(dtype) or pa.type_for_alias(dtype)


def run_query(root: Path, sql: str) -> pd.DataFrame:
    """Result of one SQL statement over the lake; an SQL error becomes a `ConfigError`."""
    store = SnapshotStore(root)
    known = store.assets()
    lowered = sql.lower()
    priced = price_assets(known, lowered)
    behind = needed_assets(store, lowered, known) | priced
    named = [asset for asset in known if asset.lower() in lowered or asset in behind]
    with connect(root, assets=named or known, priced=bool(priced)) as connection:
        try:
            relation = connection.sql(sql)
            if relation is None:
                raise ConfigError(f"{sql!r} gives no rows: write one SELECT")
            return _frame(relation.to_arrow_table())
        except duckdb.Error as error:
            raise _explained(error, sql, known) from error


def _explained(error: duckdb.Error, sql: str, known: list[str]) -> ConfigError | StorageError:
    text = str(error)
    if "CRC checksum" in text or "No such file" in text:
        return IntegrityError(
            f"{text}\nstored bytes are damaged or gone; `quant-assets verify` names them"
        )
    hint = ""
    if "Parser Error" in text and _BARE_WINDOW.search(sql):
        hint = '\nwindow is a word of SQL: write "window" in double quotes'
    return ConfigError(
        f"{text}\nin: {sql}{hint}\nassets with cells: {', '.join(known) or 'none yet'}"
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    """As pandas; wide integers and decimals, which pandas lacks, become floats."""
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            column = table.column(place).cast(pa.float64())
            table = table.set_column(place, field.name, column)
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame
