"""Declaring a window asset: one decorator that says kind, contract, step and what it may read.

The decorated body only passes its handles to `walk`. The declaration itself (`CellSpec`) hangs on
the asset, so that planning, checks and the graph test read the same facts as the run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from inspect import cleandoc
from typing import Any, Literal

import dagster as dg
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.core.context import StageContext
from quant_assets.core.hashing import code_digest
from quant_assets.core.venues import Venue
from quant_assets.orchestration.partitions import (
    History,
    shared_grid,
    venue_mapping,
    venue_partitions,
    window_mapping,
)
from quant_assets.orchestration.workspace import VenueSpan, current_workspace

Kind = Literal["series", "decision", "outcome", "venue"]
Frames = Mapping[str, pd.DataFrame]
KIND_TAG = "quant_assets/kind"
IO_MANAGER = "snapshots"


@dataclass(frozen=True)
class CellSpec:
    """What one asset (or multi-asset) is, apart from Dagster.

    `chain` names the out that carries state from window to window. `plugins` are packages whose
    every file belongs to the code digest; `modules` belong to it as well. `dataset` marks a raw
    asset that a provider delivers. `excluded` says why a venue has no such cells (they are stored
    empty), or nothing. `extends_itself` marks a venue-wide ledger: its step also gets the version
    before, and only adds to it. That version is an input of the manifest but not of the
    fingerprint, and no edge of the graph: Dagster refuses self-dependencies without a time
    dimension. `op` is the body's name, as Dagster calls the step. `enough` is for steps that need
    fewer earlier windows than they may read: it is given context, state and extras, and tells
    whether rows that were read back to some window suffice; None in its place: all are needed.
    Fingerprints cover all windows, manifests name those that were read. `extras` gives the step
    further arguments: given workspace and context. They must not change its frames, unless `source`
    tells them apart: the digest of what a step takes from outside of the graph, given workspace and
    venue. `due` says why a window of a venue has no rows though it has a cell, or nothing.
    """

    outs: Mapping[str, type[Contract]]
    kind: Kind
    context: type[StageContext]
    step: Callable[..., Any]
    reads: Mapping[str, History]
    group: str = ""
    chain: str | None = None
    plugins: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    excluded: Callable[[Venue], str] | None = None
    dataset: str | None = None
    extends_itself: bool = False
    op: str = ""
    extras: Callable[[Any, StageContext], Mapping[str, Any]] | None = None
    source: Callable[[Any, str], str] | None = None
    enough: Callable[[Any, Mapping[str, Any]], Callable[[Frames], bool] | None] | None = None
    due: Callable[[Venue, VenueSpan, str], str] | None = None

    @cached_property
    def code_version(self) -> str:
        """Digest of the step's module, its imports, its contracts and its plug-ins."""
        contracts = (contract.__module__ for contract in self.outs.values())
        modules = {self.step.__module__, *contracts, *self.modules}
        return code_digest(tuple(sorted(modules)), tuple(sorted(self.plugins)))

    @property
    def main(self) -> str:
        """The first out; it names locks and progress."""
        return next(iter(self.outs))

    def empty_reason(self, venue: Venue, span: VenueSpan, window: str) -> str:
        """Why a cell has no rows by rule; empty when it should have some."""
        excluded = self.excluded(venue) if self.excluded is not None else ""
        reason = excluded or ("" if self.kind == "venue" else span.empty_reason(self.kind, window))
        return reason or ("" if self.due is None else self.due(venue, span, window))

    def history(self, asset: str) -> History:
        """How far this cell reads `asset`."""
        return self.reads[asset]


def cell_spec(asset: dg.AssetsDefinition) -> CellSpec | None:
    """The declaration of an asset, or None for assets of other kinds."""
    if not asset.is_executable:
        return None
    compute = asset.op.compute_fn
    return getattr(getattr(compute, "decorated_fn", None), "cell_spec", None)


def _common(spec: CellSpec) -> dict[str, Any]:
    return {
        "tags": {KIND_TAG: spec.kind},
        "code_version": spec.code_version,
    }


def _inputs(spec: CellSpec) -> dict[str, dg.AssetIn]:
    return {
        name: dg.AssetIn(partition_mapping=_mapping(spec, read), input_manager_key=IO_MANAGER)
        for name, read in spec.reads.items()
    }


def _mapping(spec: CellSpec, read: History) -> dg.PartitionMapping:
    if read.venue_wide:
        return dg.IdentityPartitionMapping()
    if spec.kind == "venue":
        return venue_mapping()
    return window_mapping(*read.offsets(current_workspace()))


def window_asset(
    spec: CellSpec, *, contract: type[Contract] | None = None
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate a body as the asset that `spec` declares; its docstring is shown in the UI.

    A single asset takes its name from the body and gives its `contract`; a multi-asset has its
    outs in the spec. The policy stands on the decorator, never on single outs.
    """

    def decorate(body: Callable[..., Any]) -> dg.AssetsDefinition:
        outs = spec.outs if contract is None else {body.__name__: contract}
        own = replace(spec, outs=outs, op=body.__name__)
        body.cell_spec = own  # type: ignore[attr-defined]
        grid = venue_partitions() if own.kind == "venue" else shared_grid()
        shared: dict[str, Any] = {
            "partitions_def": grid,
            "backfill_policy": dg.BackfillPolicy.single_run(),
            "ins": _inputs(own),
        }
        if contract is not None:
            return dg.asset(
                **shared,
                **_common(own),
                group_name=own.group,
                io_manager_key=IO_MANAGER,
                metadata={"contract": contract.__name__},
            )(body)
        return _multi(own, body, shared)

    return decorate


def _multi(spec: CellSpec, body: Callable[..., Any], shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Only the carried out has the self-edge, and it comes first (docs/dagster.md)."""
    outside = {dg.AssetKey(name) for name in spec.reads if name != spec.chain}
    deps = {
        name: outside | ({dg.AssetKey(spec.chain)} if name == spec.chain and spec.chain else set())
        for name in spec.outs
    }
    outs = {
        name: dg.AssetOut(
            io_manager_key=IO_MANAGER,
            description=cleandoc(contract.__doc__ or ""),
            metadata={"contract": contract.__name__},
            **_common(spec),
        )
        for name, contract in spec.outs.items()
    }
    decorate = dg.multi_asset(
        outs=outs, internal_asset_deps=deps, group_name=spec.group, name=body.__name__, **shared
    )
    return decorate(body)
