"""`backtest` takes the lean kernel by itself; nothing that comes out tells which kernel ran."""

import pickle
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import STOP_FRACTION, TRAIL_FRACTION, ExitTerms
from quant_assets.quant.simulation.execution.engine import advance_all, first_book
from quant_assets.quant.simulation.execution.ledger import N_FILLS
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.lean.terms import LeanOrders
from quant_assets.quant.sizing.entry.units import UNITS, EntrySizes
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant.simulation.lean.random_runs import (
    DAY,
    FILL_FIELDS,
    FLAGS,
    LIQUIDATION,
    Run,
    random_bars,
    random_run,
    with_costs,
)

FRAMES = ("orders", "fills", "trades", "equity", "vetoes", "by_symbol", "costs")


@dataclass(frozen=True, kw_only=True)
class Given(VectorStrategy):
    """Decides what it is given."""

    name: ClassVar[str] = "given"
    run: Any = None

    @property
    def warm_up(self):
        return self.run.warm_up

    def signals(self, bars):
        return self.run.signals

    def plan(self, bars):
        return self.run.plan


def by_events(quick, *, first_bar=0):
    """The same run by the event kernel."""
    common = {
        name: getattr(quick, name)
        for name in ("initial_capital", "first_bar", "carried_from", "periods_per_year")
    }
    common |= {name: getattr(quick, name) for name in ("form", "assumptions", "benchmark")}
    book, _ = advance_all(quick.preparation, first_book(quick.preparation, common), None)
    assert first_bar == quick.first_bar
    return BacktestResult(preparation=quick.preparation, book=book, **common)


def compare(run, *, start=None, capital=50_000.0):
    """Compare all that the two kernels give; fills, or None where the event kernel ran at once."""
    quick = backtest(Given(run=run), run.bars, run.terms, initial_capital=capital, start=start)
    if quick.kernel == "events":
        assert (quick.fills["reason"] == "liquidation").any()
        return None
    slow = by_events(quick, first_bar=quick.first_bar)
    made = {name: getattr(quick, name) for name in ("n_trades", "n_bars", "final_equity")}
    values, filled = quick.equity_values.copy(), quick.filled
    assert "book" not in vars(quick), "all of this without the event kernel"
    np.testing.assert_array_equal(values, slow.equity_values)
    assert made == {name: getattr(slow, name) for name in made}
    log = slow.book.fills[: slow.book.counters[N_FILLS]]
    mine = np.stack([np.asarray(column, dtype=np.float64) for column in filled], axis=1)
    np.testing.assert_array_equal(mine, log[:, FILL_FIELDS])
    assert not (log[:, FILL_FIELDS[2]] == LIQUIDATION).any()
    assert quick.hash() == slow.hash()
    if len(filled.bar) % 5 == 0:  # frames take longer than runs
        for name in FRAMES:
            pd.testing.assert_frame_equal(
                getattr(quick, name), getattr(slow, name), check_exact=True
            )
        pd.testing.assert_series_equal(quick.metrics, slow.metrics, check_exact=True)
    return len(filled.bar)


def turned(run, rng):
    """The same run with its symbols in another order than the alphabet's."""
    order = rng.permutation(len(run.bars.symbols))
    flags = {k: getattr(run.signals, k) for k in FLAGS}
    signals = Signals(**{k: v[:, order].copy() for k, v in flags.items() if v is not None})
    sizes, exits = run.plan.sizes, run.plan.exits
    plan = Plan(
        sizes=EntrySizes(sizes.size[:, order].copy(), sizes.unit),
        exits=exits and ExitTerms(exits.kind, exits.level[..., order].copy()),
        labels={"regime": np.array([["calm"]] * len(run.bars), dtype=object).repeat(len(order), 1)},
    )
    bars = run.bars.select([run.bars.symbols[i] for i in order])
    return Run(bars, signals, plan, run.terms, run.warm_up)


def test_a_run_is_the_same_by_both_kernels():
    assert [compare(random_run(seed)) is not None for seed in range(2)] == [True] * 2


@pytest.mark.slow
def test_two_hundred_random_strategies_on_random_bars_are_the_same_by_both_kernels():
    found = [compare(random_run(seed)) for seed in range(1000, 1240)]
    assert found.count(None) < 12
    assert sum(n for n in found if n) > 4_000


@pytest.mark.slow
def test_they_are_the_same_where_leverage_cuts_and_accounts_are_ruined():
    kinds = ({"large": True}, {"volatility": 0.25, "shorts": True, "large": True, "leverage": 3.0})
    found = [compare(random_run(seed, **kind)) for seed in range(60) for kind in kinds]
    assert 20 < found.count(None) < 80
    assert sum(n for n in found if n) > 800


@pytest.mark.slow
def test_they_are_the_same_for_symbols_in_any_order_labels_and_a_later_start():
    rng = np.random.default_rng(4)
    for seed in range(300, 360):
        run = turned(random_run(seed), rng)
        start = pd.Timestamp(run.bars.ts[len(run.bars) // 3]) if seed % 2 else None
        compare(run, start=start)


def real_ohlcv():
    frame = pd.read_parquet(real_file("binance/tidy/ohlcv_5m.parquet"))
    frame = frame.query("market == 'perp'").drop(columns=["market", "source"])
    return BarPanel.from_frame(
        frame.drop_duplicates(["ts", "symbol"]), bar_length=timedelta(minutes=5)
    )


def bundled_closes():
    pytest.importorskip("skfolio", reason="the extra `demo` brings the bundled prices")
    from skfolio.datasets import load_sp500_dataset

    frame = load_sp500_dataset()
    return BarPanel.from_arrays(frame.index, list(frame.columns), DAY, close=frame.to_numpy())


@pytest.mark.slow
@pytest.mark.parametrize("market", [bundled_closes, real_ohlcv])
def test_a_hundred_random_strategies_on_real_bars_are_the_same_by_both_kernels(market):
    bars, n_fills = market(), 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n_symbols = int(rng.integers(1, min(6, len(bars.symbols)) + 1))
        begin = int(rng.integers(0, len(bars) - 500))
        chosen = rng.choice(len(bars.symbols), n_symbols, replace=False)
        part = bars.rows(slice(begin, begin + 500)).select([bars.symbols[i] for i in chosen])
        shape = part.close.shape
        rates = (0.1, 0.05, 0.05, 0.05)
        flags = {k: rng.random(shape) < rate for k, rate in zip(FLAGS, rates, strict=True)}
        kinds = np.array([STOP_FRACTION, TRAIL_FRACTION], dtype=np.int8)[: seed % 3]
        level = rng.uniform(0.005, 0.08, (len(kinds), 1, n_symbols))
        unit = seed % 3
        size = (50.0, 20_000.0, 0.3)[unit] * rng.random((500 if seed % 2 else 1, n_symbols))
        plan = Plan(
            sizes=EntrySizes(size, unit), exits=ExitTerms(kinds, level) if len(kinds) else None
        )
        run = Run(part, Signals(**flags), plan, with_costs(part), seed % 7)
        n_fills += compare(run, capital=1e6) or 0
    assert n_fills > 4_000


def told(n=40):
    """Units bought and sold on a few bars."""
    bars = random_bars(np.random.default_rng(1), n, 1, gaps=False)
    flags = [np.zeros((n, 1), dtype=bool) for _ in range(2)]
    flags[0][[3, 20]] = flags[1][[9, 30]] = True
    plan = Plan(sizes=EntrySizes(np.full((1, 1), 10.0), UNITS))
    signals = Signals(entry_long=flags[0], exit_long=flags[1])
    return Run(bars, signals, plan, with_costs(bars), 0)


def test_what_the_lean_kernel_lacks_goes_to_the_event_kernel():
    run = told()
    lots = run.terms.instruments._replace(lot=np.ones(1))
    strategy = Given(run=run)
    assert backtest(strategy, run.bars, run.terms).kernel == "lean"
    assert repr(backtest(strategy, run.bars, run.terms)).startswith("BacktestResult(2 trades of 1")
    assert backtest(strategy, run.bars).kernel == "lean"
    assert backtest(strategy, run.bars, run.terms._replace(instruments=lots)).kernel == "events"
    known = run.bars.available_at + np.timedelta64(2, "D")
    late = replace(run.bars, available_at=known)
    assert backtest(strategy, late, run.terms).kernel == "events"


def test_a_window_that_goes_on_takes_the_event_kernel_and_gives_the_same():
    run = told()
    whole = backtest(Given(run=run), run.bars, run.terms)
    first = backtest(Given(run=cut(run, 25)), run.bars.rows(slice(0, 25)), run.terms)
    second = backtest(Given(run=run), run.bars, run.terms, carried=first.carried())
    assert (first.kernel, second.kernel) == ("lean", "events")
    assert second.final_equity == whole.final_equity


def cut(run, n):
    signals = Signals(entry_long=run.signals.entry_long[:n], exit_long=run.signals.exit_long[:n])
    return replace(run, signals=signals)


def test_progress_is_told_every_five_percent():
    run, told_of = told(), []
    backtest(Given(run=run), run.bars, run.terms, progress=told_of.append)
    np.testing.assert_allclose(told_of, np.arange(1, 21) / 20)


def test_bars_that_are_written_to_afterwards_are_noticed():
    run = told()
    found = backtest(Given(run=run), run.bars, run.terms)
    run.bars.close.base[:] *= 2.0
    with pytest.raises(DataError, match="written to after the backtest"):
        found.trades  # noqa: B018  # it is made here


def test_a_result_can_be_sent_to_another_process_before_and_after_its_book_is_made():
    run = told()
    found = backtest(Given(run=run), run.bars, run.terms)
    early = pickle.loads(pickle.dumps(found))  # noqa: S301  # our own
    assert early.hash() == found.hash()
    late = pickle.loads(pickle.dumps(found))  # noqa: S301  # our own
    assert late.hash() == found.hash()
    assert isinstance(late.filled, LeanOrders)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        found.nothing  # noqa: B018  # it is not there


def test_an_infinite_price_is_named_by_the_event_kernel():
    run = told()
    run.bars.close.base[8] = np.inf
    with pytest.raises(DataError, match="the books of bar 8 "):
        backtest(Given(run=run), run.bars, run.terms)
