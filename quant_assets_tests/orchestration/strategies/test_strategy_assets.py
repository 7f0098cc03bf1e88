"""Strategy files as assets: their cells, what makes them stale, and their checks."""

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.adapters.strategies.loader import load_strategies
from quant_assets.orchestration.cell_plans import config_digest, plan_cell
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.factories import leak_evaluation, strategy_specs
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell
from quant_assets_tests.orchestration.strategies.places import (
    CROSS,
    DIP,
    MONTHS,
    PANEL,
    Place,
    read,
    specs_of,
    walk,
    walk_all,
)
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow


def test_cells_of_a_strategy_make_up_its_backtest(place: Place):
    workspace = place.workspace()
    for name, capital in (("dip", 50_000.0), ("cross", 100_000.0)):
        run = backtest(workspace.strategies[name].strategy, PANEL, initial_capital=capital)
        equity = read(workspace, f"{name}_equity")
        assert run.n_trades > 10
        np.testing.assert_array_equal(equity["equity"], run.equity["equity"])
        closed = run.trades[run.trades["exit_reason"] != "open"]
        trades = read(workspace, f"{name}_trades").sort_values("trade_id")
        np.testing.assert_array_equal(trades["pnl"], closed.sort_values("trade")["pnl"])


def test_cells_that_are_walked_in_parts_have_the_manifests_of_one_walk(place: Place):
    one, other = place.workspace(), place.workspace("in-parts")
    windows, *_ = specs_of(other, "dip")
    for part in (MONTHS[:1], MONTHS[1:4], MONTHS[4:]):
        walk(other, windows, [f"v|{month}" for month in part])
    for month in MONTHS:
        for out in windows.outs:
            cell = Cell(out, "v", month)
            assert one.store.require(cell).hash() == other.store.require(cell).hash()


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("- trailing_stop: {pct: 0.08}", "- trailing_stop: { pct: 0.080 }  # wide", []),
        ("pct: 0.08", "pct: 0.09", ["dip_state", "dip_leaks", "dip_runs"]),
        ('version: "1.0.0"', 'version: "1.0.1"', ["dip_state", "dip_leaks", "dip_runs"]),
    ],
    ids=["layout", "parameter", "version"],
)
def test_cells_are_stale_by_the_values_of_their_own_file_alone(
    place: Place, tmp_path: Path, old: str, new: str, stale: list[str]
):
    edited = Place(tmp_path)
    edited.write(DIP.replace(old, new))
    edited.write(CROSS)
    workspace = place.workspace()
    kept = {}
    for loaded in load_strategies(tmp_path / "strategies").values():
        for spec in strategy_specs(loaded, workspace.venues):
            keys = ["v"] if spec.kind == "venue" else [f"v|{month}" for month in MONTHS]
            kept[spec.main] = planned(workspace, spec, keys)
    assert [main for main, fresh in kept.items() if not any(fresh)] == stale
    assert all(all(fresh) for main, fresh in kept.items() if main not in stale)


def planned(workspace: Workspace, spec: CellSpec, keys: list[str]) -> list[bool]:
    """True per cell whose fingerprint is that of the stored one; nothing is computed."""
    _, values = config_digest(workspace, spec, "v")
    config = workspace.store.put_config(values)
    found = []
    for key in keys:
        window = key.partition("|")[2] or "all"
        plan = plan_cell(workspace, spec, "v", window, config)
        found.append(
            plan.fingerprint == workspace.store.require(Cell(spec.main, "v", window)).fingerprint
        )
    return found


def test_cells_of_another_venue_are_empty_with_the_reason(place: Place, tmp_path: Path):
    workspace = place.workspace()
    finer = Place(tmp_path)
    finer.write(CROSS.replace("8h", "2h"))
    loaded = load_strategies(tmp_path / "strategies")["cross"]
    (dip, *_), (cross, *_) = specs_of(workspace, "dip"), strategy_specs(loaded, workspace.venues)
    walk(workspace, dip, ["w|2022-03-01"])
    walk(workspace, cross, ["w|2022-03-01"])
    manifests = [
        workspace.store.require(Cell(out, "w", "2022-03-01"))
        for out in ("dip_equity", "cross_state")
    ]
    assert [m.rows for m in manifests] == [0, 0]
    assert manifests[0].empty_reason == "dip is made for the venue v"
    assert manifests[1].empty_reason == "cross is made for bars of 2h; the venue has 4h"


@pytest.mark.parametrize(
    ("execution", "said"),
    [
        (
            "fx_model: {as_of: {currencies: {AAA: EUR}}}",
            "cross cannot trade: fx_model as_of needs rates of EUR in USD, which no asset gives",
        ),
        (
            "fill_model: {detail_timeframe: {timeframe: 1h}}",
            "cross cannot trade: detail_timeframe follows orders on bars of 1h inside of bars of "
            "8h (runtime.candle_interval); the venue has 4h",
        ),
    ],
)
def test_execution_that_no_asset_serves_leaves_cells_empty_with_the_reason(
    place: Place, tmp_path: Path, execution: str, said: str
):
    workspace, other = place.workspace(), Place(tmp_path)
    other.write(f"{CROSS}execution:\n  {execution}\n")
    loaded = load_strategies(tmp_path / "strategies")["cross"]
    excluded = strategy_specs(loaded, workspace.venues)[0].excluded
    assert excluded is not None
    assert excluded(workspace.venues["w"]).startswith(said)


def test_code_version_covers_the_plug_ins_that_a_file_names_and_no_others(place: Place):
    workspace = place.workspace()
    (dip, *_), (cross, *_) = specs_of(workspace, "dip"), specs_of(workspace, "cross")
    rules, risk = "quant_assets.quant.strategies.rules", "quant_assets.quant.risk"
    assert {f"{rules}.rsi_level", f"{risk}.trailing_stop"} <= set(dip.modules)
    assert f"{rules}.ma_cross" not in dip.modules
    assert f"{rules}.ma_cross" in cross.modules
    assert f"{rules}.rsi_level" not in cross.modules
    for spec in (dip, cross):
        assert all(find_spec(module) is not None for module in spec.modules)
        assert any(module.endswith("event_kernel.loop") for module in spec.modules)
    named = replace(dip, modules=(*dip.modules, f"{rules}.ma_cross"))
    assert named.code_version != dip.code_version


def test_leak_check_passes_honest_strategies_and_fails_planted_ones(place: Place):
    workspace = place.workspace()
    found = leak_evaluation(workspace, "dip_leaks", ["v", "w"])
    assert found.passed
    assert found.metadata["venues judged"].value == 1
    leaks = workspace.store.read(Cell("dip_leaks", "v", "all"))
    assert leaks["verdict"].tolist() == ["trusted"]
    planted = pd.concat([leaks, leaks], ignore_index=True).assign(
        finding=[0, 1], verdict="leak", trusted=False, text=["dip: leak", "on_bar saw it"]
    )
    commit(workspace.store, Cell("planted_leaks", "v", "all"), planted)
    refused = leak_evaluation(workspace, "planted_leaks", ["v"])
    assert not refused.passed
    assert refused.metadata["not trusted"].value == "v: dip: leak"


def test_runs_are_the_same_for_the_same_files_and_data(place: Place):
    one = place.workspace()
    other = place.workspace("again")
    walk_all(other, "dip")
    cell = Cell("dip_runs", "v", "all")
    assert one.store.require(cell).hash() == other.store.require(cell).hash()


PROGRAM = """
from quant_assets.orchestration.graph import ordered_specs, window_assets
from quant_assets.orchestration.lookahead import violations
from quant_assets.definitions import defs
assert [str(v) for v in violations(window_assets())] == []
keys = {k.to_user_string(): g for a in window_assets() for k, g in a.group_names_by_key.items()}
print(sorted(k for k, g in keys.items() if g == "dip"))
print(sorted(k for k, g in keys.items() if g == "cross" and "walk" in k or k == "cross_trials"))
print(sorted(c.asset_key.to_user_string() for one in defs.asset_checks for c in one.check_keys
             if c.name == "trusted" and c.asset_key.to_user_string().endswith("_leaks")))
"""


def test_folder_makes_a_group_per_file_a_check_and_a_run(place: Place):
    """In a process of its own: the definitions, and a backfill of one strategy from them."""
    place.workspace("live")
    environment = {
        **os.environ,
        "QUANT_ASSETS_DATA_ROOT": str(place.folder / "live"),
        "QUANT_ASSETS_VENUES_FOLDER": str(place.folder / "venues"),
        "QUANT_ASSETS_STRATEGIES_FOLDER": str(place.folder / "strategies"),
        "QUANT_ASSETS_VENUES": '["v", "w"]',
        "QUANT_ASSETS_GRID__START": "2021-10-01",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            check=False,
            env=environment,
            cwd=place.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = run("-c", PROGRAM).splitlines()
    parts = ["equity", "fills", "leaks", "orders", "positions", "runs", "signals", "state"]
    assert shown[0] == str([f"dip_{part}" for part in [*parts, "trades"]])
    walked = ["equity", "fills", "forward", "orders", "positions", "state", "trades"]
    assert shown[1] == str(["cross_trials", *(f"cross_walk_{part}" for part in walked)])
    assert shown[2] == str(["cross_leaks", "dip_leaks"])
    assets = "dip_state,dip_leaks,dip_runs"
    run(
        "-c",
        "from quant_assets.cli.main import main; main()",
        "backfill",
        "--venue",
        "v",
        "--assets",
        assets,
    )
    live, expected = place.workspace("live"), place.workspace()
    for out in ("dip_equity", "dip_state"):
        cell = Cell(out, "v", MONTHS[-1])
        assert live.store.require(cell).data_sha256 == expected.store.require(cell).data_sha256
