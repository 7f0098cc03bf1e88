"""Dagster asset checks that read the lake's `check_results` and `doubts`.

One evaluation judges all windows of a range run (docs/dagster.md); its metadata list the windows
that fail and the worst value.
"""

import dagster as dg

from quant_assets.orchestration.partitions import shared_grid, split_key
from quant_assets.orchestration.workspace import Workspace, current_workspace
from quant_assets.storage.paths import Cell

RESULTS = "check_results"
DOUBTS = "doubts"
SHOWN = 20


def result_check(
    asset: str,
    name: str,
    description: str,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetChecksDefinition:
    """An asset check on `asset` that shows the rows called `name` of its windows."""

    @dg.asset_check(
        asset=dg.AssetKey(asset),
        name=name,
        description=description,
        additional_deps=[dg.AssetDep(dg.AssetKey(RESULTS))],
        partitions_def=shared_grid(),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        store = current_workspace().store
        failing, judged, worst = [], 0, 0.0
        for key in context.partition_keys:
            cell = Cell(RESULTS, *split_key(key))
            if store.manifest(cell) is None:
                continue
            frame = store.read(cell)
            rows = frame[(frame["asset"] == asset) & (frame["check"] == name)]
            judged += len(rows)
            worst = max([worst, *rows["value"].tolist()])
            failing += [key] * int((~rows["passed"]).sum())
        return dg.AssetCheckResult(
            passed=not failing,
            severity=severity,
            metadata={
                "windows judged": judged,
                "windows failing": len(failing),
                "first failing": ", ".join(failing[:SHOWN]) or "none",
                "worst value": worst,
            },
        )

    return check


def doubt_check(
    name: str, description: str, *, reasons: tuple[str, ...]
) -> dg.AssetChecksDefinition:
    """An asset check on `doubts` that warns of rows with one of `reasons`, and tells each value."""

    @dg.asset_check(
        asset=dg.AssetKey(DOUBTS),
        name=name,
        description=description,
        partitions_def=shared_grid(),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return doubts_evaluation(current_workspace(), list(context.partition_keys), reasons)

    return check


def doubts_evaluation(
    workspace: Workspace, keys: list[str], reasons: tuple[str, ...]
) -> dg.AssetCheckResult:
    """Warn of every row of `doubts` with one of `reasons` in these cells, with its value."""
    told = []
    for key in keys:
        cell = Cell(DOUBTS, *split_key(key))
        if workspace.store.manifest(cell) is None:
            continue
        frame = workspace.store.read(cell)
        rows = frame[frame["reason"].isin(reasons)]
        told += [
            f"{key} {symbol}: {reason} by {value:+.0f} s"
            for symbol, reason, value in zip(
                rows["symbol"], rows["reason"], rows["value"], strict=True
            )
        ]
    return dg.AssetCheckResult(
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "windows judged": len(keys),
            "doubts": len(told),
            "first doubts": "; ".join(told[:SHOWN]) or "none",
        },
    )
