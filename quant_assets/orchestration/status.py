"""State of a venue per pillar, from manifests and run records."""

from collections import Counter
from typing import Any

from quant_assets.orchestration.plan import CellState, make_plan
from quant_assets.orchestration.run_manifest import last_failures
from quant_assets.orchestration.workspace import Workspace


def newest_window(workspace: Workspace, venue: str) -> str | None:
    """Newest window of the venue with any committed cell."""
    store = workspace.store
    windows = [w for asset in store.assets() for w in store.windows(asset, venue) if w != "all"]
    return max(windows, default=None)


def venue_status(workspace: Workspace, venue: str) -> list[dict[str, Any]]:
    """One row per pillar: counts of cells, and the first cause with the command that mends it."""
    last = newest_window(workspace, venue)
    span = workspace.span(venue)
    if not span.has_data:
        row = _row(venue, "all", "–", Counter(), "no data yet")
        return [row | {"command": f"quant-assets ingest --venue {venue}"}]
    if last is None:
        return [_row(venue, "all", "–", Counter(), "nothing materialised yet")]
    plan = make_plan(workspace, venue, last=last)
    failures = {entry["stage"]: entry["cause"] for entry in last_failures(workspace, venue)}
    # Assets without windows read nothing, or everything: the order is that of the windows' assets.
    ordered = sorted(plan.cells, key=lambda cell: cell.spec.kind == "venue")
    pillars = dict.fromkeys(cell.spec.group for cell in ordered)
    rows = []
    for pillar in pillars:
        cells = [cell for cell in plan.cells if cell.spec.group == pillar]
        counts: Counter[str] = Counter()
        for cell in cells:
            failed = cell.state != "fresh" and _failure(cell, failures) is not None
            counts["failed" if failed else cell.state] += len(cell.spec.outs)
        rows.append(
            _row(venue, pillar, f"{span.first_data}…{last}", counts, _cause(cells, failures))
        )
    return rows


def _failure(cell: CellState, failures: dict[str, str]) -> str | None:
    steps = {cell.spec.main, cell.spec.step.__name__, cell.spec.op}
    return next((cause for stage, cause in failures.items() if stage in steps), None)


def _cause(cells: list[CellState], failures: dict[str, str]) -> str:
    first = next((cell for cell in cells if cell.state != "fresh"), None)
    if first is None:
        return ""
    why = _failure(first, failures) or failures.get("run") or first.cause
    return f"{first.spec.main} {first.window}: {why}"


def _row(venue: str, pillar: str, windows: str, counts: Counter[str], cause: str) -> dict[str, Any]:
    return {
        "venue": venue,
        "pillar": pillar,
        "windows": windows,
        "materialised": counts["fresh"],
        "stale": counts["stale"],
        "missing": counts["missing"],
        "failed": counts["failed"],
        "cause": cause,
        "command": f"quant-assets backfill --venue {venue}" if cause else "",
    }
