"""The walker on its own: memo, holes, empty cells, point in time, modes, locks."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.contracts.returns import Returns
from quant_assets.core.config import Settings
from quant_assets.core.context import DiscoveryContext
from quant_assets.core.errors import CellLockedError, LookAheadError, MissingCellError
from quant_assets.core.windows import Grid
from quant_assets.orchestration import walk
from quant_assets.orchestration.cells import CellSpec, cell_spec
from quant_assets.orchestration.partitions import History
from quant_assets.orchestration.walk import LAUNCH, Walker
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.fixtures import counter_location
from quant_assets_tests.fixtures.venue_files import write_venue

pytestmark = pytest.mark.slow

TICKS = cell_spec(counter_location.ticks)
COUNTER = cell_spec(counter_location.counter)
GRID = Grid(start=date(2019, 10, 1))
DATA = ["2020-01-01", "2020-02-01", "2020-03-01"]
DECISIONS = ["2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_venue(tmp_path / "venues", "v", first="2020-01-01", last="2020-07-31")
    return Workspace(
        Settings(
            data_root=tmp_path / "data",
            venues_folder=tmp_path / "venues",
            venues=["v"],
            grid=GRID,
            lock_wait_seconds=0.0,
        )
    )


def run(workspace: Workspace, spec: CellSpec, windows: list[str]) -> list[bool]:
    """Walk windows of venue v; True per cell that was computed."""
    walker = Walker(workspace, spec, "test-run", None)
    return [not done.unchanged for done in walker.run([f"v|{w}" for w in windows])]


def counts(workspace: Workspace, windows: list[str]) -> list[int]:
    return [int(workspace.store.read(Cell("counter", "v", w))["n"].iloc[0]) for w in windows]


def test_walk_of_a_chain_counts_windows_whatever_the_order_of_keys(workspace: Workspace):
    run(workspace, TICKS, DATA + DECISIONS)
    run(workspace, COUNTER, DECISIONS[::-1])
    assert counts(workspace, DECISIONS) == [1, 2, 3, 4]


def test_walk_again_computes_nothing(workspace: Workspace):
    run(workspace, TICKS, DATA + DECISIONS)
    assert run(workspace, COUNTER, DECISIONS) == [True] * 4
    assert run(workspace, COUNTER, DECISIONS) == [False] * 4


def test_walk_in_two_parts_gives_the_manifests_of_one(workspace: Workspace, tmp_path: Path):
    run(workspace, TICKS, DATA + DECISIONS)
    run(workspace, COUNTER, DECISIONS)
    whole = [workspace.store.require(Cell("counter", "v", w)).hash() for w in DECISIONS]
    other = Workspace(workspace.settings.model_copy(update={"data_root": tmp_path / "other"}))
    run(other, TICKS, DATA + DECISIONS)
    run(other, COUNTER, DECISIONS[:1])
    run(other, COUNTER, DECISIONS[1:])
    assert [other.store.require(Cell("counter", "v", w)).hash() for w in DECISIONS] == whole


def test_walk_over_a_hole_names_the_missing_cell_and_the_command(workspace: Workspace):
    run(workspace, TICKS, DATA + DECISIONS)
    run(workspace, COUNTER, DECISIONS[:1])
    with pytest.raises(
        MissingCellError, match=r"counter v\|2020-05-01.*--venue v --windows 2020-05"
    ):
        run(workspace, COUNTER, DECISIONS[2:])
    assert workspace.store.manifest(Cell("counter", "v", DECISIONS[2])) is None


def test_walk_with_incomplete_lookback_refuses_rather_than_shortens(workspace: Workspace):
    run(workspace, TICKS, [DATA[0], DATA[2]])
    with pytest.raises(MissingCellError, match=r"ticks v\|2020-02-01"):
        run(workspace, COUNTER, DECISIONS[:1])


def test_walk_before_first_decision_stores_empty_cells_with_the_reason(workspace: Workspace):
    run(workspace, COUNTER, ["2019-12-01", *DATA, "2020-09-01"])
    manifests = [
        workspace.store.require(Cell("counter", "v", w))
        for w in ["2019-12-01", *DATA, "2020-09-01"]
    ]
    assert [m.rows for m in manifests] == [0] * 5
    assert manifests[0].empty_reason == "before the venue's first data window 2020-01-01"
    assert manifests[1].empty_reason == "before the venue's first decision window 2020-04-01"
    assert manifests[4].empty_reason == "after the venue's last data window 2020-07-01"


def test_walk_recomputes_only_what_depends_on_a_changed_input(workspace: Workspace):
    run(workspace, TICKS, DATA + DECISIONS)
    run(workspace, COUNTER, DECISIONS)

    def later(context, telemetry):
        frame = counter_location.tick_window(context, telemetry)
        if context.window.key == "2020-03-01":
            frame["available_at"] = frame["available_at"] + pd.Timedelta(hours=1)
        return frame

    changed = replace(TICKS, step=later)
    changed.__dict__["code_version"] = "another version"
    assert run(workspace, changed, DATA + DECISIONS) == [True] * 7
    # Only March's bytes changed: it is read by April, May and June; the chain's own values did not
    # change, so July, which reads April..June and its predecessor, is left alone.
    assert run(workspace, COUNTER, DECISIONS) == [True, True, True, False]


def test_walk_of_a_decision_hides_rows_that_were_not_yet_known(workspace: Workspace):
    """A row of the last training window that is published after the decision must not be seen."""

    def late(context, telemetry):
        frame = counter_location.tick_window(context, telemetry)
        frame["available_at"] = pd.Series([context.window.end + timedelta(seconds=1)]).astype(
            "datetime64[us, UTC]"
        )
        return frame

    run(workspace, replace(TICKS, step=late), DATA + DECISIONS)
    run(workspace, COUNTER, DECISIONS[:2])
    seen = [
        int(workspace.store.read(Cell("counter", "v", w))["ticks_seen"].iloc[0])
        for w in DECISIONS[:2]
    ]
    assert seen == [2, 2], "three windows are read, the newest row is not known in time"


def test_walk_refuses_series_rows_outside_their_window(workspace: Workspace):
    def ahead(context, telemetry):
        frame = counter_location.tick_window(context, telemetry)
        return frame.assign(ts=frame["ts"] + pd.Timedelta(days=40))

    with pytest.raises(LookAheadError, match=r"ticks v\|2020-01-01: rows from 2020-02-10"):
        run(workspace, replace(TICKS, step=ahead), DATA[:1])
    assert workspace.store.manifest(Cell("ticks", "v", DATA[0])) is None


def test_walk_refuses_a_decision_with_another_decision_time(workspace: Workspace):
    def early(context, telemetry, *, ticks, counter):
        frame = counter_location.count_window(context, telemetry, ticks=ticks, counter=counter)
        return frame.assign(decided_at=frame["decided_at"] + pd.Timedelta(days=1))

    run(workspace, TICKS, DATA + DECISIONS)
    with pytest.raises(LookAheadError, match="decided_at is not 2020-04-01"):
        run(workspace, replace(COUNTER, step=early), DECISIONS[:1])


def test_walk_in_independent_mode_starts_every_window_flat(workspace: Workspace):
    independent = Workspace(workspace.settings.model_copy(update={"mode": "independent"}))
    run(independent, TICKS, DATA + DECISIONS)
    run(independent, COUNTER, DECISIONS[2:])
    assert counts(independent, DECISIONS[2:]) == [1, 1]


@pytest.mark.parametrize(("launch", "folder"), [(None, "test-run"), ("my-launch", "my-launch")])
def test_walk_puts_telemetry_into_the_launchs_folder_else_into_the_runs(
    workspace: Workspace, launch: str | None, folder: str
):
    def telling(context, telemetry):
        telemetry.log_metrics("ticks", {"n": 1.0})
        return counter_location.tick_window(context, telemetry)

    token = LAUNCH.set(launch)
    try:
        run(workspace, replace(TICKS, step=telling), DATA)
    finally:
        LAUNCH.reset(token)
    (path,) = workspace.store.layout.runs.rglob("*.parquet")
    assert path == workspace.store.layout.run(folder) / "telemetry" / "ticks--v.parquet"
    assert pd.read_parquet(path)["window"].tolist() == DATA
    manifest = workspace.store.require(Cell("ticks", "v", DATA[0]))
    assert manifest.run.run_id == "test-run"


def test_walk_while_another_writer_holds_the_cells_says_who(workspace: Workspace):
    lock = workspace.store.layout.lock("ticks", "v")
    with (
        writer_lock(lock, what="ticks of v", wait_seconds=0.0),
        pytest.raises(CellLockedError, match=r"ticks of v is being written by process \d+ on"),
    ):
        run(workspace, TICKS, DATA[:1])


def test_walk_validates_before_it_stores(workspace: Workspace):
    def broken(context, telemetry):
        frame = counter_location.tick_window(context, telemetry)
        start = frame["ts"]
        return pd.DataFrame(
            {
                "ts": start,
                "available_at": start,
                "symbol": pd.Series(["A"], dtype="str"),
                "returns": [-1.5],
            }
        )

    spec = CellSpec(
        outs={"odd": Returns}, kind="series", context=DiscoveryContext, step=broken, reads={}
    )
    with pytest.raises(
        Exception, match=r"odd v\|2020-01-01 breaks the contract Returns:\n  returns: greater_than"
    ):
        run(workspace, spec, DATA[:1])
    assert workspace.store.manifest(Cell("odd", "v", DATA[0])) is None


def test_history_of_a_venue_is_its_own(workspace: Workspace):
    read = History(lambda venue: 5 if venue.name == "v" else 1, -1)
    assert read.span(workspace.venue("v")) == (-5, -1)


@pytest.mark.parametrize("error", [ValueError("boom"), KeyboardInterrupt()])
def test_walk_that_is_stopped_keeps_and_tells_the_windows_before(
    workspace: Workspace, error: BaseException
):
    """Cells wait for each other before they are published; none of them may be lost."""

    def breaking(context, telemetry):
        if context.window.key == DATA[2]:
            raise error
        return counter_location.tick_window(context, telemetry)

    told = []
    walker = Walker(
        workspace, replace(TICKS, step=breaking), "test-run", lambda _, key, __: told.append(key)
    )
    with pytest.raises(type(error)):
        list(walker.run([f"v|{w}" for w in DATA + DECISIONS]))
    outside = SnapshotStore(workspace.store.layout.root)
    assert outside.windows("ticks", "v") == DATA[:2]
    assert told == [f"v|{w}" for w in DATA[:2]]


def test_walk_publishes_in_time_order_and_tells_only_what_is_published(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walk, "MOST_STAGED_CELLS", 3)
    outside, seen = SnapshotStore(workspace.store.layout.root), []
    walker = Walker(
        workspace, TICKS, "test-run", lambda *_: seen.append(outside.windows("ticks", "v"))
    )
    list(walker.run([f"v|{w}" for w in DATA + DECISIONS]))
    everything = DATA + DECISIONS
    assert seen == [everything[:3]] * 3 + [everything[:6]] * 3 + [everything]


def test_announced_tells_every_twentieth_of_a_long_walk(monkeypatch: pytest.MonkeyPatch):
    clock, said, passed = iter(range(0, 10_000, 3)), [], []
    monkeypatch.setattr(walk.time, "monotonic", lambda: float(next(clock)))
    told = walk.Announced(said.append, 200, lambda *cell: passed.append(cell))
    for number in range(200):
        told("asset", f"v|{number}", False)
    assert len(passed) == 200
    assert said[0] == "asset: 5 %, 10 of 200 cells, newest v|9"
    assert said[-1] == "asset: 100 %, 200 of 200 cells, newest v|199"
    assert len(said) == 20


def test_announced_says_nothing_of_a_short_walk():
    said = []
    told = walk.Announced(said.append, 100, None)
    for number in range(100):
        told("asset", f"v|{number}", True)
    assert said == []
