"""What a cell is made of, known before anything is computed: its inputs and its fingerprint."""

from dataclasses import dataclass
from typing import Any

from quant_assets.adapters.providers.fetch import window_digest
from quant_assets.core.context import build_context
from quant_assets.core.hashing import digest
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell


@dataclass(frozen=True)
class CellPlan:
    """One cell's inputs and fingerprint, known from manifests alone."""

    venue: str
    window: str
    empty_reason: str
    inputs: dict[str, list[Cell]]
    missing: list[Cell]
    fingerprint: str
    source_digest: str = ""


def expected_inputs(
    workspace: Workspace, spec: CellSpec, venue: str, window: str
) -> dict[str, list[Cell]]:
    """The upstream cells that ought to exist for one cell.

    Cells outside the venue's data, and a chain before its first window, are not expected.
    """
    if spec.kind == "venue":
        return {
            asset: [Cell(asset, venue, w) for w in workspace.store.windows(asset, venue)]
            for asset, read in spec.reads.items()
            if read.concerns(venue)
        }
    span, grid = workspace.span(venue), workspace.grid
    expected: dict[str, list[Cell]] = {}
    for asset, read in spec.reads.items():
        if not read.concerns(venue):
            continue
        if asset == spec.chain and workspace.settings.mode == "independent":
            expected[asset] = []
            continue
        low, high = read.span(workspace.venue(venue))
        first = max(grid.shift(window, low), span.first_data)
        if asset == spec.chain and spec.kind != "series":
            first = max(first, span.first_decision)
        last = grid.shift(window, high)
        keys = grid.between(first, last) if first <= last else iter(())
        expected[asset] = [Cell(asset, venue, key) for key in keys]
    return expected


def config_digest(workspace: Workspace, spec: CellSpec, venue: str) -> tuple[str, dict[str, Any]]:
    """Digest and content of the parameters that every cell of an asset and venue shares."""
    context = build_context(
        spec.context,
        workspace.venue(venue),
        workspace.grid.window(workspace.span(venue).first_data),
        mode=workspace.settings.mode,
    )
    config = context.config()
    return digest(config), config


def plan_cell(
    workspace: Workspace, spec: CellSpec, venue: str, window: str, config: str
) -> CellPlan:
    """Inputs and fingerprint of one cell, from manifests alone."""
    reason = spec.empty_reason(workspace.venue(venue), workspace.span(venue), window)
    source = ""
    if reason:
        inputs: dict[str, list[Cell]] = {}
    else:
        inputs = expected_inputs(workspace, spec, venue, window)
        if spec.dataset is not None:
            provider, span = workspace.provider(venue), workspace.grid.window(window)
            source = window_digest(provider, spec.dataset, span)
        elif spec.source is not None:
            source = spec.source(workspace, venue)
    store = workspace.store
    hashes: dict[str, dict[str, str]] = {}
    missing = []
    for asset, cells in inputs.items():
        manifests = [(cell, store.manifest(cell)) for cell in cells]
        missing += [cell for cell, manifest in manifests if manifest is None]
        hashes[asset] = {c.window: m.data_sha256 for c, m in manifests if m is not None}
    partial = spec.kind != "venue" and workspace.is_partial(
        workspace.venue(venue), workspace.grid.window(window)
    )
    parts = [spec.code_version, config, source, reason, partial, hashes]
    return CellPlan(venue, window, reason, inputs, missing, digest(parts), source)
