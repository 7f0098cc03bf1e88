"""Strategies of the venue's members (`universe: {from: venue}`): what their cells read and give."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import MissingCellError
from quant_assets.defs.discovery.assets import universe
from quant_assets.orchestration.cells import cell_spec
from quant_assets.orchestration.factories import strategy_assets
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.market.membership import Membership
from quant_assets.storage.paths import Cell
from quant_assets_tests.orchestration.strategies.places import (
    CROSS,
    DIP,
    MONTHS,
    PANEL,
    VENUE,
    Place,
    read,
    specs_of,
    walk,
    walk_all,
)
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow

MEMBERS = DIP.replace("universe: v", "universe: {from: venue}").replace("dip", "members")
KEPT = MEMBERS.replace("from: venue", "from: venue, on_exit: keep").replace("members", "kept")
TUNED = f"{CROSS.replace(': cross', ': tuned')}backtest: {{universe: {{from: venue}}}}\n"
KEYS = [f"v|{month}" for month in MONTHS]


def rows_of(month: str) -> pd.DataFrame:
    """`Universe` of a month: one symbol is listed, or not, in turn."""
    at = MONTHS.index(month)
    start = pd.Timestamp(month, tz="UTC")
    names = sorted(PANEL.symbols)
    n = len(names) if at >= 2 else 0
    past = pd.DatetimeIndex([start - pd.Timedelta(days=30)] * n).as_unit("us")
    return pd.DataFrame(
        {
            "decided_at": pd.DatetimeIndex([start] * n, tz="UTC").as_unit("us"),
            "symbol": pd.array(names[:n], dtype="str"),
            "first_bar": past,
            "last_bar": past,
            "n_bars": np.full(n, 90, dtype=np.int64),
            "is_listed": np.array([(at + i) % 2 == 0 for i in range(n)], dtype=np.bool_),
        }
    )


def members(on_exit: str = "close") -> Membership:
    rows = pd.concat([rows_of(month) for month in MONTHS[2:]], ignore_index=True)
    return Membership.from_frame(rows, on_exit=on_exit)


def filled(place: Place, root: str = "data") -> Workspace:
    workspace = place.workspace(root)
    for month in MONTHS:
        if workspace.store.manifest(Cell("universe", "v", month)) is None:
            commit(workspace.store, Cell("universe", "v", month), rows_of(month))
    return workspace


@pytest.fixture(scope="module")
def venue_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = Place(tmp_path_factory.mktemp("members"))
    found.write_venues(v="8h", w="4h")
    for text in (MEMBERS, KEPT, TUNED, DIP):
        found.write(text)
    workspace = filled(found)
    assert walk_all(workspace, "members") == [True] * 8
    assert walk(workspace, specs_of(workspace, "kept")[0], KEYS) == [True] * 6
    return found


@pytest.mark.parametrize(("name", "on_exit"), [("members", "close"), ("kept", "keep")])
def test_windows_of_members_are_one_backtest_by_bytes(venue_place: Place, name: str, on_exit: str):
    workspace = filled(venue_place)
    loaded = workspace.strategies[name]
    run = backtest(loaded.strategy, PANEL, initial_capital=50_000.0, universe=members(on_exit))
    equity = read(workspace, f"{name}_equity")
    np.testing.assert_array_equal(equity["equity"], run.equity["equity"])
    assert run.n_trades > 5
    closed = run.trades[run.trades["exit_reason"] != "open"].sort_values("trade")
    trades = read(workspace, f"{name}_trades").sort_values("trade_id")
    np.testing.assert_array_equal(trades["pnl"], closed["pnl"])
    assert trades["exit_reason"].tolist() == closed["exit_reason"].tolist()
    left = (trades["exit_reason"] == "left_universe").sum()
    assert left > 0 if on_exit == "close" else left == 0
    assert (trades["entry_ts"] >= pd.Timestamp(MONTHS[2], tz="UTC")).all()


def test_windows_that_are_walked_in_parts_have_the_manifests_of_one_walk(venue_place: Place):
    one, other = filled(venue_place), filled(venue_place, "in-parts")
    windows, *_ = specs_of(other, "members")
    for part in (KEYS[:1], KEYS[1:4], KEYS[4:]):
        walk(other, windows, part)
    for month in MONTHS:
        for out in windows.outs:
            cell = Cell(out, "v", month)
            assert one.store.require(cell).hash() == other.store.require(cell).hash()


def test_the_universe_is_read_by_files_that_ask_for_it_alone(venue_place: Place):
    workspace = filled(venue_place)
    for name, asks in (("members", True), ("tuned", True), ("dip", False)):
        assert {"universe" in spec.reads for spec in specs_of(workspace, name)} == {asks}
    windows, leaks, runs = specs_of(workspace, "members")
    venue = workspace.venue("v")
    assert windows.reads["universe"].span(venue) == windows.reads["bars"].span(venue)
    verdict = workspace.store.read(Cell("members_leaks", "v", "all"))
    assert verdict["trusted"].tolist() == [True]
    found = workspace.store.read(Cell("members_runs", "v", "all"))
    assert set(found["universe_name"]) == {"members of v"}
    assert "nobody is a member before 2022-03-01" in found["metadata"].iloc[0]
    assert leaks.kind == runs.kind == "venue"


def test_a_walk_forward_chooses_among_members_once_there_are_some(venue_place: Place):
    """Two training windows of which the first has members: the window of May is the first."""
    workspace = filled(venue_place)
    *_, tuned = specs_of(workspace, "tuned")
    walk(workspace, tuned, KEYS)
    trials = [len(workspace.store.read(Cell("tuned_trials", "v", month))) for month in MONTHS]
    assert trials == [0, 0, 0, 0, 3, 3]
    fills = read(workspace, "tuned_walk_fills")
    assert len(fills) > 3
    who = members()
    for fill in fills[fills["reason"] == "entry"].itertuples():
        decided = (fill.ts - pd.Timedelta(hours=8)).tz_localize(None).to_datetime64()
        row = who.available_at.searchsorted(decided, side="right") - 1
        assert who.members[row, who.symbols.index(fill.symbol)]


def test_dagster_knows_the_windows_of_the_universe_that_a_window_reads(venue_place: Place):
    """An edge to the asset `universe`: the same venue, all windows up to its own, none later."""
    workspace = filled(venue_place)
    made = {one.op.name: one for one in strategy_assets(workspace)}
    windows, asked = made["members_windows"], made["dip_windows"]
    key = dg.AssetKey("universe")
    assert key in windows.keys_by_input_name.values()
    assert key not in asked.keys_by_input_name.values()
    for part in ("state", "equity"):
        assert key in windows.asset_deps[dg.AssetKey(f"members_{part}")]
    mapping = windows.get_partition_mapping(key).downstream_mappings_by_upstream_dimension
    assert isinstance(mapping["venue"].partition_mapping, dg.IdentityPartitionMapping)
    read = mapping["window"].partition_mapping
    assert (read.start_offset, read.end_offset) == (windows_so_far(workspace), 0)


def windows_so_far(workspace: Workspace) -> int:
    spec = specs_of(workspace, "members")[0]
    return spec.reads["bars"].offsets(workspace)[0]


def test_another_universe_makes_the_windows_that_read_it_anew(venue_place: Place):
    workspace = filled(venue_place, "changed")
    windows, *_ = specs_of(workspace, "members")
    assert walk(workspace, windows, KEYS) == [True] * 6
    assert walk(workspace, windows, KEYS) == [False] * 6
    rows = rows_of(MONTHS[4])
    commit(workspace.store, Cell("universe", "v", MONTHS[4]), rows.assign(is_listed=True))
    assert walk(workspace, windows, KEYS) == [False] * 4 + [True] * 2


def test_without_cells_of_the_universe_the_windows_say_what_to_materialize(tmp_path: Path):
    bare = Place(tmp_path)
    (tmp_path / "venues").mkdir()
    for name, length in (("v", "8h"), ("w", "4h")):
        path = tmp_path / "venues" / f"{name}.yaml"
        path.write_text(VENUE.format(name=name, length=length), encoding="utf-8")
    bare.write(MEMBERS)
    workspace = bare.workspace()
    windows, *_ = specs_of(workspace, "members")
    with pytest.raises(MissingCellError, match=r"--venue v .*--assets universe"):
        walk(workspace, windows, KEYS[:1])


def test_the_universe_asset_of_the_venue_serves_as_it_is(venue_place: Place):
    """That of `defs`, made from the bars: nobody before the training windows, then all listed."""
    workspace = venue_place.workspace("made")
    spec = cell_spec(universe)
    assert spec is not None
    walk(workspace, spec, KEYS)
    windows, *_ = specs_of(workspace, "members")
    walk(workspace, windows, KEYS)
    rows = read(workspace, "universe")
    run = backtest(
        workspace.strategies["members"].strategy,
        PANEL,
        initial_capital=50_000.0,
        universe=Membership.from_frame(rows),
    )
    equity = read(workspace, "members_equity")
    np.testing.assert_array_equal(equity["equity"], run.equity["equity"])
    first = pd.Timestamp(MONTHS[2], tz="UTC")
    assert (equity.loc[equity["ts"] < first, "equity"] == 50_000.0).all()
    assert run.n_trades > 5
