"""Sweeps: the three ways give the same figures, whatever the budget and the executor."""

import pickle
import tracemalloc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.indicators.averages import Ema, Sma
from quant_assets.quant.risk.terms import STOP_FRACTION, ExitTerms
from quant_assets.quant.simulation.lean import crossing_sweep, sweeps
from quant_assets.quant.simulation.lean.single_runs import figures
from quant_assets.quant.simulation.lean.sweeps import combinations, sweep
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.columns import Line
from quant_assets.quant.strategies.crossing import Crossing, CrossingStrategy, crossings
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets.quant.strategies.plan import Plan
from quant_assets_tests.quant.simulation.lean.random_runs import random_bars, with_costs

ISOLATED = Accounts(initial_capital=20_000.0, kind="isolated")
GRID = {"fast": [2, 3, 5], "slow": [7, 11], "short": [False, True], "unit": [0, 1, 2]}


@dataclass(frozen=True, kw_only=True)
class Averages(CrossingStrategy):
    """Two averages, one exponential."""

    name: ClassVar[str] = "averages"
    fast: int = 3
    slow: int = 7
    short: bool = False
    unit: int = 0
    stop: float | None = None

    def crossing(self):
        return Crossing(fast=Line(Ema(self.fast)), slow=Line(Sma(self.slow)), short=self.short)

    def plan(self, bars):
        n = len(bars.symbols)
        size = np.full((1, n), (30.0, 6_000.0, 0.9)[self.unit])
        exits = ExitTerms(np.array([STOP_FRACTION], dtype=np.int8), np.full((1, 1, n), self.stop))
        return Plan(sizes=EntrySizes(size, self.unit), exits=exits if self.stop else None)


@dataclass(frozen=True, kw_only=True)
class AveragesByHand(Averages):
    """The same signals, hidden from the sweep."""

    name: ClassVar[str] = "averages_by_hand"

    def signals(self, bars):
        return super().signals(bars)


FIGURES = ("final_equity", "fills", "mean_return", "deviation", "max_drawdown")


def assert_same(one, other, *, rtol=1e-9):
    for name in FIGURES:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-14, err_msg=name
        )


def bars_and_terms(seed=1, n_bars=300, n_symbols=3, **kinds):
    bars = random_bars(np.random.default_rng(seed), n_bars, n_symbols, **kinds)
    return bars, with_costs(bars)


def test_crossings_and_bars_give_the_same_figures():
    bars, terms = bars_and_terms()
    quick = sweep(Averages, GRID, bars, terms, accounts=ISOLATED)
    slow = sweep(AveragesByHand, GRID, bars, terms, accounts=ISOLATED)
    assert quick.ways() == {"crossings": 36}
    assert slow.ways() == {"bars": 36}
    np.testing.assert_array_equal(quick.fills, slow.fills)
    np.testing.assert_allclose(quick.final_equity, slow.final_equity, rtol=1e-12)
    assert_same(quick, slow)
    assert quick.fills.min() > 3


def test_the_event_kernel_gives_them_too():
    bars, terms = bars_and_terms(n_bars=120, n_symbols=2)
    priced = terms._replace(instruments=terms.instruments._replace(lot=np.full(2, 1e-9)))
    grid = {"fast": [2, 4], "slow": [9], "short": [False, True]}
    quick = sweep(Averages, grid, bars, terms, accounts=ISOLATED)
    events = sweep(Averages, grid, bars, priced, accounts=ISOLATED)
    assert events.ways() == {"events": 4}
    assert_same(quick, events, rtol=1e-6)
    np.testing.assert_array_equal(quick.fills, events.fills)


def test_a_short_that_ruins_its_account_is_left_to_the_event_kernel():
    bars, terms = bars_and_terms(seed=5, n_bars=400, n_symbols=2, volatility=0.3, gaps=False)
    grid = {"fast": [2, 3, 5], "slow": [8, 13], "short": [True, False], "unit": [2]}
    found = sweep(Averages, grid, bars, terms, accounts=ISOLATED)
    assert set(found.ways()) == {"crossings", "events"}
    assert all(
        row["short"]
        for row, way in zip(found.parameters, found.way, strict=True)
        if way == "events"
    )


def test_lines_are_computed_once_for_runs_bar_by_bar_too():
    bars, terms = bars_and_terms(n_bars=80)
    cache = IndicatorCache()
    kinds = [{"fast": fast, "slow": 7, "stop": stop} for fast in (2, 3) for stop in (0.01, 0.02)]
    cached = [Averages(**kind).with_cache(cache) for kind in kinds]
    shared = [strategy.signals(bars) for strategy in cached]
    assert (cache.misses, cache.hits) == (3, 5)
    for kind, found in zip(kinds, shared, strict=True):
        np.testing.assert_array_equal(found.entry_long, Averages(**kind).signals(bars).entry_long)
    assert cached[0] == Averages(**kinds[0])
    assert sweep(Averages, kinds, bars, terms, accounts=ISOLATED).ways() == {"bars": 4}


def test_protective_exits_and_shared_accounts_go_bar_by_bar():
    bars, terms = bars_and_terms()
    grid = {"fast": [3], "slow": [7], "stop": [None, 0.01]}
    stopped = sweep(Averages, grid, bars, terms, accounts=ISOLATED)
    assert stopped.way == ("crossings", "bars")
    assert (
        stopped.fills[0].sum() != stopped.fills[1].sum()
        or (stopped.final_equity[0] != stopped.final_equity[1]).any()
    )
    shared = sweep(Averages, {"fast": [3]}, bars, terms)
    assert (shared.way, shared.accounts, shared.fills.shape) == (("bars",), ("all",), (1, 1))


@pytest.mark.parametrize("budget_mb", [0.001, 0.02, 512.0])
def test_figures_do_not_depend_on_the_budget(budget_mb):
    bars, terms = bars_and_terms(n_bars=100)
    grid = {"fast": [2, 3, 4, 5, 6], "slow": [7, 8, 9, 10]}
    whole = sweep(Averages, grid, bars, terms, accounts=ISOLATED)
    parted = sweep(Averages, grid, bars, terms, accounts=ISOLATED, budget_mb=budget_mb)
    assert_same(whole, parted, rtol=0.0)


class Pickling:
    """Maps as another process would: function, items and results are copied by pickling."""

    def __init__(self):
        self.batches = 0

    def map(self, function, items):
        for item in items:
            self.batches += 1
            copy, part = pickle.loads(pickle.dumps((function, item)))  # noqa: S301  # our own
            yield pickle.loads(pickle.dumps(copy(part)))  # noqa: S301  # our own


def test_batches_of_an_executor_come_back_in_order():
    bars, terms = bars_and_terms(n_bars=80)
    here = sweep(Averages, GRID, bars, terms, accounts=ISOLATED)
    executor = Pickling()
    there = sweep(Averages, GRID, bars, terms, accounts=ISOLATED, executor=executor)
    assert executor.batches == sweeps.BATCHES - 4  # 36 combinations, three in each
    assert_same(here, there, rtol=0.0)
    assert here.parameters == there.parameters


def test_unmeasured_sweeps_know_equity_and_fills_alone():
    bars, terms = bars_and_terms(n_bars=80)
    full = sweep(Averages, GRID, bars, terms, accounts=ISOLATED)
    bare = sweep(Averages, GRID, bars, terms, accounts=ISOLATED, measured=False)
    np.testing.assert_array_equal(bare.final_equity, full.final_equity)
    np.testing.assert_array_equal(bare.fills, full.fills)
    assert np.isnan(bare.mean_return).all()


def test_figures_are_those_of_returns_against_the_initial_capital():
    equity = np.array([[100.0], [110.0], [99.0], [104.0]])
    found = figures(equity, np.array([2]), 100.0)[0]
    returns = np.array([0.0, 0.1, 99.0 / 110.0 - 1.0, 104.0 / 99.0 - 1.0])
    np.testing.assert_allclose(
        found, [104.0, 2.0, returns.mean(), returns.std(ddof=1), 99.0 / 110.0 - 1.0]
    )


def test_sharpe_is_nan_where_equity_never_moved():
    bars, terms = bars_and_terms(n_bars=60)
    found = sweep(Averages, {"fast": [3], "slow": [7, 59]}, bars, terms, accounts=ISOLATED)
    sharpe = found.sharpe(365.0)
    assert np.isnan(sharpe[1]).any()
    known = ~np.isnan(sharpe)
    np.testing.assert_allclose(
        sharpe[known], found.mean_return[known] / found.deviation[known] * np.sqrt(365.0)
    )
    np.testing.assert_allclose(found.total_return, found.final_equity / 20_000.0 - 1.0)


def test_the_frame_has_a_row_for_each_combination_and_account():
    bars, terms = bars_and_terms(n_bars=60, n_symbols=2)
    found = sweep(Averages, {"fast": [2, 3]}, bars, terms, accounts=ISOLATED)
    table = found.frame()
    assert list(table["fast"]) == [2, 2, 3, 3]
    assert list(table["account"]) == ["s00", "s01"] * 2
    assert table["final_equity"].tolist() == found.final_equity.ravel().tolist()
    assert len(found) == 2


def test_a_grid_without_combinations_is_refused():
    bars, terms = bars_and_terms(n_bars=20)
    with pytest.raises(ConfigError, match="no combination"):
        sweep(Averages, {"fast": []}, bars, terms)


@pytest.mark.parametrize(
    "execution",
    [
        None,
        "default",
        "pessimistic",
        {"fill_model": {"realistic_volume": {"participation": 0.2}}, "slippage_model": "none"},
    ],
)
def test_sweeps_take_what_backtests_take(execution):
    bars = random_bars(np.random.default_rng(3), 120, 2)
    grid = {"fast": [2, 4], "slow": [9], "stop": [0.05], "unit": [2]}
    found = sweep(Averages, grid, bars, execution)
    for row, equity in zip(found.parameters, found.final_equity[:, 0], strict=True):
        assert equity == backtest(Averages(**row), bars, execution).final_equity
    assert found.fills.min() > 3


def test_sweeps_take_the_one_execution_that_their_strategies_bring():
    bars = random_bars(np.random.default_rng(3), 60, 1)

    @dataclass(frozen=True, kw_only=True)
    class Own(Averages):
        name: ClassVar[str] = "own"
        execution: str = "optimistic"

    found = sweep(Own, {"fast": [2, 3]}, bars)
    assert found.final_equity[0, 0] == backtest(Own(fast=2), bars).final_equity
    with pytest.raises(ConfigError, match="several executions"):
        sweep(Own, {"execution": ["optimistic", "default"]}, bars)


def test_what_a_sweep_cannot_take_is_named():
    bars, terms = bars_and_terms(n_bars=20)
    with pytest.raises(ConfigError, match=r"Averages takes no 'fasst'; did you mean fast\?"):
        sweep(Averages, {"fasst": [3]}, bars, terms)
    with pytest.raises(ConfigError, match="no preset 'realistic'"):
        sweep(Averages, {"fast": [3]}, bars, "realistic")
    detail = {"fill_model": {"detail_timeframe": {"bar_length": "6h"}}}
    with pytest.raises((ConfigError, DataError)):
        sweep(Averages, {"fast": [3]}, bars, detail)

    def bar_by_bar(fast):
        return f"no strategy of {fast}"

    with pytest.raises(ConfigError, match="gave a str; a sweep takes strategies"):
        sweep(bar_by_bar, {"fast": [3]}, bars, terms)


def test_combinations_are_the_product_or_the_list_itself():
    assert combinations({"a": [1, 2], "b": [3]}) == ({"a": 1, "b": 3}, {"a": 2, "b": 3})
    assert combinations([{"a": 1}, {"b": 2}]) == ({"a": 1}, {"b": 2})


@dataclass(frozen=True, kw_only=True)
class Level(CrossingStrategy):
    name: ClassVar[str] = "level"
    level: float = 100.0
    column: str = "close"

    def crossing(self):
        return Crossing(fast=self.column, slow=self.level)


def test_fields_and_levels_can_cross():
    bars, terms = bars_and_terms(n_bars=200)
    grid = {"level": [99.0, 101], "column": ["close", "high"]}
    quick = sweep(Level, grid, bars, terms, accounts=ISOLATED)
    assert quick.ways() == {"crossings": 4}
    assert quick.fills.sum() > 10

    def hidden(**parameters):
        @dataclass(frozen=True, kw_only=True)
        class Hidden(VectorStrategy):
            name: ClassVar[str] = "hidden"

            def signals(self, bars):
                return Level(**parameters).signals(bars)

        return Hidden()

    assert_same(quick, sweep(hidden, grid, bars, terms, accounts=ISOLATED))


def test_crossings_need_both_rows():
    fast = np.array([1.0, 0.0, 2.0, np.nan, 3.0, 0.0, 1.0, 1.0, 0.0])
    slow = np.ones(9)
    up, down = crossings(fast, slow)
    np.testing.assert_array_equal(np.flatnonzero(up), [2])
    np.testing.assert_array_equal(np.flatnonzero(down), [1, 5, 8])


def test_crossings_are_those_of_plain_numpy():
    rng = np.random.default_rng(0)
    fast, slow = rng.integers(0, 3, (2, 500, 4)).astype(float)
    fast[rng.random(fast.shape) < 0.1] = np.nan
    difference = fast - slow
    before = np.vstack([np.full((1, 4), np.nan), difference[:-1]])
    up, down = crossings(fast, slow)
    np.testing.assert_array_equal(up, (before <= 0.0) & (difference > 0.0))
    np.testing.assert_array_equal(down, (before >= 0.0) & (difference < 0.0))


@pytest.mark.parametrize("budget_mb", [0.1, 0.5, 2.0, 64.0])
def test_tiles_take_every_combination_once_and_keep_to_the_budget(budget_mb):
    n_bars, n_symbols, rng = 500, 6, np.random.default_rng(2)
    pairs = np.array([(f, s) for f in range(40) for s in range(40, 80)])
    rng.shuffle(pairs)
    work = crossing_sweep._Work(tuple(range(80)), pairs, np.ones((len(pairs), 6)), None)
    seen = np.zeros((len(pairs), n_symbols), dtype=int)
    for tile, rows in crossing_sweep._tiles(work, (n_bars, n_symbols), budget_mb):
        seen[rows, tile] += 1
        arrays = len(np.unique(pairs[rows])) + crossing_sweep.PRICES
        assert arrays * (tile.stop - tile.start) * n_bars * 8 <= budget_mb * 2**20
    assert (seen == 1).all()


@pytest.mark.slow
def test_ten_thousand_combinations_stay_within_their_budget():
    bars, terms = bars_and_terms(n_bars=30_000, n_symbols=1, gaps=False)
    grid = {"fast": list(range(2, 102)), "slow": list(range(102, 202))}
    sweep(Averages, {"fast": [2]}, bars, terms, accounts=ISOLATED)  # imports and compiles
    tracemalloc.start()
    try:
        found = sweep(Averages, grid, bars, terms, accounts=ISOLATED, budget_mb=8.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.ways() == {"crossings": 10_000}
    assert peak < 48 * 2**20  # what all lines take; strategies and results are 26 of it
