"""A file with a first day: its cells are the run of the command line and of a notebook."""

import json

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.cli.strategies.bars import Wanted
from quant_assets.cli.strategies.running import Choice, prepare
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell
from quant_assets_tests.orchestration.strategies.places import (
    CROSS,
    DIP,
    MONTHS,
    PANEL,
    Place,
    read,
    walk_all,
)

pytestmark = pytest.mark.slow

BEGIN = pd.Timestamp("2022-03-10", tz="UTC")
DATED = DIP.replace("{initial_capital", '{start_date: "2022-03-10", initial_capital')
EARLY = CROSS + 'backtest: {start_date: "2022-01-04"}\n'  # nine bars before it; twelve warm up


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Workspace:
    """A root of v with both strategies, walked."""
    place = Place(tmp_path_factory.mktemp("starts"))
    place.write_venues(v="8h", w="8h")
    place.write(DATED)
    place.write(EARLY)
    workspace = place.workspace()
    assert walk_all(workspace, "dip") == [True] * 8
    assert walk_all(workspace, "cross") == [True] * 8
    return workspace


def runs_of(workspace: Workspace, name: str) -> pd.DataFrame:
    frame = workspace.store.read(Cell(f"{name}_runs", "v", "all"))
    return frame.set_index("run_type")


def test_cells_command_line_and_notebook_are_one_run(begun: Workspace):
    strategy = begun.strategies["dip"].strategy
    run = backtest(strategy, PANEL, initial_capital=50_000.0, start=BEGIN)
    made = prepare(Choice("dip", Wanted()), begun.settings)
    at_the_terminal = made.run()
    assert at_the_terminal.result.hash() == run.hash()
    assert at_the_terminal.hashes["start"]
    assert run.n_trades > 5
    equity = read(begun, "dip_equity")
    np.testing.assert_array_equal(equity["equity"], run.equity["equity"])
    assert equity["ts"].iloc[0] == BEGIN
    closed = run.trades[run.trades["exit_reason"] != "open"]
    trades = read(begun, "dip_trades").sort_values("trade_id")
    np.testing.assert_array_equal(trades["pnl"], closed.sort_values("trade")["pnl"])
    row = runs_of(begun, "dip").loc["backtest"]
    assert row["start_date"] == BEGIN
    assert row["trades_count"] == run.n_trades


def test_windows_before_the_first_day_are_empty_and_read_themselves(begun: Workspace):
    cells = [begun.store.require(Cell("dip_equity", "v", month)) for month in MONTHS]
    assert [one.rows > 0 for one in cells] == [False, False, True, True, True, True]
    assert [len(one.inputs["bars"]) for one in cells[:3]] == [1, 1, 3]


def test_too_few_bars_before_the_first_day_are_said_with_the_runs(begun: Workspace):
    said = {
        name: json.loads(runs_of(begun, name).loc["backtest", "metadata"])["assumptions"]
        for name in ("dip", "cross")
    }
    assert not any(one.startswith("SHORT") for one in said["dip"])
    (short,) = [one for one in said["cross"] if one.startswith("SHORT")]
    assert short.startswith("SHORT: 9 bars before 2022-01-04T00:00, and a warm-up of ")


def test_walk_forward_trains_from_the_first_day_on(begun: Workspace):
    rows = read(begun, "cross_walk_forward")
    assert rows["train_start"].iloc[0] == pd.Timestamp("2022-01-04", tz="UTC")
    assert rows["test_start"].iloc[0] == pd.Timestamp("2022-03-01", tz="UTC")


def test_the_command_line_may_say_another_first_day_or_none(begun: Workspace):
    later = prepare(Choice("dip", Wanted(start="2022-04-01")), begun.settings)
    assert later.found.start == pd.Timestamp("2022-04-01", tz="UTC")
    free = prepare(Choice("dip", Wanted(venue="v"), any_dates=True), begun.settings)
    assert (free.found.start, free.found.first_bar) == (None, 0)
