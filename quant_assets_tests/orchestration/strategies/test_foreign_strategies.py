"""Strategies of another package as assets: one that looks ahead, and one that goes bar by bar."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.resample import BarArrays, BarLength, resample_panel
from quant_assets.quant.strategies import load_strategy
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell
from quant_assets_tests.docs.pages import REPOSITORY
from quant_assets_tests.orchestration.strategies.places import (
    MONTHS,
    PANEL,
    Place,
)

pytestmark = pytest.mark.slow

FOREIGN = '''
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Peeks(VectorStrategy):
    """Buys what rises on the next bar."""

    name: ClassVar[str] = "peeks"

    def signals(self, bars):
        after = np.full(bars.close.shape, np.nan)
        after[:-1] = bars.close[1:]
        return Signals(entry_long=after > bars.close, exit_long=after < bars.close)


@dataclass(frozen=True, kw_only=True)
class Counting(BarStrategy):
    """Buys on every 7th bar that it is shown, sells 3 bars later: it remembers how many."""

    name: ClassVar[str] = "counting"
    seen: list = field(default_factory=list, compare=False)

    @property
    def warm_up(self):
        return 2

    def on_bar(self, window, account):
        self.seen.append(len(window))
        turn = len(self.seen) % 7
        n = len(window.symbols)
        return Signals.row(entry_long=np.full(n, turn == 0), exit_long=np.full(n, turn == 3))
'''
PEEK = """\
strategy: peek
version: "1.0.0"
components:
  signals: {strategy: peeks}
"""
COUNTED = """\
strategy: counted
version: "1.0.0"
components:
  signals: {strategy: counting}
  sizing: {type: fixed_fraction, params: {fraction: 0.2}}
"""
DAILY = """\
strategy: daily
version: "1.0.0"
runtime: {candle_interval: 1d}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 2, slow: 5}}]
    exit_long: [{ma_cross_down: {fast: 2, slow: 5}}]
"""
NAMES = ("peek", "counted", "daily")
PROGRAM = """
import json
import dagster as dg
from quant_assets.definitions import defs
from quant_assets.orchestration.graph import window_assets
from quant_assets.orchestration.io_managers import SnapshotIOManager
from quant_assets import backtest
from quant_assets.orchestration.workspace import current_workspace
from quant_assets_tests.orchestration.strategies.places import PANEL

found = {}
for name in ("peek", "counted", "daily"):
    asset = dg.AssetKey(f"{name}_leaks")
    (check,) = [c for c in defs.asset_checks for k in c.check_keys if k.asset_key == asset]
    run = dg.materialize(
        [*window_assets(), check],
        selection=dg.AssetSelection.assets(asset) | dg.AssetSelection.checks(check),
        partition_key="v",
        resources={"snapshots": SnapshotIOManager()},
        raise_on_error=False,
    )
    (made,) = run.get_asset_check_evaluations()
    found[name] = [made.passed, made.metadata["not trusted"].value]
counted = backtest(current_workspace().strategies["counted"].strategy, PANEL)
found["equity"] = counted.equity["equity"].tolist()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    """A folder with the three strategies, whose package lies beside it; bars of venue v."""
    place = Place(tmp_path_factory.mktemp("foreign"))
    place.write_venues(v="8h", w="8h")
    (place.folder / "strategies").mkdir()
    facts = place.folder / "foreign-1.0.dist-info"
    facts.mkdir()
    (place.folder / "foreign_file.py").write_text(FOREIGN, encoding="utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    entry = "[quant_assets.strategies.modern]\nforeign = foreign_file\n"
    (facts / "entry_points.txt").write_text(entry, encoding="utf-8")
    place.workspace()
    for text in (PEEK, COUNTED, DAILY):
        place.write(text)
    assets = ",".join(f"{name}_{part}" for name in NAMES for part in ("state", "leaks", "runs"))
    words = ["backfill", "--venue", "v", "--assets", assets]
    run(place, "-c", "from quant_assets.cli.main import main; main()", *words)
    return place


def run(place: Place, *words: str, expected: int = 0) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{place.folder}:{REPOSITORY}",
        "QUANT_ASSETS_DATA_ROOT": str(place.folder / "data"),
        "QUANT_ASSETS_VENUES_FOLDER": str(place.folder / "venues"),
        "QUANT_ASSETS_STRATEGIES_FOLDER": str(place.folder / "strategies"),
        "QUANT_ASSETS_VENUES": '["v", "w"]',
        "QUANT_ASSETS_GRID__START": "2021-10-01",
    }
    done = subprocess.run(
        [sys.executable, *words],
        check=False,
        env=environment,
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == expected, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def verdicts(place: Place) -> dict:
    return json.loads(run(place, "-c", PROGRAM).splitlines()[-1])


def read(place: Place, asset: str) -> pd.DataFrame:
    store = place.workspace().store
    files = [store.read(cell) for cell in store.cells_of(asset, "v")]
    return pd.concat([one for one in files if len(one)], ignore_index=True)


def test_a_strategy_that_looks_ahead_fails_its_check_and_its_run_is_not_trusted(
    place: Place, verdicts: dict
):
    passed, said = verdicts["peek"]
    assert not passed
    assert said.startswith("v: strategy peek 1.0.0: leak")
    assert "a shift by -1" in said
    assert verdicts["daily"] == [True, "none"]
    runs = run_query(
        place.workspace().store.layout.root,
        "SELECT strategy_name, trusted, metadata FROM strategy_runs_v2 "
        "WHERE run_type = 'backtest' ORDER BY 1",
    ).set_index("strategy_name")
    assert runs["trusted"].to_dict() == {"counted": False, "daily": True, "peek": False}
    assert "strategy peek 1.0.0: leak" in json.loads(runs.loc["peek", "metadata"])["leak_check"]


def test_the_report_of_a_strategy_that_looks_ahead_says_that_it_is_not_trusted(place: Place):
    words = ("-c", "from quant_assets.cli.main import main; main()", "strategy")
    given = ("peek", "--venue", "v")
    run(place, *words, "check", *given, expected=1)
    run(place, *words, "report", *given)
    (page,) = (place.folder / "data" / "reports" / "strategies" / "peek").glob("*/report.html")
    text = page.read_text("utf-8")
    assert "not trusted" in text.lower()


def test_a_strategy_that_goes_bar_by_bar_and_remembers_is_one_run(place: Place, verdicts: dict):
    """Its windows are the ends of runs that begin anew: what it counted is what it counts again."""
    equity = read(place, "counted_equity")
    np.testing.assert_array_equal(equity["equity"], verdicts["equity"])
    signals = read(place, "counted_signals")
    times = pd.DatetimeIndex(signals["ts"]).unique().tz_localize(None)
    rows = np.searchsorted(PANEL.ts, times.to_numpy())
    turns = (rows - 1) % 7  # shown from the second bar on: two bars of warm-up are not
    assert set(turns.tolist()) == {0, 3}
    assert len(read(place, "counted_trades")) > 100


def test_a_strategy_on_longer_bars_is_the_run_over_longer_bars(place: Place):
    arrays = (getattr(PANEL, name) for name in FIELDS)
    length = BarLength(timedelta(days=1), PANEL.bar_length)
    made = resample_panel(BarArrays(PANEL.ts, PANEL.available_at, *arrays), length)
    values = {name: getattr(made, name) for name in FIELDS}
    days = BarPanel(made.ts, PANEL.symbols, length.bars, **values, available_at=made.available_at)
    whole = backtest(load_strategy(DAILY).strategy, days)
    equity = read(place, "daily_equity")
    assert len(equity) == len(days) == 181
    np.testing.assert_array_equal(equity["equity"], whole.equity["equity"])
    assert whole.n_trades > 10
    store = place.workspace().store
    months = store.require(Cell("daily_state", "v", MONTHS[-1])).inputs["bars"]
    assert sorted(months) == MONTHS[4:], "a month back, and not the whole history"
    figures = json.loads(store.read(Cell("daily_runs", "v", "all"))["metadata"].iloc[0])
    assert figures["bars_per_year"] == pytest.approx(365.2425, rel=1e-9)
