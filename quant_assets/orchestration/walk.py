"""The window walker: fingerprint, compute, validate, store, next. Memory is a few small windows.

A body returns the promise that `walk` makes; the IO manager pulls it, so a kill loses at most the
window in work and those of the half second before. Cells whose fingerprint is unchanged are not
computed again.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import dagster as dg
import pandas as pd
from threadpoolctl import threadpool_limits

from quant_assets.contracts.base import Contract
from quant_assets.core.clock import timestamp
from quant_assets.core.context import StageContext, build_context
from quant_assets.core.errors import ConfigError, LookAheadError, MissingCellError
from quant_assets.core.hashing import digest
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.core.windows import Window
from quant_assets.orchestration.announcing import PROGRESS, Announced, PartProgress, Progress
from quant_assets.orchestration.cell_plans import CellPlan, config_digest, plan_cell
from quant_assets.orchestration.cells import CellSpec, cell_spec
from quant_assets.orchestration.dead_runs import own_run
from quant_assets.orchestration.graph import contract_of
from quant_assets.orchestration.partitions import split_key
from quant_assets.orchestration.workspace import Workspace, current_workspace
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.manifests import Manifest, RunRecord, environment_digest
from quant_assets.storage.paths import Cell
from quant_assets.storage.telemetry import telemetry_frame, write_telemetry

# Cells wait for each other, so that the disk is asked once for many of them.
MOST_STAGED_CELLS = 32
MOST_STAGED_BYTES = 16_000_000
MOST_STAGED_SECONDS = 0.5

FORCE: ContextVar[bool] = ContextVar("force", default=False)
# The headless launch that a run belongs to. No run tag: Dagster copies tags to re-executed runs.
LAUNCH: ContextVar[str | None] = ContextVar("launch", default=None)


@dataclass(frozen=True)
class Handle:
    """What an input is: the right to read an asset's cells, not yet any data."""

    asset: str


@dataclass(frozen=True)
class Done:
    """One walked cell: the manifests of its outs, and whether they were there before."""

    key: str
    manifests: dict[str, Manifest]
    unchanged: bool
    contracts: Mapping[str, type[Contract]]


@dataclass
class Promise:
    """A body's return value; computed once, however many outs pull it."""

    make: Callable[[], Iterator[Done]]

    @cached_property
    def results(self) -> list[Done]:
        """All cells of the run, in time order per venue."""
        return list(self.make())


class Walker:
    """Walks the cells of one asset (or multi-asset) in one run.

    Cells bear the run's id. Telemetry goes to the folder of the launch, which has the manifest of
    the run; a run from the UI has no launch and a folder of its own.
    """

    def __init__(
        self, workspace: Workspace, spec: CellSpec, run_id: str, progress: Progress | None
    ) -> None:
        self.workspace = workspace
        self.spec = spec
        self.run_id = run_id
        self.progress = progress
        self._sinks = workspace.telemetry_sinks
        self._config: dict[str, str] = {}

    def run(self, keys: list[str]) -> Iterator[Done]:
        """Walk the cells in time order, venue by venue, holding the venue's lock."""
        pairs = sorted(split_key(key) for key in keys)
        settings = self.workspace.settings
        for venue in dict.fromkeys(venue for venue, _ in pairs):
            with ExitStack() as stack:
                lock = self.workspace.store.layout.lock(self.spec.main, venue)
                what = f"{self.spec.main} of {venue}"
                stack.enter_context(
                    writer_lock(lock, what=what, wait_seconds=settings.lock_wait_seconds)
                )
                stack.enter_context(threadpool_limits(1))
                done = self._walk(venue, [window for v, window in pairs if v == venue])
            self._tell(done)
            yield from done

    def _walk(self, venue: str, windows: list[str]) -> list[Done]:
        """Bring windows of one venue up to date; what was computed before an error is kept."""
        done: list[Done] = []
        told, began = 0, time.monotonic()
        try:
            for window in windows:
                done.append(self.cell(venue, window))
                waiting = done[told:]
                if (
                    self.spec.dataset is not None  # a provider is foreign code, which may crash
                    or len(waiting) >= MOST_STAGED_CELLS
                    or time.monotonic() - began > MOST_STAGED_SECONDS
                    or _size(waiting) > MOST_STAGED_BYTES
                ):
                    self._publish(waiting)
                    told, began = len(done), time.monotonic()
        finally:
            self._publish(done[told:])
        return done

    def _publish(self, waiting: list[Done]) -> None:
        self.workspace.store.publish()
        if self.progress is not None:
            for done in waiting:
                self.progress(self.spec.main, done.key, done.unchanged)

    def _tell(self, done: list[Done]) -> None:
        """Telemetry of one venue to parquet, then to the extra sinks; no lock is held meanwhile."""
        main = self.spec.main
        fresh = [cell.manifests[main] for cell in done if not cell.unchanged]
        frame = telemetry_frame([(Cell(main, m.venue, m.window), m.run.telemetry) for m in fresh])
        if frame.empty:
            return
        run_id = LAUNCH.get() or self.run_id
        write_telemetry(self.workspace.store.layout, run_id, frame)
        self._sinks.write(run_id, frame)

    def _config_of(self, venue: str) -> str:
        if venue not in self._config:
            _, config = config_digest(self.workspace, self.spec, venue)
            self._config[venue] = self.workspace.store.put_config(config)
        return self._config[venue]

    def cell(self, venue: str, window: str) -> Done:
        """Bring one cell up to date."""
        plan = plan_cell(self.workspace, self.spec, venue, window, self._config_of(venue))
        key = venue if self.spec.kind == "venue" else f"{venue}|{window}"
        if plan.missing:
            raise MissingCellError(_missing_message(self.spec.main, key, plan.missing))
        store = self.workspace.store
        known = {out: store.manifest(Cell(out, venue, window)) for out in self.spec.outs}
        current = {
            o: m for o, m in known.items() if m is not None and m.fingerprint == plan.fingerprint
        }
        if len(current) == len(known) and not FORCE.get():
            return Done(key, current, unchanged=True, contracts=self.spec.outs)
        return Done(key, self._compute(plan), unchanged=False, contracts=self.spec.outs)

    def _compute(self, plan: CellPlan) -> dict[str, Manifest]:
        started = time.perf_counter()
        store = self.workspace.store
        telemetry = RecordingTelemetry(partial(self._part, plan))
        more = self._extras(plan)
        plan = self._as_far_back_as_needed(self._with_version_before(plan), more)
        inputs = {
            asset: {cell.window: store.require(cell).sha256 for cell in cells}
            for asset, cells in plan.inputs.items()
        }
        hashes = {asset: digest(cells) for asset, cells in inputs.items()}
        context = self._context(plan).model_copy(update={"inputs": hashes})
        frames, files = self._frames(plan, context, telemetry, more)
        record = RunRecord(
            run_id=self.run_id,
            written_at=timestamp(),
            environment=environment_digest(),
            seconds=round(time.perf_counter() - started, 6),
            telemetry=telemetry.rows,
        )
        facts = {
            "kind": self.spec.kind,
            "empty_reason": plan.empty_reason,
            "partial": context.partial,
            "stamps": self.workspace.venue(plan.venue).stamps(),
            "fingerprint": plan.fingerprint,
            "code_version": self.spec.code_version,
            "config_digest": self._config_of(plan.venue),
            "source_digest": plan.source_digest,
            "inputs": inputs,
            "files": store.put_files(self.spec.main, plan.venue, files),
            "run": record,
        }
        manifests = {}
        for out, contract in self.spec.outs.items():
            cell = Cell(out, plan.venue, plan.window)
            frame = contract.check_frame(frames[out], where=str(cell))
            _check_clock(frame, self.spec.kind, context, cell)
            manifests[out] = store.stage(cell, frame, {**facts, "contract": contract.__name__})
        return manifests

    def _with_version_before(self, plan: CellPlan) -> CellPlan:
        """Add a ledger's stored version to what its step gets."""
        if not self.spec.extends_itself:
            return plan
        own = Cell(self.spec.main, plan.venue, plan.window)
        stored = [] if self.workspace.store.manifest(own) is None else [own]
        return replace(plan, inputs={**plan.inputs, self.spec.main: stored})

    def _extras(self, plan: CellPlan) -> Mapping[str, Any]:
        """What the step gets beside its inputs."""
        if self.spec.extras is None or plan.empty_reason:
            return {}
        return self.spec.extras(self.workspace, self._context(plan))

    def _as_far_back_as_needed(self, plan: CellPlan, more: Mapping[str, Any]) -> CellPlan:
        """Without cells that are older than what the step needs; see `CellSpec.enough`."""
        if self.spec.enough is None or plan.empty_reason:
            return plan
        context = self._context(plan)
        long = {asset for asset, cells in plan.inputs.items() if len(cells) > 1}
        known = {a: self._load(a, c, context) for a, c in plan.inputs.items() if a not in long}
        enough = self.spec.enough(context, {**known, **more})
        windows = sorted({cell.window for a in long for cell in plan.inputs[a]}, reverse=True)
        for oldest in windows[:-1] if enough is not None else []:
            inputs = {
                asset: [cell for cell in cells if asset not in long or cell.window >= oldest]
                for asset, cells in plan.inputs.items()
            }
            read = {asset: self._load(asset, inputs[asset], context) for asset in long}
            if enough is not None and enough(read):
                return replace(plan, inputs=inputs)
        return plan

    def _part(self, plan: CellPlan, share: float) -> None:
        """How much of a cell is done."""
        if isinstance(self.progress, PartProgress):
            key = plan.venue if self.spec.kind == "venue" else f"{plan.venue}|{plan.window}"
            self.progress.part(self.spec.main, key, share)

    def _context(self, plan: CellPlan) -> StageContext:
        workspace, venue = self.workspace, self.workspace.venue(plan.venue)
        if self.spec.kind == "venue":
            span = workspace.span(plan.venue)
            first = workspace.grid.window(span.first_data)
            last = workspace.grid.window(span.last_data or span.first_data)
            window = Window(key=plan.window, start=first.start, end=last.end)
            return build_context(self.spec.context, venue, window, mode=workspace.settings.mode)
        window = workspace.grid.window(plan.window)
        return build_context(
            self.spec.context,
            venue,
            window,
            mode=workspace.settings.mode,
            partial=workspace.is_partial(venue, window),
        )

    def _frames(
        self,
        plan: CellPlan,
        context: StageContext,
        telemetry: RecordingTelemetry,
        more: Mapping[str, Any],
    ) -> tuple[dict[str, pd.DataFrame], dict[str, bytes]]:
        """Frames by out, and files by name for the stages that make some."""
        if plan.empty_reason:
            return {out: contract.empty() for out, contract in self.spec.outs.items()}, {}
        if self.spec.dataset is not None:
            provider = self.workspace.provider(plan.venue)
            result = self.spec.step(provider, self.spec.dataset, context.window)
        else:
            inputs = {
                asset: self._load(asset, cells, context) for asset, cells in plan.inputs.items()
            }
            result = self.spec.step(context, telemetry, **inputs, **more)
        if isinstance(result, tuple):
            return {self.spec.main: result[0]}, result[1]
        return (result if isinstance(result, dict) else {self.spec.main: result}), {}

    def _load(self, asset: str, cells: list[Cell], context: StageContext) -> pd.DataFrame:
        """Upstream rows in time order; a decision sees only what was known when it was made."""
        store = self.workspace.store
        frames = [store.read(cell) for cell in cells]
        filled = [frame for frame in frames if len(frame)]
        if not filled:
            own = self.spec.outs.get(asset)
            return frames[0] if frames else (own or contract_of(asset)).empty()
        frame = filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
        if self.spec.kind == "decision" and "available_at" in frame.columns:
            known = frame["available_at"] <= pd.Timestamp(context.decided_at)
            if not known.all():
                frame = frame[known].reset_index(drop=True)
        return frame


def _size(cells: list[Done]) -> int:
    return sum(m.size for done in cells for m in done.manifests.values() if not done.unchanged)


def _missing_message(asset: str, key: str, missing: list[Cell]) -> str:
    shown = ", ".join(str(cell) for cell in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    first, last = missing[0], missing[-1]
    return (
        f"{asset} {key} needs cells that are missing: {shown}{more}. Materialize them first: "
        f"quant-assets backfill --venue {first.venue} --windows {first.window}...{last.window} "
        f"--assets {first.asset}"
    )


def _check_clock(frame: pd.DataFrame, kind: str, context: StageContext, cell: Cell) -> None:
    """Rows of a series belong to the window; a decision bears its own decision time."""
    if frame.empty or kind not in ("series", "decision"):
        return
    if kind == "decision":
        if not (frame["decided_at"] == pd.Timestamp(context.decided_at)).all():
            raise LookAheadError(
                f"{cell}: decided_at is not {context.decided_at.isoformat()} in every row"
            )
        return
    first, last = frame["ts"].iloc[0], frame["ts"].iloc[-1]
    if first < context.window.start or last >= context.window.end:
        raise LookAheadError(
            f"{cell}: rows from {first} to {last} lie outside the window "
            f"[{context.window.start.isoformat()}, {context.window.end.isoformat()})"
        )


def walk(context: dg.AssetExecutionContext, **_handles: Handle) -> Promise | tuple[Promise, ...]:
    """The promise of all cells of this run; the same one for every out of a multi-asset.

    The handles are named in the body so that a reader sees the edges; the spec knows their spans.
    """
    spec = cell_spec(context.assets_def)
    if spec is None:
        raise ConfigError(f"{context.asset_key.to_user_string()} was not made by window_asset")
    run_id = context.run.run_id
    if LAUNCH.get() is None:
        own_run(context.instance, run_id)
    keys = list(context.partition_keys)
    told = Announced(context.log.info, len(keys), PROGRESS.get())
    walker = Walker(current_workspace(), spec, run_id, told)
    promise = Promise(lambda: walker.run(keys))
    return promise if len(spec.outs) == 1 else tuple(promise for _ in spec.outs)
