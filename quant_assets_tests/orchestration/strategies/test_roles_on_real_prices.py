"""Strategies as entrants and as streams on the demo's real prices, from the command line.

The tests of this file share one data root, which was filled in two parts.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest, load
from quant_assets.adapters.strategies.loader import load_strategies
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.statistics.sharpe_inference import probabilistic_sharpe_ratio
from quant_assets.quant.synthesis.strategy_streams import MIN_ROWS
from quant_assets_tests.cli.program import Outcome, python, quant_assets
from quant_assets_tests.fixtures.venue_files import EIGHT_STOCKS
from quant_assets_tests.orchestration.strategies.rooms import Room

pytest.importorskip("skfolio", reason="the demo's prices come with the extra `demo`")
pytestmark = [pytest.mark.slow(seconds=45), pytest.mark.xdist_group("roles")]

SYMBOLS = ["AAPL", "GE", "JNJ", "KO", "MSFT", "PG", "WMT", "XOM"]
VENUE = (
    EIGHT_STOCKS.format(name="roles", title="Eight stocks, and two strategies")
    + """\
alpha: {month_bars: 5, model: none}
optimization:
  entrants: [equal_weight, mean_variance, minimum_variance]
  max_weight: 0.4
simulation: {fill: next_close}
strategies:
  entrants: [sma_cross, dip, dip_walk]
  streams: [sma_cross, dip_walk]
"""
)
SMA_CROSS = """\
strategy: sma_cross
version: "1.0.0"
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 5, slow: 15}}]
    exit_long: [{ma_cross_down: {fast: 5, slow: 15}}]
  sizing: {type: fixed_fraction, params: {fraction: 0.2}}
backtest: {initial_capital: 250000.0}
"""
DIP = """\
strategy: dip
version: "1.0.0"
components:
  signals:
    entry_long: [{rsi_oversold: {period: 5, threshold: 35}}]
    exit_long: [{rsi_overbought: {period: 5, threshold: 60}}]
  risk:
    - trailing_stop: {pct: 0.05}
backtest: {initial_capital: 50000.0}
walk_forward:
  parameters:
    components.signals.entry_long.0.rsi_oversold.threshold: [30, 35, 40]
"""
STRATEGIES = ("sma_cross", "dip", "dip_walk")
DECISIONS = ["1990-04-01", "1990-05-01", "1990-06-01"]
PROGRAM = """
import sys
import quant_assets.definitions
from quant_assets.orchestration.graph import spec_of, window_assets
from quant_assets.orchestration.lookahead import violations
print([str(v) for v in violations(window_assets())])
print([name for name in ("numba", "cvxpy", "sklearn", "duckdb") if name in sys.modules])
print(sorted(set(spec_of("alpha_streams").reads) & {"sma_cross_stances", "sma_cross_equity"}))
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    room = Room(tmp_path_factory.mktemp("roles"), "roles", ("1989-10-01", "1990-07-01"))
    room.write(VENUE, {"sma_cross": SMA_CROSS, "dip": DIP})
    return room


@pytest.fixture(scope="module")
def root(room: Room) -> Path:
    """A root whose windows were computed in two parts."""
    return room.computed(("1990-01-01...1990-05-01", "1990-06-01...1990-06-01"))


@pytest.fixture(scope="module")
def bars() -> BarPanel:
    """The prices from their package, not from the lake."""
    from skfolio.datasets import load_sp500_dataset

    closes = load_sp500_dataset().loc["1990-01-02":"1990-06-30", SYMBOLS]
    days = closes.index.to_numpy(dtype="datetime64[us]")
    day = pd.Timedelta(days=1)
    known = days + np.timedelta64(1, "D")
    return BarPanel.from_arrays(days, SYMBOLS, day, available_at=known, close=closes.to_numpy())


def own_run(room: Room, name: str, bars: BarPanel) -> pd.DataFrame:
    """Equity of one backtest over all bars, those of the decision windows."""
    loaded = load_strategies(room.folder / "st")[name]
    capital = loaded.settings.backtest.initial_capital
    equity = backtest(loaded.strategy, bars, initial_capital=capital).equity
    return equity[equity.index >= pd.Timestamp(DECISIONS[0], tz="UTC")]


@pytest.mark.parametrize("name", ["sma_cross", "dip"])
def test_account_of_an_entrant_is_that_of_its_strategy(root, room, bars, name):
    equity = load("equity", venue="roles", root=root)
    own = equity[equity["entrant"] == name].set_index("ts")
    asset = load(f"{name}_equity", venue="roles", window="1990-04-01...1990-06-01", root=root)
    np.testing.assert_array_equal(own["equity"], asset["equity"])
    run = own_run(room, name, bars)
    assert own.index.equals(run.index)
    for column in ("equity", "cash", "returns"):
        np.testing.assert_allclose(own[column], run[column], rtol=1e-9, atol=1e-12)
    costs = run["commission"] + run["slippage"]
    assert costs.sum() > 0
    np.testing.assert_allclose(own["fees"] + own["slippage"], costs, rtol=1e-9)
    assert (own["gross_returns"] >= own["returns"]).all()


def test_walk_forward_is_an_entrant_with_its_own_account_from_the_first_decision_on(root):
    equity = load("equity", venue="roles", root=root)
    own = equity[equity["entrant"] == "dip_walk"]
    asset = load("dip_walk_equity", venue="roles", root=root)
    fills = load("dip_walk_fills", venue="roles", root=root)
    assert f"{own['ts'].iloc[0]:%Y-%m}" == DECISIONS[0][:7]
    for column in ("equity", "cash", "returns"):
        np.testing.assert_array_equal(own[column], asset[column])
    before = asset["equity"].shift().fillna(50_000.0)
    traded = (fills["quantity"] * fills["reference_price"]).abs().groupby(fills["ts"]).sum()
    expected = asset["ts"].map(traded).fillna(0.0) / before
    np.testing.assert_allclose(own["turnover"], expected, rtol=1e-9)
    assert len(fills) > 10


def test_leaderboard_ranks_every_entrant_over_every_window(root, room, bars):
    optimizers = {"equal_weight", "mean_variance", "minimum_variance"}
    entrants = {*optimizers, "champion", *STRATEGIES}
    metrics = load("window_metrics", venue="roles", root=root)
    assert len(metrics) == len(entrants) * len(DECISIONS)
    assert set(metrics["entrant"]) == entrants
    board = load("tournament", venue="roles", root=root).set_index("entrant")
    assert set(board.index) == {*entrants, "sp500_index"}
    ranked = board[board["rank"] > 0]
    assert ranked.sort_values("rank")["sharpe_ratio"].is_monotonic_decreasing
    for name in ("sma_cross", "dip"):
        returns = own_run(room, name, bars)["returns"]
        row = board.loc[name]
        assert row["n_windows"] == len(DECISIONS)
        growth = (1 + returns).prod() ** (252 / len(returns)) - 1
        assert row["cagr_net"] == pytest.approx(growth, rel=1e-9)
        assert row["cagr_gross"] > row["cagr_net"]


def test_strategies_are_trials_with_a_deflated_sharpe_ratio(root):
    ledger = load("trial_ledger", venue="roles", root=root)
    assert set(STRATEGIES) <= set(ledger["entrant"])
    luck = load("overfitting", venue="roles", root=root).set_index("entrant")
    searches = load("search_trials", venue="roles", root=root)
    tried = 3 * len(DECISIONS)  # thresholds of the walk-forward, on the windows before each
    assert searches["family"].tolist() == ["dip"] * tried
    assert set(luck["searched_trials"]) == {tried}
    assert set(luck["n_trials"]) == {ledger["trial"].nunique() + tried}
    families = {"sma_cross": 1, "dip": 2 + tried, "dip_walk": 2 + tried}
    assert {name: luck.loc[name, "family_trials"] for name in STRATEGIES} == families
    assert luck.loc[list(STRATEGIES), "dsr"].between(0, 1).all()
    assert (luck["dsr"] <= luck["psr"]).all()


def test_tear_sheet_shows_strategies_and_says_what_they_are(root):
    page = (root / "reports/tear_sheet/roles/tear_sheet.html").read_text(encoding="utf-8")
    assert "trials so far (9 of them by searches over parameters)" in page
    assert "dip, dip_walk, sma_cross trade bar by bar" in page
    assert "dip_walk, sma_cross held before each decision" in page
    for name in ("sma_cross", "dip"):
        verdict = load(f"{name}_leaks", venue="roles", root=root)
        assert (f"{name} by the leak check" in page) is not bool(verdict["trusted"].iloc[0])


def test_report_at_the_terminal_says_the_same_beside_the_leaderboard(root, room):
    shown = quant_assets(root, "report", "--venue", "roles", "--json", **room.environment)
    assert shown.code == 0, shown.stderr
    stamps = shown.json()["stamps"]
    assert any(stamp.startswith("STRATEGIES: dip, dip_walk, sma_cross") for stamp in stamps)
    assert {"sma_cross", "dip"} <= {row["entrant"] for row in shown.json()["leaderboard"]}
    verdict = load("sma_cross_leaks", venue="roles", root=root)
    named = any(stamp.startswith("NOT TRUSTED: sma_cross") for stamp in stamps)
    assert named is not bool(verdict["trusted"].iloc[0])


def held(run, moment: pd.Timestamp) -> set[str]:
    """Symbols that a run holds at the last close before a moment."""
    trades = run.trades
    begun = (trades["entry_ts"] < moment).to_numpy()
    left = (trades["exit_ts"] < moment).to_numpy()
    return set(trades.loc[begun & ~left, "symbol"])


def test_streams_are_what_the_strategy_held_at_the_close_before(root, room, bars):
    run = backtest(
        load_strategies(room.folder / "st")["sma_cross"].strategy, bars, initial_capital=2.5e5
    )
    streams = load("alpha_streams", venue="roles", root=root)
    own = streams[streams["stream"].str.endswith(":sma_cross")]
    plain = streams[streams["stream"].str.count(":") == 1]
    sizes = []
    for window in DECISIONS:
        moment = pd.Timestamp(window, tz="UTC")
        offered = set(own.loc[own["decided_at"] == moment, "symbol"])
        candidates = set(plain.loc[plain["decided_at"] == moment, "symbol"])
        assert offered == held(run, moment) & candidates
        sizes.append(len(offered))
    assert max(sizes) > 0
    assert min(sizes) < len(SYMBOLS)


def test_alpha_of_streams_is_what_the_record_proved_before_the_decision(root, room, bars):
    run = backtest(
        load_strategies(room.folder / "st")["sma_cross"].strategy, bars, initial_capital=2.5e5
    )
    streams = load("alpha_streams", venue="roles", root=root)
    moves = pd.DataFrame(bars.close, index=run.equity.index, columns=SYMBOLS).pct_change()
    proved = []
    for window in DECISIONS:
        moment = pd.Timestamp(window, tz="UTC")
        now = streams[streams["decided_at"] == moment]
        mine = now[now["stream"].str.endswith(":sma_cross")]
        training = (moves.index >= moment - pd.DateOffset(months=3)) & (moves.index < moment)
        market = moves.loc[training, sorted(set(now["symbol"]))].mean(axis=1).dropna()
        own = run.equity.loc[market.index, "returns"]
        hurdle = max(0.0, market.mean() / market.std(ddof=1))
        psr = float(probabilistic_sharpe_ratio(own, benchmark_sharpe=hurdle))
        proved.append(max(0.0, 2.0 * psr - 1.0))
        assert len(own) >= MIN_ROWS
        np.testing.assert_allclose(mine["alpha"], proved[-1], rtol=1e-9)
        np.testing.assert_allclose(mine["expected_return"], 0.05 * proved[-1], rtol=1e-9)
    assert max(proved) > 0.0


def test_optimizers_choose_among_the_streams_of_strategies(root):
    """Equal weights: one part per stream, so that an instrument with two has twice the weight."""
    streams = load("alpha_streams", venue="roles", root=root)
    targets = load("target_weights", venue="roles", root=root)
    for window in DECISIONS:
        moment = pd.Timestamp(window, tz="UTC")
        now = streams[streams["decided_at"] == moment]
        rows = targets[(targets["decided_at"] == moment) & (targets["entrant"] == "equal_weight")]
        parts = now.groupby("symbol").size() / len(now)
        weights = rows.set_index("symbol")["weight"]
        pd.testing.assert_series_equal(weights, parts, check_names=False, rtol=1e-12)
    assert (targets["fallback"] == "").all(), "no solver gives up on streams that are equal"


def test_a_venue_in_two_parts_is_byte_for_byte_the_venue_computed_again_in_one(root, room):
    done = quant_assets(root, "verify", "--replay", "--venue", "roles", **room.environment)
    assert done.code == 0, done.stdout + done.stderr
    assert "compared by bytes: all equal" in done.stdout


def test_graph_with_strategies_lets_no_decision_see_its_own_window(root, room):
    shown: Outcome = python(root, "-c", PROGRAM, **room.environment)
    assert shown.code == 0, shown.stderr
    reads = str(["sma_cross_equity", "sma_cross_stances"])
    assert shown.stdout.splitlines() == ["[]", "[]", reads]
