"""Real files through all pillars: dropped, taken in, computed, reported; one bar is revised.

No month of what is at hand has everything. Bars, funding and open interest of perpetuals meet from
2025-12-26 to 2026-01-29 for BTC, ETH and SOL (XRP has no open interest), for SOL alone to 2026-05;
forced orders lie in one evening of 2025-06, a recorded book in six minutes of 2024-08.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from quant_assets import load
from quant_assets_tests.adapters.real_files import real_folder

pytestmark = pytest.mark.slow(seconds=70)
COMMAND = (sys.executable, "-m", "quant_assets.cli.main")
PERPS = """
name: perps
title: Perpetuals from files
provider: {name: files}
history: {first: 2025-02-01}
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
reference: {benchmark: "SOL/USDT:USDT"}
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
TAPE = """
name: tape
title: Forced orders beside their bars
provider: {name: files}
history: {first: 2025-05-01}
market:
  asset_class: crypto_perpetual
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: 5m
  bars_per_year: 105120
  price_fields: [open, high, low, close, volume]
  funding: required
alpha: {month_bars: 288}
"""
MONTHLY = {"QUANT_ASSETS_GRID": json.dumps({"cadence": "monthly", "start": "2024-07-01"})}
MEASURED = ("BTC", "ETH", "SOL")  # with open interest
BARS = {"BTC": 9727, "ETH": 9727, "SOL": 116425, "XRP": 9662}
SETTLEMENTS = {"BTC": 102, "ETH": 102, "SOL": 1202, "XRP": 101}


def perpetual(base: str) -> str:
    """The symbol of a base asset."""
    return f"{base}/USDT:USDT"


def per_symbol(asset: str, user: "User", venue: str) -> dict[str, int]:
    """Rows of an asset by base asset."""
    counts = load(asset, venue=venue, root=user.root)["symbol"].value_counts()
    return {str(symbol).split("/")[0]: int(n) for symbol, n in counts.sort_index().items()}


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
    raw = real_folder() / "binance" / "raw"
    user = User(tmp_path, PERPS, **MONTHLY)
    files = [
        *sorted((raw / "freqtrade_2026_01" / "futures").iterdir()),
        *sorted((raw / "freqtrade_2026" / "futures").glob("SOL_*")),
        *sorted((raw / "oi_2026").iterdir()),
    ]
    for path in files:
        user.drop(path)
    taken = json.loads(user.run("ingest", "--json"))
    assert len(taken) == len(files) == 15
    assert all(outcome["receipt"] and not outcome["refusal"] for outcome in taken)
    assert list(user.landing.iterdir()) == []
    user.run("backfill")
    board = json.loads(user.run("report", "--venue", "perps", "--json"))
    assert Path(board["tear_sheet"]).is_file()
    assert {"champion", perpetual("SOL")} <= {row["entrant"] for row in board["leaderboard"]}
    assert per_symbol("bars", user, "perps") == BARS
    assert per_symbol("funding", user, "perps") == SETTLEMENTS
    open_interest_is_as_published_and_known_in_time(user, raw / "oi_2026")
    quality_and_gaps_are_those_of_the_files(user)
    equity = load("equity", venue="perps", root=user.root)
    january = equity[equity["ts"].dt.strftime("%Y-%m") == "2026-01"]
    assert (january["funding"] != 0).any()
    fills = load("fills", venue="perps", root=user.root)
    assert set(fills.loc[fills["ts"] >= "2026-01-01", "symbol"]) == {perpetual(b) for b in BARS}
    before = manifests(user.root, "bars")
    revise_one_bar(user, load("bars", venue="perps", root=user.root))
    user.run("backfill", "--assets", "raw_bars,bars,raw_doubts")
    after = manifests(user.root, "bars")
    assert [window for window in before if before[window] != after[window]] == ["2026-01-01"]
    revised = load("raw_doubts", venue="perps", root=user.root)
    assert "revised" in set(revised["reason"])


def open_interest_is_as_published_and_known_in_time(user: User, folder: Path) -> None:
    """Every row of the files up to the month of the last bar, at its own time, by pandas."""
    found = load("open_interest", venue="perps", root=user.root)
    assert (found["available_at"] >= found["ts"]).all()
    for base in MEASURED:
        published = pd.read_csv(folder / f"{base}_oi_5m.csv.gz")
        published["ts"] = pd.to_datetime(published["t"], unit="ms", utc=True).astype(
            "datetime64[us, UTC]"
        )
        wanted = published[published["ts"] < "2026-06-01"].sort_values("ts")
        own = found[found["symbol"] == perpetual(base)]
        assert len(own) == 52415
        assert (own["ts"].to_numpy() == wanted["ts"].to_numpy()).all()
        assert own["open_interest"].tolist() == wanted["oi"].tolist()
        assert own["open_interest_value"].tolist() == wanted["oi_usd"].tolist()
        decided = pd.Timestamp("2026-01-01", tz="UTC")
        known = own[own["available_at"] <= decided]["open_interest"].iloc[-1]
        assert known == wanted.loc[wanted["ts"] <= decided, "oi"].iloc[-1]
    on_bars = load("bars", venue="perps", root=user.root).merge(found, on=["ts", "symbol"])
    assert on_bars["symbol"].value_counts().to_dict() == {
        perpetual("SOL"): 47876,
        perpetual("BTC"): 9722,
        perpetual("ETH"): 9727,
    }


def quality_and_gaps_are_those_of_the_files(user: User) -> None:
    """Three files end on 29 January: a gap that is open at the month's end, and the month after."""
    ledger = load("gap_ledger", venue="perps", root=user.root)
    assert ledger["open_at_end"].all()
    assert ledger.groupby("symbol")["bars"].agg(list).to_dict() == {
        perpetual("BTC"): [658, 8064],
        perpetual("ETH"): [658, 8064],
        perpetual("XRP"): [723, 8064],
    }
    ends = {perpetual("XRP"): "2026-01-29 11:45Z"}
    begun = [pd.Timestamp(ends.get(s, "2026-01-29 17:10Z")) for s in ledger["symbol"]]
    assert ledger["begun_at"].tolist() == begun
    quality = load("quality", venue="perps", root=user.root)
    day = quality[quality["ts"].dt.strftime("%Y-%m-%d") == "2026-01-29"].set_index("symbol")
    assert day["present"].to_dict() == {
        **dict.fromkeys([perpetual("BTC"), perpetual("ETH")], 206),
        perpetual("SOL"): 288,
        perpetual("XRP"): 141,
    }
    assert (day["expected"] == 288).all()


def test_real_forced_orders_reach_their_asset_beside_their_bars(tmp_path: Path):
    raw = real_folder() / "binance" / "raw"
    user = User(tmp_path, TAPE, **MONTHLY)
    for base in ("BTC", "ETH", "SOL"):
        for path in sorted((raw / "freqtrade_2025_06" / "futures").glob(f"{base}_*")):
            user.drop(path)
    for path in sorted((raw / "liquidations").iterdir()):
        user.drop(path)
    taken = json.loads(user.run("ingest", "--json"))
    assert [outcome["refusal"] for outcome in taken] == [""] * 11
    group = "sessions,raw_bars,raw_funding,raw_open_interest,raw_liquidations,raw_order_book"
    cleaned = "raw_adjustments,raw_doubts,bars,funding,open_interest,liquidations,order_book"
    user.run("backfill", "--assets", f"{group},{cleaned},adjustments,gap_ledger,doubts,quality")
    events = load("liquidations", venue="tape", root=user.root)
    assert len(events) == 1155
    assert (events["available_at"] >= events["ts"]).all()
    bars = load("bars", venue="tape", root=user.root)
    hour = bars["ts"].between("2025-06-23 20:55Z", "2025-06-23 21:55Z")
    hit = events.merge(
        bars[hour].assign(bar=bars["ts"]), left_on=["symbol", events["ts"].dt.floor("5min")],
        right_on=["symbol", "bar"], suffixes=("", "_bar"),
    )  # fmt: skip
    assert set(hit["symbol"]) == {perpetual(base) for base in MEASURED}
    assert (hit["price"] / hit["close"] - 1).abs().max() < 0.02


def test_real_recorded_book_reaches_its_asset_beside_its_bars(tmp_path: Path):
    stream = real_folder() / "binance" / "raw" / "stream_2024-08-08" / "usdm"
    venue = TAPE.replace("2025-05-01", "2024-08-01").replace("bar_length: 5m", "bar_length: 1m")
    user = User(tmp_path, venue.replace("105120", "525600"), **MONTHLY)
    for path in stream.iterdir():
        user.drop(path)
    (taken,) = json.loads(user.run("ingest", "--json"))
    assert taken["receipt"]["counts"]["order_book"]["stored"] == 41119
    user.run("backfill", "--assets", "sessions,raw_order_book,order_book,raw_bars,bars")
    book = load("order_book", venue="tape", root=user.root)
    bars = load("bars", venue="tape", root=user.root)
    assert (len(book), len(bars)) == (41119, 5)
    assert (book["available_at"] >= book["ts"]).all()
    top = book[book["level"] == 0].assign(bar=book["ts"].dt.floor("1min"))
    both = top.merge(bars, left_on=["bar", "symbol"], right_on=["ts", "symbol"])
    assert set(both["bar"]) == set(bars["ts"])
    middle = (both["bid_price"] + both["ask_price"]) / 2
    assert middle.between(both["low"] * 0.999, both["high"] * 1.001).all()


def revise_one_bar(user: User, bars: pd.DataFrame) -> None:
    """Deliver one bar again, with another close, as its publisher might."""
    row = bars[(bars["symbol"] == "BTC/USDT:USDT") & (bars["ts"] == "2026-01-14 12:00Z")]
    close = float((row["low"] + row["high"]).iloc[0]) / 2
    cells = [f"{row[name].iloc[0]:.1f}" for name in ("open", "high", "low")]
    line = ",".join(["2026-01-14T12:00:00Z", "BTC/USDT:USDT", *cells, f"{close:.1f}", "1"])
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
    quality = load("quality", venue="stocks", root=user.root)
    grid = "observed" if find_spec("exchange_calendars") is None else "sessions"
    assert set(quality["grid"]) == {grid}
    assert (quality["completeness"] == 1.0).all()  # storm, Thanksgiving and early closes included
    assert len(load("gap_ledger", venue="stocks", root=user.root)) == 0
