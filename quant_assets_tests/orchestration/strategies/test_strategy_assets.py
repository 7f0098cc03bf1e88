"""Strategy files as assets: their cells, what makes them stale, their checks and their views."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.adapters.strategies.loader import load_strategies
from quant_assets.core.config import Settings
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.factories import leak_evaluation, strategy_specs
from quant_assets.orchestration.walk import Walker, config_digest, plan_cell
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell
from quant_assets_tests.quant.simulation.strategy_windows.runs import bars_frame
from quant_assets_tests.quant.strategies.markets import random_bars
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow

VENUE = """\
name: {name}
title: Test venue {name}
provider: {{name: simulated, settings: {{seed: 7}}}}
history: {{first: "2022-01-01", last: "2022-06-30"}}
training_windows: 2
market:
  asset_class: crypto_spot
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: {length}
  bars_per_year: 1095
  price_fields: [open, high, low, close, volume]
  simulated: true
alpha: {{month_bars: 15}}
"""
DIP = """\
strategy: dip
version: "1.0.0"
components:
  signals:
    entry_long:
      - rsi_oversold: {period: 5, threshold: 35}
    exit_long:
      - rsi_overbought: {period: 5, threshold: 60}
  sizing: {type: fixed_fraction, params: {fraction: 0.3}}
  risk:
    - trailing_stop: {pct: 0.08}
backtest: {initial_capital: 50000.0, universe: v}
"""
CROSS = """\
strategy: cross
version: "2.0.0"
runtime: {candle_interval: 8h}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 3, slow: 12, average: ema}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 12, average: ema}}]
walk_forward:
  parameters:
    components.signals.entry_long.0.ma_cross_up.fast: [2, 3, 5]
"""
MONTHS = ["2022-01-01", "2022-02-01", "2022-03-01", "2022-04-01", "2022-05-01", "2022-06-01"]
BARS = random_bars(rows=3 * 181, days=1 / 3, seed=21)
FIRST = np.datetime64("2022-01-01", "us")


@dataclass(frozen=True)
class Place:
    """A root with bars of venue v, venues and strategies in folders beside it."""

    folder: Path

    def write(self, text: str) -> None:
        name = text.split()[1]
        (self.folder / "strategies").mkdir(exist_ok=True)
        (self.folder / "strategies" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def workspace(self, root: str = "data") -> Workspace:
        settings = Settings(
            data_root=self.folder / root,
            venues_folder=self.folder / "venues",
            strategies_folder=self.folder / "strategies",
            venues=["v", "w"],
            grid=Grid(start=pd.Timestamp("2021-10-01").date()),
            lock_wait_seconds=0.0,
        )
        workspace = Workspace(settings)
        for window in map(workspace.grid.window, MONTHS):
            inside = (FRAME["ts"] >= window.start) & (FRAME["ts"] < window.end)
            for asset, frame in (("bars", FRAME[inside]), ("funding", NO_FUNDING)):
                cell = Cell(asset, "v", window.key)
                if workspace.store.manifest(cell) is None:
                    commit(workspace.store, cell, frame.reset_index(drop=True))
        return workspace


def shifted(bars: BarPanel) -> BarPanel:
    """The same bars from the venue's first day on."""
    move = FIRST - bars.ts[0]
    return replace(bars, ts=bars.ts + move, available_at=bars.available_at + move)


PANEL = shifted(BARS)
FRAME = bars_frame(PANEL)
NO_FUNDING = pd.DataFrame(
    {
        "ts": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "available_at": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "symbol": pd.array([], dtype="str"),
        "event_id": pd.array([], dtype="str"),
        "rate": np.empty(0),
        "mark_price": np.empty(0),
    }
)


def specs_of(workspace: Workspace, name: str) -> tuple[CellSpec, ...]:
    return strategy_specs(workspace.strategies[name], workspace.venues)


def walk(workspace: Workspace, spec: CellSpec, keys: list[str]) -> list[bool]:
    """Walk cells; True per cell that was computed."""
    return [not done.unchanged for done in Walker(workspace, spec, "run", None).run(keys)]


def walk_all(workspace: Workspace, name: str, venue: str = "v") -> list[bool]:
    windows, leaks, runs, *tuned = specs_of(workspace, name)
    keys = [f"{venue}|{month}" for month in MONTHS]
    for spec in tuned:
        assert walk(workspace, spec, keys) == [True] * 6
    done = walk(workspace, windows, keys)
    return done + walk(workspace, leaks, [venue]) + walk(workspace, runs, [venue])


def read(workspace: Workspace, asset: str) -> pd.DataFrame:
    cells = [Cell(asset, "v", month) for month in MONTHS]
    return pd.concat([workspace.store.read(cell) for cell in cells], ignore_index=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    """Both strategies walked over all windows of v."""
    place = Place(tmp_path_factory.mktemp("strategies"))
    (place.folder / "venues").mkdir()
    for name, length in (("v", "8h"), ("w", "4h")):
        text = VENUE.format(name=name, length=length)
        (place.folder / "venues" / f"{name}.yaml").write_text(text, encoding="utf-8")
    place.write(DIP)
    place.write(CROSS)
    workspace = place.workspace()
    assert walk_all(workspace, "dip") == [True] * 8
    assert walk_all(workspace, "cross") == [True] * 8
    return place


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


def test_views_answer_with_the_columns_of_the_tables(place: Place):
    root = place.workspace().store.layout.root
    runs = run_query(
        root,
        "SELECT id, strategy_name, strategy_version, strategy_hash, param_hash, param_yaml, "
        "run_type, parent_run_id, universe_name, start_date, end_date, initial_capital, status, "
        "created_at, completed_at, duration_seconds, symbols_processed, trades_count, "
        "error_message, metadata, trusted FROM strategy_runs_v2 ORDER BY strategy_name",
    )
    assert runs["strategy_name"].tolist() == ["cross", "dip"]
    assert runs["trusted"].all()
    assert runs["strategy_version"].tolist() == ["2.0.0", "1.0.0"]
    assert runs["universe_name"].tolist() == ["v", "v"]
    assert (runs["completed_at"] >= runs["created_at"]).all()
    assert (runs["duration_seconds"] > 0.0).all()
    trades = run_query(
        root,
        "SELECT t.id, run_id, symbol, direction, entry_date, entry_price, entry_time, exit_date, "
        "exit_price, exit_time, shares, pnl, pnl_pct, commission_cost, slippage_cost, "
        "borrowing_cost, entry_signal, exit_reason, hold_days, max_favorable_excursion, "
        "max_adverse_excursion, regime_at_entry, regime_confidence, volatility_at_entry, "
        "volume_at_entry, position_size_pct, portfolio_heat, drawdown_at_entry, "
        "fill_quality_score, market_impact, r.strategy_name FROM trades_v2 t "
        "JOIN strategy_runs_v2 r ON t.run_id = r.id ORDER BY t.id",
    )
    for name, capital in (("dip", 50_000.0), ("cross", 100_000.0)):
        strategy = place.workspace().strategies[name].strategy
        run = backtest(strategy, PANEL, initial_capital=capital)
        own = trades[trades["strategy_name"] == name]
        assert len(own) == len(run.trades), "closed ones, and those open at the end, once"
        assert own["pnl"].sum() == pytest.approx(run.trades["pnl"].sum(), rel=1e-12)
        assert own["exit_date"].isna().sum() == (run.trades["exit_reason"] == "open").sum()
    assert trades["id"].is_unique
    unions = run_query(root, "SELECT strategy_name, count(*) n FROM strategy_equity GROUP BY 1")
    assert unions["n"].tolist() == [len(PANEL)] * 2


def test_views_answer_for_walk_forward_and_trials(place: Place):
    root = place.workspace().store.layout.root
    results = run_query(
        root,
        "SELECT window_start, window_end, train_start, train_end, test_start, test_end, "
        "optimal_params, is_metrics, oos_metrics, degradation_pct, trades_count, "
        'parent_run_id, "window" FROM walkforward_results ORDER BY test_start',
    )
    assert results["window"].tolist() == MONTHS[2:], "from the first decision window on"
    starts = [f"{day:%Y-%m-%d}" for day in results["train_start"]]
    assert starts == MONTHS[:4], "two training windows"
    trials = run_query(
        root,
        'SELECT "window", count(*) AS n, max(objective_value) AS best FROM optimization_trials '
        "WHERE run_id IN (SELECT parent_run_id FROM walkforward_results) GROUP BY 1 ORDER BY 1",
    )
    assert trials["n"].tolist() == [3] * 4
    assert trials["best"].tolist() == results["is_metrics"].tolist()


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
             if c.name == "trusted"))
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
