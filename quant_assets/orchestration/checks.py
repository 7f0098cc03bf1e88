"""Dagster asset checks that read the lake's `check_results`.

One evaluation judges all windows of a range run (docs/dagster.md); its metadata list the windows
that fail and the worst value.
"""

import dagster as dg

from quant_assets.orchestration.partitions import shared_grid, split_key
from quant_assets.orchestration.workspace import current_workspace
from quant_assets.storage.paths import Cell

RESULTS = "check_results"
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
