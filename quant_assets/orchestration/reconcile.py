"""Compare Dagster's event log with the manifests: the log is a view, they are the truth."""

import dagster as dg

from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.doctor import Finding
from quant_assets.storage.paths import Cell


def _keys_in_store(workspace: Workspace, asset: str) -> set[str]:
    store = workspace.store
    return {
        venue if window == "all" else f"{venue}|{window}"
        for venue in store.venues(asset)
        if venue in workspace.venues
        for window in store.windows(asset, venue)
    }


def reconcile(workspace: Workspace, *, repair: bool) -> list[Finding]:
    """Partitions that Dagster shows without data, or data that Dagster does not show.

    With `repair`, data unknown to Dagster are reported to it as materializations. Cells that it
    shows without data can only be computed again.
    """
    if not workspace.store.layout.dagster_home.is_dir():
        return []
    findings = []
    with open_instance(workspace) as instance:
        for asset in sorted(out for spec in ordered_specs() for out in spec.outs):
            key = dg.AssetKey(asset)
            seen = instance.get_materialized_partitions(key)
            shown = {k for k in seen if k.partition("|")[0] in workspace.venues}
            stored = _keys_in_store(workspace, asset)
            findings += _ghosts(asset, sorted(shown - stored))
            unseen = sorted(stored - shown)
            if unseen and repair:
                _report(workspace, instance, asset, unseen)
            elif unseen:
                findings.append(
                    Finding(
                        "warning",
                        f"Dagster does not show {len(unseen)} stored cells, first {unseen[0]}",
                        asset,
                        "quant-assets doctor --repair",
                    )
                )
    return findings


def _ghosts(asset: str, keys: list[str]) -> list[Finding]:
    if not keys:
        return []
    venue, _, window = keys[0].partition("|")
    windows = f" --windows {window}...{keys[-1].partition('|')[2]}" if window else ""
    return [
        Finding(
            "error",
            f"Dagster shows {len(keys)} materialised cells without data, first {keys[0]}",
            asset,
            f"quant-assets backfill --venue {venue}{windows} --assets {asset}",
        )
    ]


def _report(
    workspace: Workspace, instance: dg.DagsterInstance, asset: str, keys: list[str]
) -> None:
    for key in keys:
        venue, _, window = key.partition("|")
        manifest = workspace.store.require(Cell(asset, venue, window or "all"))
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=asset,
                partition=key,
                metadata={"sha256": manifest.sha256, "dagster/row_count": manifest.rows},
                description="reported by quant-assets doctor",
            )
        )
