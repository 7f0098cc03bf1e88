"""What is stale and why, from manifests alone: nothing is computed, nothing is launched."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from quant_assets.orchestration.cell_plans import CellPlan, config_digest, plan_cell
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.graph import ordered_specs
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class CellState:
    """State of one cell of one spec, with the reason when it is not fresh."""

    spec: CellSpec
    venue: str
    window: str
    state: State
    cause: str = ""


@dataclass(frozen=True)
class Plan:
    """States of all cells in scope, in dependency and time order."""

    venue: str
    cells: tuple[CellState, ...]

    @property
    def pending(self) -> list[CellState]:
        """Cells that a run would have to look at."""
        return [cell for cell in self.cells if cell.state != "fresh"]

    def forced(self) -> "Plan":
        """The same plan with every cell pending."""
        cells = (replace(cell, state="stale", cause="forced") for cell in self.cells)
        return Plan(self.venue, tuple(cells))

    def windows(self) -> tuple[str, str] | None:
        """First and last pending window of window assets, or None when nothing is pending."""
        keys = sorted(cell.window for cell in self.pending if cell.spec.kind != "venue")
        return (keys[0], keys[-1]) if keys else None


def venue_windows(
    workspace: Workspace, venue: str, first: str | None, last: str | None
) -> list[str]:
    """Window keys of a venue's data between `first` and `last` (None: the venue's own ends)."""
    span = workspace.span(venue)
    end = span.last_data or last
    if end is None:
        raise ValueError(f"venue {venue} has no last day: name the last window")
    start = max(first or span.first_data, span.first_data)
    stop = min(last or end, end)
    return list(workspace.grid.between(start, stop)) if start <= stop else []


def make_plan(
    workspace: Workspace,
    venue: str,
    *,
    first: str | None = None,
    last: str | None = None,
    assets: Iterable[str] | None = None,
) -> Plan:
    """Plan one venue between two windows, both included.

    A cell is stale when its fingerprint differs from the stored one, or when an input of it is
    itself pending. (The run may then find the input's bytes equal and leave the cell alone.)
    A venue to which nothing was delivered yet has no cells.
    """
    if not workspace.span(venue).has_data:
        return Plan(venue, ())
    wanted = set(assets) if assets is not None else None
    windows = venue_windows(workspace, venue, first, last)
    pending: set[Cell] = set()
    states: list[CellState] = []
    for spec in ordered_specs():
        if wanted is not None and not wanted.intersection(spec.outs):
            continue
        config, _ = config_digest(workspace, spec, venue)
        for window in ["all"] if spec.kind == "venue" else windows:
            state = _state(workspace, spec, (venue, window), config, pending)
            states.append(state)
            if state.state != "fresh":
                pending.update(Cell(out, venue, window) for out in spec.outs)
    return Plan(venue, tuple(states))


def _state(
    workspace: Workspace, spec: CellSpec, where: tuple[str, str], config: str, pending: set[Cell]
) -> CellState:
    venue, window = where
    plan = plan_cell(workspace, spec, venue, window, config)
    manifests = [workspace.store.manifest(Cell(out, venue, window)) for out in spec.outs]
    upstream = _pending_inputs(spec, plan, pending)
    if any(manifest is None for manifest in manifests):
        return CellState(spec, venue, window, "missing", "never computed")
    if plan.missing:
        return CellState(spec, venue, window, "stale", f"input {plan.missing[0]} is missing")
    if upstream:
        return CellState(spec, venue, window, "stale", f"input {upstream[0]} is pending")
    for manifest in manifests:
        if manifest is not None and manifest.fingerprint != plan.fingerprint:
            return CellState(spec, venue, window, "stale", _cause(spec, config, manifest))
    return CellState(spec, venue, window, "fresh")


def _pending_inputs(spec: CellSpec, plan: CellPlan, pending: set[Cell]) -> list[Cell]:
    """Inputs that the run will make or renew; a venue-wide asset also reads windows to come."""
    if spec.kind == "venue":
        read = {asset for asset, history in spec.reads.items() if history.concerns(plan.venue)}
        return sorted((c for c in pending if c.asset in read), key=str)[:1]
    return [cell for cells in plan.inputs.values() for cell in cells if cell in pending]


def _cause(spec: CellSpec, config: str, manifest) -> str:
    if manifest.code_version != spec.code_version:
        return "code changed"
    if manifest.config_digest != config:
        return "configuration changed"
    return "source or inputs changed"
