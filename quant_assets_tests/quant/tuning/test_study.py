import json
import pickle

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.tuning.bench import Bench, execution_model
from quant_assets.quant.tuning.study import StoredTrial, tune
from quant_assets_tests.quant.tuning.samples import FREE, Cross, averages, by_hand, market

SPACE = {"fast": [2, 4, 8], "slow": [6, 8, 12]}


class Notebook:
    """A store in memory that can be made to fail, as if the process were killed."""

    def __init__(self, *, dies_after=None):
        self.kept: list[StoredTrial] = []
        self.appends, self.dies_after = 0, dies_after

    def load(self):
        return tuple(self.kept)

    def append(self, trials):
        if self.dies_after is not None and self.appends >= self.dies_after:
            raise KeyboardInterrupt
        self.appends += 1
        self.kept.extend(trials)


def in_out(close, fast, slow, first=0):
    """1 in, 0 out, NaN as before; nothing before `slow` closes are known or before `first`."""
    a, b = averages(close, fast), averages(close, slow)
    wanted = np.where(a > b, 1.0, np.where(a < b, 0.0, np.nan))
    wanted[: max(slow - 1, first)] = np.nan
    return wanted


def test_every_trial_is_the_simulation_by_hand():
    bars = market(200)
    trials = tune(Cross, SPACE, bars, FREE)
    assert [one.params for one in trials.items] == [
        {"fast": f, "slow": s} for f in (2, 4, 8) for s in (6, 8, 12)
    ]
    for one in trials.done:
        wanted = in_out(bars.close[:, 0], **one.params)
        equity = np.r_[100_000.0, by_hand(bars.open[:, 0], bars.close[:, 0], wanted)]
        np.testing.assert_allclose(one.outcome.returns, np.diff(equity) / equity[:-1], atol=1e-12)
        returns = np.diff(equity) / equity[:-1]
        years = 199 / 365.25
        sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(199 / years)
        assert one.value == pytest.approx(sharpe, rel=1e-3)
        assert one.outcome.figures["total_return"] == pytest.approx(equity[-1] / 1e5 - 1.0)
    assert trials.best.value == max(one.value for one in trials.done)


def test_refused_combinations_are_trials_with_their_reason():
    trials = tune(Cross, SPACE, market(60))
    frame = trials.frame()
    assert len(frame) == len(trials) == 9
    refused = frame[frame["status"] == "refused"]
    assert [json.loads(one) for one in refused["params"]] == [
        {"fast": 8, "slow": 6},
        {"fast": 8, "slow": 8},
    ]
    assert refused["error"].str.contains("must be less").all()
    assert refused["objective_value"].isna().all()
    assert frame["trial_number"].tolist() == list(range(1, 10))


def test_a_trial_that_raises_is_counted_and_the_others_go_on():
    class Breaks(Cross):
        def signals(self, bars):
            if self.fast == 4:
                raise ZeroDivisionError("by nothing")
            return super().signals(bars)

    frame = tune(Breaks, SPACE, market(60)).frame()
    failed = frame[frame["param_fast"] == 4]
    assert failed["status"].tolist() == ["failed"] * 3
    assert failed["error"].tolist() == ["ZeroDivisionError: by nothing"] * 3
    assert (frame["status"] == "done").sum() == 4


def test_best_of_nothing_says_why():
    trials = tune(Cross, {"fast": [9], "slow": [5]}, market(40))
    with pytest.raises(DataError, match="must be less"):
        _ = trials.best


def test_killed_search_goes_on_and_simulates_nothing_twice():
    bars = market(80)
    whole = tune(Cross, SPACE, bars, search={"grid": {"batch": 2}})
    store = Notebook(dies_after=2)
    with pytest.raises(KeyboardInterrupt):
        tune(Cross, SPACE, bars, search={"grid": {"batch": 2}}, store=store)
    assert len(store.kept) == 4

    store.dies_after, before = None, {one.key for one in store.kept}
    again = tune(Cross, SPACE, bars, search={"grid": {"batch": 2}}, store=store)
    assert again.reused == 4
    assert len(store.kept) == 9
    assert len({one.key for one in store.kept}) == 9
    assert before < {one.key for one in store.kept}
    assert again.hash() == whole.hash()

    third = tune(Cross, SPACE, bars, search={"grid": {"batch": 2}}, store=store)
    assert (third.reused, len(store.kept)) == (9, 9)


@pytest.mark.slow
def test_finished_trials_serve_other_objectives_and_searches():
    bars, store = market(80), Notebook()
    tune(Cross, SPACE, bars, store=store)
    other = tune(
        Cross, SPACE, bars, store=store, objective="cagr", search={"random": {"trials": 30}}
    )
    assert len(store.kept) == 9
    assert other.reused == 30
    assert other.best.value == tune(Cross, SPACE, bars, objective="cagr").best.value


def test_changed_bars_costs_or_logic_are_other_trials():
    bars, point = market(80), {"fast": 3, "slow": 7}

    class Other(Cross):
        def signals(self, bars):
            found = super().signals(bars)
            return type(found)(entry_long=found.exit_long, exit_long=found.entry_long)

    benches = [
        Bench(factory=Cross, bars=bars),
        Bench(factory=Cross, bars=market(80, seed=1)),
        Bench(factory=Cross, bars=bars, initial_capital=1e4),
        Bench(factory=Cross, bars=bars, per="bar"),
        Bench(factory=Cross, bars=bars, first=10),
        Bench(factory=Other, bars=bars),
    ]
    assert len({bench.key(point) for bench in benches}) == len(benches)
    assert Bench(factory=Cross, bars=market(80)).key(point) == benches[0].key(point)


LEAN = ({"borrow_model": "none"}, {"borrow_model": "none", "slippage_model": "none"})


@pytest.mark.parametrize("execution", [*LEAN, FREE, None, "pessimistic"])
def test_outcome_is_that_of_the_backtest_whichever_kernel_runs_it(execution):
    bars, strategy = market(300), Cross(fast=2, slow=6)
    model = ExecutionModel() if execution is None else execution_model(execution)
    bench = Bench(factory=Cross, bars=bars, execution=model, per="bar")
    if execution in LEAN:  # else it depends on what the lean kernel has learnt
        assert bench._lean_terms is not None
    outcome, result = bench({"fast": 2, "slow": 6}), backtest(strategy, bars, model)
    np.testing.assert_allclose(outcome.returns, result.equity["returns"], atol=1e-13)
    expected = {
        "total_return": result.total_return,
        "final_equity": result.final_equity,
        "max_drawdown": -result.equity["drawdown"].max(),
        "n_trades": result.n_trades,
        "n_fills": len(result.fills),
        "costs": -result.costs["amount"].drop("price_gains").sum(),
    }
    assert outcome.figures == pytest.approx(expected, rel=1e-9)


def test_a_bench_that_worked_is_sent_without_what_it_holds():
    bench = Bench(factory=Cross, bars=market(60), execution=execution_model(FREE))
    plain = len(pickle.dumps(bench))
    bench({"fast": 2, "slow": 6})
    bench.key({"fast": 2, "slow": 6})
    assert len(pickle.dumps(bench)) == plain


def test_intraday_returns_are_compounded_by_utc_day():
    bars = market(100, hours=6.0)
    trials = tune(Cross, {"fast": [2], "slow": [5]}, bars)
    result = backtest(Cross(fast=2, slow=5), bars)
    equity = result.equity["equity"]
    closes = np.r_[100_000.0, equity.groupby(equity.index.floor("D")).last()]
    np.testing.assert_allclose(trials.items[0].outcome.returns, closes[1:] / closes[:-1] - 1.0)
    assert len(trials.clock) == 25
    assert trials.clock[1] == np.datetime64("2020-01-02")


def test_measured_rows_begin_after_those_that_warm_up():
    bars = market(120)
    bench = Bench(factory=Cross, bars=bars, first=50, last=100, execution=None, per="bar")
    returns = bench({"fast": 2, "slow": 6}).returns
    result = backtest(Cross(fast=2, slow=6), bars.rows(slice(45, 100)), start=_time(bars, 50))
    np.testing.assert_array_equal(returns, result.equity["returns"])
    assert len(returns) == 50
    assert (bench.clock == bars.ts[50:100]).all()


def _time(bars, row):
    return bars.ts[row].item()


def test_budget_for_returns_is_kept():
    with pytest.raises(ConfigError, match="budget"):
        tune(Cross, {"fast": list(range(1, 60)), "slow": [60]}, market(400), budget_mb=0.1)


def test_trials_of_other_bars_in_a_store_cost_no_budget():
    store = Notebook()
    tune(Cross, SPACE, market(300), store=store)
    found = tune(Cross, SPACE, market(40), store=store, budget_mb=0.01)
    assert (found.reused, len(found)) == (0, 9)


def test_progress_is_told_after_each_batch():
    told = []
    tune(
        Cross,
        SPACE,
        market(40),
        search={"grid": {"batch": 4}},
        progress=lambda finished, planned: told.append((finished, planned)),
    )
    assert told == [(4, 9), (8, 9), (9, 9)]


@pytest.mark.slow
def test_optuna_search_goes_on_where_it_was_killed():
    pytest.importorskip("optuna")
    bars, search = market(100), {"optuna": {"trials": 40, "batch": 4}}
    space = {"fast": {"low": 2, "high": 10, "step": 1}, "slow": {"low": 8, "high": 40, "step": 1}}
    whole = tune(Cross, space, bars, search=search)
    store = Notebook(dies_after=5)
    with pytest.raises(KeyboardInterrupt):
        tune(Cross, space, bars, search=search, store=store)
    store.dies_after = None
    assert tune(Cross, space, bars, search=search, store=store).hash() == whole.hash()
