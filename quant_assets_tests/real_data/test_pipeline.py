"""Real files through all pillars: dropped, taken in, computed, reported; one bar is revised."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from quant_assets import load
from quant_assets_tests.adapters.real_files import real_folder

pytestmark = pytest.mark.slow
COMMAND = (sys.executable, "-m", "quant_assets.cli.main")
PERPS = """
name: perps
title: Perpetuals from files
provider: {name: files}
history: {first: 2025-03-01}
training_windows: 2
market:
  asset_class: crypto_perpetual
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: 5m
  bars_per_year: 105120
  price_fields: [open, high, low, close, volume]
  funding: required
reference: {benchmark: "BTC/USDT:USDT"}
discovery: {min_history_bars: 1000, max_stale_bars: 48, max_annual_volatility: 4.0}
alpha: {month_bars: 288, label_horizon_bars: 288, embargo_bars: 36}
optimization: {max_weight: 0.4}
simulation: {fee_bps: 5, slippage_bps: 2}
"""
STOCKS = """
name: stocks
title: US stocks from files
provider: {name: files, settings: {published: splits}}
history: {first: 2012-09-01}
training_windows: 6
market:
  asset_class: equity
  currency: USD
  calendar: XNYS
  time_zone: America/New_York
  bar_length: 1d
  bars_per_year: 252
  price_fields: [open, high, low, close, volume]
  price_adjustment: total_return
alpha: {month_bars: 5, label_horizon_bars: 5}
discovery: {min_history_bars: 60}
optimization: {max_weight: 0.1}
"""
SYMBOLS = ("ADA", "BNB", "BTC", "ETH", "LTC")


class User:
    """Somebody with a data root, a folder of venues and a command line."""

    def __init__(self, folder: Path, venue: str, **settings: str) -> None:
        self.folder, self.root = folder, folder / "root"
        name = venue.split("\n")[1].removeprefix("name: ")
        (folder / "venues").mkdir()
        (folder / "venues" / f"{name}.yaml").write_text(venue, encoding="utf-8")
        self.landing = self.root / "landing" / name
        self.landing.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "QUANT_ASSETS_DATA_ROOT": str(self.root),
            "QUANT_ASSETS_VENUES_FOLDER": str(folder / "venues"),
            "QUANT_ASSETS_VENUES": json.dumps([name]),
            **settings,
        }

    def drop(self, path: Path) -> None:
        """Copy a file into the landing folder."""
        shutil.copyfile(path, self.landing / path.name)

    def run(self, *words: str) -> str:
        """Run a command that must succeed."""
        done = subprocess.run(
            [*COMMAND, *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_real_perpetuals_with_funding_and_open_interest_run_through_all_pillars(tmp_path: Path):
    folder = real_folder() / "binance" / "raw" / "freqtrade_2025h1" / "futures"
    grid = {"QUANT_ASSETS_GRID": json.dumps({"cadence": "weekly", "start": "2025-02-03"})}
    user = User(tmp_path, PERPS, **grid)
    for symbol in SYMBOLS:
        for path in sorted(folder.glob(f"{symbol}_USDT_USDT-*")):
            if "-1m-" not in path.name:
                user.drop(path)
    taken = json.loads(user.run("ingest", "--json"))
    assert len(taken) == 3 * len(SYMBOLS)
    assert all(outcome["receipt"] and not outcome["refusal"] for outcome in taken)
    assert list(user.landing.iterdir()) == []
    user.run("backfill")
    board = json.loads(user.run("report", "--venue", "perps", "--json"))
    assert Path(board["tear_sheet"]).is_file()
    assert {"champion", "BTC/USDT:USDT"} <= {row["entrant"] for row in board["leaderboard"]}
    equity = load("equity", venue="perps", root=user.root)
    assert (equity["funding"] != 0).any()
    bars = load("bars", venue="perps", root=user.root)
    assert sorted(bars["symbol"].unique()) == [f"{symbol}/USDT:USDT" for symbol in SYMBOLS]
    before = manifests(user.root, "bars")
    revise_one_bar(user, bars)
    user.run("backfill")
    after = manifests(user.root, "bars")
    changed = [window for window in before if before[window] != after[window]]
    assert changed == ["2025-03-24"]
    revised = load("doubts", venue="perps", root=user.root)
    assert "revised" in set(revised["reason"])


def revise_one_bar(user: User, bars: pd.DataFrame) -> None:
    """Deliver one bar again, with another close, as its publisher might."""
    row = bars[(bars["symbol"] == "BTC/USDT:USDT") & (bars["ts"] == "2025-03-26 12:00Z")]
    close = float((row["low"] + row["high"]).iloc[0]) / 2
    cells = [f"{row[name].iloc[0]:.1f}" for name in ("open", "high", "low")]
    line = ",".join(["2025-03-26T12:00:00Z", "BTC/USDT:USDT", *cells, f"{close:.1f}", "1"])
    text = f"ts,symbol,open,high,low,close,volume\n{line}\n"
    (user.landing / "correction.csv").write_text(text, encoding="utf-8")
    (outcome,) = json.loads(user.run("ingest", "--json"))
    assert outcome["receipt"]["counts"]["bars"]["revised"] == 1


def manifests(root: Path, asset: str) -> dict[str, str]:
    """Data hash of each window of an asset."""
    folder = next((root / "lake" / asset).iterdir())
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return {manifest["window"]: manifest["data_sha256"] for manifest in found}


def test_real_stocks_run_through_all_pillars(tmp_path: Path):
    user = User(tmp_path, STOCKS)
    for path in sorted((real_folder() / "us_equities" / "stocknet").glob("*.csv.gz")):
        user.drop(path)
    taken = json.loads(user.run("ingest", "--json"))
    assert len(taken) == 50
    assert sum(row["receipt"]["counts"]["bars"]["quarantined"] for row in taken) == 3
    user.run("backfill", "--venue", "stocks", "--windows", "2012-09-01...2013-06-01")
    board = json.loads(user.run("report", "--venue", "stocks", "--json"))
    assert Path(board["tear_sheet"]).is_file()
    assert board["stamps"] == ["PRICES ADJUSTED: total_return"]
    assert load("candidate_pool", venue="stocks", root=user.root)["passed"].any()
