"""Dagster asset checks that read the lake's `check_results`, `model_leaks` and `doubts`.

One evaluation judges all windows of a range run (docs/dagster.md); its metadata list the windows
that fail and the worst value.
"""

import dagster as dg
import pandas as pd

from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.orchestration.partitions import shared_grid, split_key
from quant_assets.orchestration.workspace import Workspace, current_workspace
from quant_assets.storage.paths import Cell

RESULTS = "check_results"
LEAKS = "model_leaks"
EXAMINED_EVERY = 4  # decisions: a leak is a matter of the code, and all cells twice cost too much
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


def trust_check(asset: str) -> dg.AssetChecksDefinition:
    """An asset check that fails where the leak check does not trust what made `asset`."""

    @dg.asset_check(
        asset=dg.AssetKey(asset),
        name="trusted",
        description="No number changes when what was not known yet changes, plug-in by plug-in.",
        additional_deps=[dg.AssetDep(dg.AssetKey(LEAKS))],
        partitions_def=shared_grid(),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return trust_evaluation(current_workspace(), asset, list(context.partition_keys))

    return check


def trust_evaluation(workspace: Workspace, asset: str, keys: list[str]) -> dg.AssetCheckResult:
    """Fail for every plug-in that made numbers of `asset` in these cells and is not trusted.

    A window that was passed over has the verdict of the last one before it that was examined.
    """
    examined = {cell for key in keys if (cell := _examined(workspace, *split_key(key)))}
    judged: set[str] = set()
    refused = []
    for cell in sorted(examined, key=str):
        frame = workspace.store.read(cell)
        rows = frame[(frame["asset"] == asset).to_numpy()]
        judged.update(rows["plug_in"])
        refused += [
            f"{cell.venue}|{cell.window} {row.plug_in}: {row.verdict}: {row.text}"
            for row in rows[~rows["trusted"].to_numpy()].itertuples()
        ]
    return dg.AssetCheckResult(
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "trusted": not refused,
            "windows examined": len(examined),
            "plug-ins judged": ", ".join(sorted(judged)) or "none",
            "not trusted": "\n".join(refused[:SHOWN]) or "none",
        },
    )


def model_leaks(workspace: Workspace, venue: str) -> pd.DataFrame:
    """Stored verdicts of all windows of a venue; none where nothing was examined yet."""
    cells = (Cell(LEAKS, venue, window) for window in workspace.store.windows(LEAKS, venue))
    frames = [frame for cell in cells if len(frame := workspace.store.read(cell))]
    return pd.concat(frames, ignore_index=True) if frames else ModelLeaks.empty()


def _examined(workspace: Workspace, venue: str, window: str) -> Cell | None:
    """The newest examined cell among a window and those before it that may have been passed over.

    It counts only where it was examined: a cell that is empty by rule says nothing.
    """
    for back in range(EXAMINED_EVERY):
        cell = Cell(LEAKS, venue, workspace.grid.shift(window, -back))
        manifest = workspace.store.manifest(cell)
        if manifest is not None and not manifest.empty_reason:
            return cell
    return None


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
