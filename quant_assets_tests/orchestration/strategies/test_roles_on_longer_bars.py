"""A strategy on days as entrant and stream of a venue of four-hour bars, from the command line.

The tests of this file share one data root, which was filled in two parts.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest, load
from quant_assets.adapters.strategies.loader import load_strategies
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets_tests.cli.program import quant_assets
from quant_assets_tests.orchestration.strategies.rooms import Room

pytestmark = [pytest.mark.slow(seconds=30), pytest.mark.xdist_group("longer_roles")]

VENUE = """\
name: fours
title: Simulated perpetuals, four-hour bars
provider:
  name: simulated
  settings:
    seed: 28
    assets:
      - {base: BTC, first_price: 42000, own_volatility: 0.15, markets: [perpetual]}
      - {base: ETH, first_price: 2300, own_volatility: 0.3, markets: [perpetual]}
      - {base: SOL, first_price: 100, own_volatility: 0.55, markets: [perpetual]}
history: {first: 2024-01-01, last: 2024-03-31}
training_windows: 1
market:
  asset_class: crypto_perpetual
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: 4h
  bars_per_year: 2190
  price_fields: [open, high, low, close, volume]
  simulated: true
  funding: required
reference: {benchmark: "BTC/USDT:USDT", risk_free: null}
discovery: {min_history_bars: 100, max_annual_volatility: 3.0}
alpha: {month_bars: 6, model: none}
optimization: {entrants: [equal_weight, minimum_variance], max_weight: 0.5}
simulation: {fill: next_open}
strategies: {entrants: [daily], streams: [daily]}
"""
DAILY = """\
strategy: daily
version: "1.0.0"
runtime: {candle_interval: 1d}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 3, slow: 8}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 8}}]
  sizing: {type: fixed_fraction, params: {fraction: 0.3}}
  risk:
    - trailing_stop: {pct: 0.06}
backtest: {initial_capital: 250000.0}
"""
DECISIONS = "2024-02-01...2024-03-01"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    room = Room(tmp_path_factory.mktemp("fours"), "fours", ("2023-10-01", "2024-04-01"))
    room.write(VENUE, {"daily": DAILY})
    return room


@pytest.fixture(scope="module")
def root(room: Room) -> Path:
    """A root whose windows were computed in two parts."""
    return room.computed(("2024-01-01...2024-02-01", "2024-03-01...2024-03-01"))


def days_of(root: Path) -> tuple[BarPanel, pd.DataFrame]:
    """Daily bars by pandas, and the settlements."""
    bars = load("bars", venue="fours", root=root)
    day = bars["ts"].dt.floor("D")
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    daily = bars.groupby(["symbol", day]).agg(how).reset_index()
    table = {name: daily.pivot_table(index="ts", columns="symbol", values=name) for name in how}
    symbols = table["close"].columns.tolist()
    values = {name: frame.to_numpy() for name, frame in table.items()}
    ts = table["close"].index.tz_localize(None).to_numpy(dtype="datetime64[us]")
    panel = BarPanel.from_arrays(ts, symbols, pd.Timedelta(days=1), **values)
    return panel, load("funding", venue="fours", root=root)


def test_account_at_the_end_of_each_day_is_that_of_the_strategy_and_of_one_backtest(root, room):
    equity = load("equity", venue="fours", root=root)
    own = equity[equity["entrant"] == "daily"].set_index("ts")
    asset = load("daily_equity", venue="fours", window=DECISIONS, root=root).set_index("ts")
    ends = own.loc[asset.index + pd.Timedelta(hours=20)]
    for name in ("equity", "cash", "position_value"):
        np.testing.assert_array_equal(ends[name], asset[name])
    assert len(own) == 6 * len(asset)
    panel, funding = days_of(root)
    loaded = load_strategies(room.folder / "st")["daily"]
    run = backtest(loaded.strategy, panel, initial_capital=250_000.0, funding=funding)
    np.testing.assert_allclose(asset["equity"], run.equity.loc[asset.index, "equity"], rtol=1e-9)
    assert run.n_trades > 4


def test_between_two_ends_the_account_is_what_was_held_at_the_venues_closes(root):
    """By hand: profit of each four hours is the quantity held times the move, plus the fills."""
    equity = load("equity", venue="fours", root=root)
    own = equity[equity["entrant"] == "daily"].set_index("ts")
    fills = load("fills", venue="fours", root=root)
    fills = fills[fills["entrant"] == "daily"]
    asset = load("daily_fills", venue="fours", window=DECISIONS, root=root)
    for name in ("quantity", "price", "reference_price"):
        assert sorted(fills[name]) == sorted(asset[name])
    bars = load("bars", venue="fours", root=root)
    close = bars.pivot_table(index="ts", columns="symbol", values="close")
    before = load("daily_fills", venue="fours", window="2024-01-01...2024-01-01", root=root)
    begin = before.groupby("symbol")["quantity"].sum().reindex(close.columns).fillna(0.0)
    traded = fills.pivot_table(index="ts", columns="symbol", values="quantity", aggfunc="sum")
    traded = traded.reindex(index=own.index, columns=close.columns).fillna(0.0)
    held = begin + traded.cumsum()
    moves = (held.shift().fillna(begin) * close.diff().loc[own.index]).sum(axis=1)
    gained = [
        row.quantity * (close.loc[row.ts, row.symbol] - row.price) - row.fee
        for row in fills.itertuples()
    ]
    moves = moves.add(pd.Series(gained, index=fills["ts"]).groupby(level=0).sum(), fill_value=0.0)
    inside = own.index.hour != 20
    np.testing.assert_allclose(
        own["equity"].diff().to_numpy()[inside][1:], moves.to_numpy()[inside][1:], atol=1e-6
    )
    assert np.abs(moves[inside]).max() > 100


def test_streams_read_its_record_at_the_venues_closes(root):
    streams = load("alpha_streams", venue="fours", root=root)
    own = streams[streams["stream"].str.endswith(":daily")]
    stances = load("daily_stances", venue="fours", root=root)
    assert len(own) > 0
    for row in own.itertuples():
        known = stances[(stances["available_at"] <= row.decided_at)]
        last = known[known["symbol"] == row.symbol].iloc[-1]
        assert last["stance"] > 0
    marks = load("daily_marks", venue="fours", root=root)
    assert marks["ts"].diff().dropna().max() == pd.Timedelta(hours=4)


def test_one_statement_over_fills_answers_for_every_entrant(root, room):
    sql = "SELECT entrant, count(*) AS n, sum(fee) AS fees FROM fills GROUP BY ALL ORDER BY ALL"
    shown = quant_assets(root, "query", "--json", sql, **room.environment)
    assert shown.code == 0, shown.stderr
    rows = {row["entrant"]: row for row in shown.json()}
    assert set(rows) == {"champion", "daily", "equal_weight", "minimum_variance"}
    asset = load("daily_fills", venue="fours", window=DECISIONS, root=root)
    assert rows["daily"]["n"] == len(asset)
    assert rows["daily"]["fees"] == pytest.approx(asset["commission"].sum(), rel=1e-9)
