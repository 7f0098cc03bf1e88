"""The IO manager: pulls promises, and shows each cell to Dagster."""

from collections.abc import Iterator
from functools import cache

import dagster as dg
import pandas as pd

from quant_assets.core.errors import StorageError
from quant_assets.orchestration.pictures import newest_picture
from quant_assets.orchestration.walk import Done, Handle, Promise
from quant_assets.orchestration.workspace import current_workspace
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell

PREVIEW_ROWS = 5
TELEMETRY_ROWS = 12


class SnapshotIOManager(dg.IOManager):
    """Inputs are handles, outputs are promises; the store does the rest.

    The walker has validated and stored every frame when its metadata reach Dagster, so the event
    log can lag behind the data but never ahead of it.
    """

    def load_input(self, context: dg.InputContext) -> Handle:
        """A handle: nothing is read before a window needs it."""
        return Handle(context.asset_key.to_user_string())

    def handle_output(self, context: dg.OutputContext, obj: Promise) -> None:
        """Pull the promise and emit each partition's path, size, hash, schema and preview."""
        asset = context.asset_key.to_user_string()
        wanted = set(context.asset_partition_keys)
        done = obj.results
        if {cell.key for cell in done} != wanted:
            missing = sorted(wanted - {cell.key for cell in done})
            raise StorageError(
                f"{asset}: {len(missing)} cells were not written, first {missing[0]}"
            )
        facts = {cell.key: _metadata(asset, cell) for cell in done}
        for cell in done[-1:]:  # the UI shows the columns of the newest window, empty or not
            facts[cell.key]["dagster/column_schema"] = _schema_of(cell.manifests[asset])
        for key, picture in _pictures(asset, done):
            facts[key]["picture"] = picture
        _show(context.asset_key, facts)
        changed = sum(not cell.unchanged for cell in done)
        context.log.info(f"{asset}: {changed} computed, {len(done) - changed} unchanged")


def _show(asset: dg.AssetKey, facts: dict[str, dict[str, dg.MetadataValue]]) -> None:
    """Attach the metadata of each partition to its event.

    The public `add_asset_metadata` lists all keys of the range on every call, which is quadratic in
    the windows of a run; it ends in this very accumulator.
    """
    step = dg.AssetExecutionContext.get().get_step_execution_context()
    kept = step._metadata_accumulator
    for key, values in facts.items():
        kept = kept.with_additional_asset_metadata(
            asset_key=asset, partition_key=key, metadata=values
        )
    step._metadata_accumulator = kept


def _pictures(asset: str, done: list[Done]) -> Iterator[tuple[str, dg.MetadataValue]]:
    """Pictures by partition key: of the newest filled window, of all, or of none."""
    filled = [cell for cell in done if cell.manifests[asset].rows]
    drawn = {"brief": [], "standard": filled[-1:], "full": filled}
    for cell in drawn[current_workspace().settings.detail]:
        markdown = newest_picture(cell.contracts[asset], _read(cell.manifests[asset]))
        if markdown:
            yield cell.key, dg.MetadataValue.md(markdown)


def _read(manifest: Manifest) -> pd.DataFrame:
    store = current_workspace().store
    return store.read(Cell(manifest.asset, manifest.venue, manifest.window))


def _metadata(asset: str, cell: Done) -> dict[str, dg.MetadataValue]:
    manifest = cell.manifests[asset]
    store = current_workspace().store
    path = store.layout.view(Cell(manifest.asset, manifest.venue, manifest.window))
    facts: dict[str, dg.MetadataValue] = {
        "path": dg.MetadataValue.path(str(path)),
        "dagster/row_count": dg.MetadataValue.int(manifest.rows),
        "bytes": dg.MetadataValue.int(manifest.size),
        "sha256": dg.MetadataValue.text(manifest.sha256),
        "unchanged": dg.MetadataValue.bool(cell.unchanged),
    }
    if manifest.empty_reason:
        facts["empty_reason"] = dg.MetadataValue.text(manifest.empty_reason)
    if manifest.partial:
        facts["partial"] = dg.MetadataValue.bool(True)
    if manifest.rows and manifest.first_ts:
        facts["span"] = dg.MetadataValue.text(f"{manifest.first_ts} to {manifest.last_ts}")
    if manifest.stamps:
        facts["stamps"] = dg.MetadataValue.md("\n".join(f"- {note}" for note in manifest.stamps))
    if manifest.rows:
        facts["dagster/column_schema"] = _schema_of(manifest)
    if manifest.run.telemetry and not cell.unchanged:
        facts["telemetry"] = dg.MetadataValue.json(manifest.run.telemetry[:TELEMETRY_ROWS])
    if manifest.rows and not cell.unchanged:
        frame = _read(manifest)
        facts["preview"] = dg.MetadataValue.md(_preview(frame))
        if "symbol" in frame.columns:
            facts["symbols"] = dg.MetadataValue.int(int(frame["symbol"].nunique()))
    return facts


def _schema_of(manifest: Manifest) -> dg.MetadataValue:
    return _schema(tuple(manifest.columns.items()))


@cache
def _schema(columns: tuple[tuple[str, str], ...]) -> dg.MetadataValue:
    return dg.MetadataValue.table_schema(
        dg.TableSchema([dg.TableColumn(name, dtype) for name, dtype in columns])
    )


def _preview(frame: pd.DataFrame) -> str:
    """The first rows as a markdown table."""
    head = frame.head(PREVIEW_ROWS)
    lines = ["| " + " | ".join(head.columns) + " |", "|" + " --- |" * len(head.columns)]
    for row in head.itertuples(index=False):
        lines.append("| " + " | ".join(_text(value) for value in row) + " |")
    return "\n".join(lines)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("+00:00", "Z").replace("|", "\\|")
