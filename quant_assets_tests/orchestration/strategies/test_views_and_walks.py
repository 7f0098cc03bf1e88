"""What strategies and their walk-forwards left: views, the count of trials, what was read."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.orchestration.factories import kept_trials, strategy_specs
from quant_assets.orchestration.graph import spec_of
from quant_assets.orchestration.walk import FORCE
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.tuning.resampling import bootstrap_returns
from quant_assets.quant.tuning.study import tune
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell
from quant_assets.storage.trial_counts import all_trials
from quant_assets.storage.trial_store import TrialFiles
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
from quant_assets_tests.quant.tuning.samples import Cross
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow


def test_views_answer_with_the_columns_of_the_tables(place: Place):
    root = place.workspace().store.layout.root
    runs = run_query(
        root,
        "SELECT id, strategy_name, strategy_version, strategy_hash, param_hash, param_yaml, "
        "run_type, parent_run_id, universe_name, start_date, end_date, initial_capital, status, "
        "created_at, completed_at, duration_seconds, symbols_processed, trades_count, "
        "error_message, metadata, trusted FROM strategy_runs_v2 ORDER BY strategy_name",
    )
    runs = runs.sort_values(["strategy_name", "run_type"], ignore_index=True)
    assert runs["strategy_name"].tolist() == ["cross"] * 3 + ["dip"] * 2
    kinds = ["backtest", "monte_carlo", "walk_forward", "backtest", "monte_carlo"]
    assert runs["run_type"].tolist() == kinds
    cross, dip = runs["id"].iloc[[0, 3]]
    assert runs["parent_run_id"].fillna("").tolist() == ["", cross, cross, "", dip]
    assert runs["trusted"].all()
    assert runs["strategy_version"].tolist() == ["2.0.0"] * 3 + ["1.0.0"] * 2
    assert runs["universe_name"].tolist() == ["v"] * 5
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


# The tables of the design document, whose queries the views answer.
TABLES = {
    "strategy_runs_v2": "id strategy_name strategy_version strategy_hash param_hash param_yaml "
    "run_type parent_run_id universe_name start_date end_date initial_capital status created_at "
    "completed_at duration_seconds symbols_processed trades_count error_message metadata",
    "trades_v2": "id run_id symbol direction entry_date entry_price entry_time exit_date "
    "exit_price exit_time shares pnl pnl_pct commission_cost slippage_cost borrowing_cost "
    "entry_signal exit_reason hold_days max_favorable_excursion max_adverse_excursion "
    "regime_at_entry "
    "regime_confidence volatility_at_entry volume_at_entry position_size_pct portfolio_heat "
    "drawdown_at_entry fill_quality_score market_impact",
    "walkforward_results": "id parent_run_id window_start window_end train_start train_end "
    "test_start test_end optimal_params is_metrics oos_metrics degradation_pct trades_count "
    "created_at",
    "optimization_trials": "id run_id trial_number params param_hash objective_value metrics "
    "overfitting_score completed_at",
}


@pytest.mark.parametrize("table", TABLES)
def test_views_have_every_column_of_the_tables_and_keys_that_are_one(place: Place, table: str):
    root, columns = place.workspace().store.layout.root, TABLES[table].split()
    words = ", ".join(columns)
    found = run_query(root, f"SELECT {words} FROM {table}")  # noqa: S608  # names of this test
    assert list(found.columns) == columns
    assert len(found) > 0
    assert found["id"].is_unique
    moments = [name for name in ("created_at", "completed_at") if name in columns]
    assert found[moments].notna().all().all()


def test_views_lead_from_a_trial_to_its_run_and_its_window(place: Place):
    found = run_query(
        place.workspace().store.layout.root,
        "SELECT r.run_type, count(DISTINCT w.id) AS windows, count(*) AS trials, "
        "bool_and(t.completed_at = w.created_at) AS at_once "
        "FROM optimization_trials t JOIN strategy_runs_v2 r ON t.run_id = r.id "
        'JOIN walkforward_results w ON w.parent_run_id = r.id AND w."window" = t."window" '
        "GROUP BY 1",
    )
    assert found.values.tolist() == [["walk_forward", 4, 12, True]]


def test_walk_forward_keeps_what_it_traded(place: Place):
    workspace = place.workspace()
    results = read(workspace, "cross_walk_forward")
    trades, orders = read(workspace, "cross_walk_trades"), read(workspace, "cross_walk_orders")
    fills, equity = read(workspace, "cross_walk_fills"), read(workspace, "cross_walk_equity")
    assert len(trades) == results["trades_count"].sum() > 8
    assert set(orders["status"]) <= {"filled", "cancelled"}
    assert fills["ts"].between(equity["ts"].iloc[0], equity["ts"].iloc[-1]).all()
    held = workspace.store.read(Cell("cross_walk_positions", "v", MONTHS[-1]))
    gained = trades["pnl"].sum() + held["pnl"].sum()
    assert equity["equity"].iloc[-1] - 100_000.0 == pytest.approx(gained, rel=1e-9)
    assert equity["cash"].iloc[-1] + held["market_value"].sum() == pytest.approx(
        equity["equity"].iloc[-1], rel=1e-12
    )
    views = run_query(
        workspace.store.layout.root,
        "SELECT (SELECT count(*) FROM walkforward_trades) AS walked, "
        "(SELECT count(*) FROM strategy_trades WHERE strategy_name = 'cross') AS plain, "
        "(SELECT count(*) FROM walkforward_orders) AS orders",
    )
    assert views.iloc[0].tolist() == [
        len(trades),
        len(read(workspace, "cross_trades")),
        len(orders),
    ]


def test_every_trial_of_a_walk_forward_counts_however_often_it_is_made(place: Place):
    workspace = place.workspace()
    kept = TrialFiles(workspace.store.layout.root, venue="v", strategy="cross")
    assert kept.counted() == kept.present() == 12
    assert all_trials(workspace.store, "v") == 12
    *_, tuned = specs_of(workspace, "cross")
    before = [workspace.store.require(Cell("cross_trials", "v", month)) for month in MONTHS]
    token = FORCE.set(True)
    try:
        assert walk(workspace, tuned, [f"v|{month}" for month in MONTHS]) == [True] * 6
    finally:
        FORCE.reset(token)
    assert kept.counted() == 12, "the same combinations on the same bars are no new trials"
    again = [workspace.store.require(Cell("cross_trials", "v", month)) for month in MONTHS]
    assert [one.data_sha256 for one in again] == [one.data_sha256 for one in before]


def test_trials_that_fail_are_rows_and_count(place: Place, tmp_path: Path):
    text = CROSS.replace("strategy: cross", "strategy: narrow").replace("[2, 3, 5]", "[2, 3, 20]")
    own = Place(tmp_path)
    own.write(text)
    shutil.copytree(place.folder / "venues", tmp_path / "venues")
    workspace = own.workspace()
    *_, tuned = strategy_specs(workspace.strategies["narrow"], workspace.venues)
    walk(workspace, tuned, [f"v|{month}" for month in MONTHS])
    trials = read(workspace, "narrow_trials")
    assert len(trials) == 12
    failed = trials[trials["error"] != ""]
    assert len(failed) == 4, "fast = 20 is not below slow = 12, in every window"
    assert failed["objective_value"].isna().all()
    rows = run_query(
        workspace.store.layout.root,
        "SELECT count(*) AS n, count(objective_value) AS done FROM optimization_trials",
    )
    assert rows.iloc[0].tolist() == [12, 8]
    assert all_trials(workspace.store, "v") == 12


def test_cells_read_back_as_far_as_they_need_and_tell_it(place: Place, tmp_path: Path):
    own = Place(tmp_path)
    own.write(CROSS.replace("strategy: cross", "strategy: sums").replace(", average: ema", ""))
    shutil.copytree(place.folder / "venues", tmp_path / "venues")
    workspace = own.workspace()
    windows, *_ = strategy_specs(workspace.strategies["sums"], workspace.venues)
    walk(workspace, windows, [f"v|{month}" for month in MONTHS])
    run = backtest(workspace.strategies["sums"].strategy, PANEL)
    np.testing.assert_array_equal(read(workspace, "sums_equity")["equity"], run.equity["equity"])
    manifests = [workspace.store.require(Cell("sums_state", "v", month)) for month in MONTHS]
    assert [len(one.inputs["bars"]) for one in manifests] == [1, 2, 2, 2, 2, 2]
    rows = [
        next(row["read_rows"] for row in one.run.telemetry if "read_rows" in row)
        for one in manifests
    ]
    days = [31, 31 + 28, 28 + 31, 31 + 30, 30 + 31, 31 + 30]
    assert rows == [3 * 3 * n for n in days]
    everything = place.workspace().store.require(Cell("dip_state", "v", MONTHS[-1]))
    assert len(everything.inputs["bars"]) == 6, "an RSI remembers everything"


# Months of bars that each window reads: of the strategy, and of its walk-forward, which trains on
# the month before and is empty up to the venue's first decision.
READ = {
    "little": ([1, 2, 2, 2, 2, 2], [0, 0, 3, 3, 3, 3]),
    "everything": ([1, 2, 3, 4, 5, 6], [0, 0, 3, 4, 5, 6]),
}


@pytest.mark.parametrize("mode", ["carry", "independent"])
def test_cells_that_read_little_are_byte_for_byte_those_that_read_everything(
    place: Place, tmp_path: Path, mode: str
):
    own = Place(tmp_path)
    text = CROSS.replace("strategy: cross", "strategy: sums").replace(", average: ema", "")
    own.write(text + "  training_windows: 1\n")
    shutil.copytree(place.folder / "venues", tmp_path / "venues")
    keys, made = [f"v|{month}" for month in MONTHS], {}
    for root in ("little", "everything"):
        plain = own.workspace(root)
        workspace = Workspace(plain.settings.model_copy(update={"mode": mode}))
        windows, _, _, tuned = strategy_specs(workspace.strategies["sums"], workspace.venues)
        specs = [windows, tuned]
        if root == "everything":
            specs = [replace(windows, enough=None, extras=None)]
            specs += [replace(tuned, enough=None, extras=kept_trials)]
        for spec in specs:
            walk(workspace, spec, keys)
        stored = [
            {out: workspace.store.require(Cell(out, "v", month)) for out in spec.outs}
            for spec in specs
            for month in MONTHS
        ]
        made[root] = [{out: one.sha256 for out, one in cell.items()} for cell in stored]
        bars = [len(next(iter(cell.values())).inputs.get("bars", ())) for cell in stored]
        assert (bars[:6], bars[6:]) == READ[root]
        files = TrialFiles(workspace.store.layout.root, venue="v", strategy="sums")
        assert files.present() == files.distinct() == 12, "3 fast ones on 4 training windows"
        keys_of = sorted(files.frame()["key"])
        assert made.setdefault("trials", keys_of) == keys_of, "however much is read"
    assert made["little"] == made["everything"]
    assert read(workspace, "sums_walk_fills").shape[0] > 10


def test_trials_of_a_sweep_make_the_count_of_the_venue_stale_and_stay_in_it(tmp_path: Path):
    own = Place(tmp_path)
    own.write_venues(v="8h", w="4h")
    own.write(DIP)
    workspace, spec = own.workspace(), spec_of("search_trials")
    cell, root = Cell("search_trials", "v", "all"), workspace.store.layout.root
    counts = []
    for fast in (None, 2, 3, 3):  # the last one is tried again
        if fast is not None:
            given = (Cross, {"fast": [fast], "slow": [12]}, PANEL)
            tune(*given, store=TrialFiles(root, venue="v", strategy="sweep"))
        made = walk(workspace, spec, ["v"])
        counts.append((made, len(workspace.store.read(cell))))
    assert counts == [([True], 0), ([True], 1), ([True], 2), ([False], 2)]
    shutil.rmtree(root / "trials")
    assert walk(workspace, spec, ["v"]) == [True]
    kept = workspace.store.read(cell)
    assert kept["family"].tolist() == ["sweep"] * 2, "rows never leave"
    assert kept["annual_sharpe_ratio"].notna().all()


def test_runs_say_what_their_bars_hide(place: Place, tmp_path: Path):
    """A step like a split of the whole panel stands among the assumptions of the run."""
    own = Place(tmp_path)
    own.write(DIP)
    shutil.copytree(place.folder / "venues", tmp_path / "venues")
    workspace = own.workspace()
    cell = Cell("bars", "v", MONTHS[3])
    frame = workspace.store.read(cell)
    prices = ["open", "high", "low", "close"]
    late = (frame["symbol"] == "B") & (frame["ts"] >= frame["ts"].iloc[len(frame) // 2])
    frame.loc[late, prices] /= 4.0
    commit(workspace.store, cell, frame)
    walk_all(workspace, "dip")
    facts = json.loads(workspace.store.read(Cell("dip_runs", "v", "all"))["metadata"].iloc[0])
    plain = json.loads(place.workspace().store.read(Cell("dip_runs", "v", "all"))["metadata"][0])
    more = [text for text in facts["assumptions"] if text not in plain["assumptions"]]
    assert any("split" in text.lower() and "B" in text for text in more), facts["assumptions"]


def test_monte_carlo_is_a_run_whose_bands_are_those_of_daily_returns(place: Place):
    workspace = place.workspace()
    runs = workspace.store.read(Cell("dip_runs", "v", "all")).set_index("run_type")
    assert runs.loc["monte_carlo", "parent_run_id"] == runs.loc["backtest", "id"]
    facts = json.loads(runs.loc["monte_carlo", "metadata"])
    closes = read(workspace, "dip_equity").set_index("ts")["equity"].resample("D").last()
    returns = np.diff(np.r_[50_000.0, closes]) / np.r_[50_000.0, closes[:-1]]
    rng = np.random.default_rng(facts["seed"])
    drawn = bootstrap_returns(returns, 365.0, n_paths=facts["n_paths"], rng=rng).bands(0.9)
    assert facts["figures"].keys() == set(drawn.index) > {"sharpe", "max_drawdown"}
    for name, row in drawn.iterrows():
        for column, value in row.items():
            assert facts["figures"][name][column] == pytest.approx(value, rel=1e-6), name
        assert row["lower"] < row["median"] < row["upper"]
