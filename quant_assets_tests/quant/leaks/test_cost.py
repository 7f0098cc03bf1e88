"""A check computes no more rows than the run that it checks: rows are counted, not seconds."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from benchmarks import leak_check
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.strategies import PairStrategy, library_strategies, make_strategy
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.leaks.markets import market
from quant_assets_tests.quant.strategies.library.samples import HOURLY, random_market

SPENT = SimpleNamespace(rows=0, calls=0)  # nothing of the strategy: a check puts those back


class Counted(VectorStrategy):
    """The array form of a strategy, alone; counts rows and calls of its signals."""

    name: ClassVar[str] = "counted"

    def __init__(self, inner):
        object.__setattr__(self, "inner", inner)

    @property
    def warm_up(self):
        return self.inner.warm_up

    def plan(self, bars):
        return self.inner.plan(bars)

    def signals(self, bars):
        SPENT.rows += len(bars)
        SPENT.calls += 1
        return self.inner.signals(bars)


class Averages(VectorStrategy):
    """Above the mean of the last ten closes."""

    name: ClassVar[str] = "averages"

    def signals(self, bars):
        total = np.cumsum(np.nan_to_num(bars.close, nan=100.0), axis=0)
        mean = np.full(total.shape, np.nan)
        mean[10:] = (total[10:] - total[:-10]) / 10.0
        above = np.nan_to_num(bars.close) > np.round(mean, 6)
        return Signals(entry_long=above, exit_long=~above)


class Drawn(VectorStrategy):
    """Entries and labels are drawn, without a seed."""

    name: ClassVar[str] = "drawn"

    def signals(self, bars):
        return Signals(entry_long=np.random.random(bars.close.shape) < 0.5)  # noqa: NPY002

    def plan(self, bars):
        return Plan(labels={"drawn": np.random.random(bars.close.shape)})  # noqa: NPY002


def checked(strategy, bars, **settings):
    """The report, rows as a multiple of one run, and calls, the first run among them."""
    SPENT.rows = SPENT.calls = 0
    report = check_strategy(Counted(strategy), bars, settings=Settings(**settings))
    return report, SPENT.rows / len(bars), SPENT.calls


def test_rows_of_a_check_are_those_of_two_runs_and_the_report_says_so():
    report, rows, calls = checked(Averages(), market(1_000))
    assert report.trusted, str(report)
    assert rows <= 2.0
    assert rows == pytest.approx(1.0 + report.cost)
    assert calls <= 10


def test_few_rows_have_a_floor_and_a_thorough_check_says_what_it_costs():
    report, rows, _ = checked(Averages(), market(240))
    assert report.trusted
    assert 240 * rows <= 240 + 1_000
    settings = Settings.thorough(start_up=False)
    assert (settings.early, settings.budget, settings.start_up) == (20, 3.0, False)
    assert Settings().rows_for(10_000) == 7_500


def test_many_cuts_are_made_in_one_run():
    report, rows, calls = checked(Averages(), market(2_000), start_up=False)
    assert any(" places from row " in probe for probe in report.probes)
    assert report.trusted
    assert rows <= 2.0
    assert calls <= 9


@pytest.mark.slow
def test_account_is_run_first_on_the_decisions_that_were_taken_on_all_bars():
    bars, execution = market(2_000, ragged=False), {"preset": "optimistic"}
    report, rows, calls = checked(Averages(), bars)
    SPENT.rows = SPENT.calls = 0
    traded = check_strategy(Counted(Averages()), bars, execution=execution)
    assert traded.trusted, str(traded)
    of_account = [probe for probe in traded.probes if probe not in report.probes]
    assert len(of_account) == 3
    assert SPENT.calls == calls + len(of_account) + 1  # the first rows again; not all of them
    assert SPENT.rows / len(bars) < rows + 0.65
    assert traded.cost == report.cost
    chance = check_strategy(Counted(Drawn()), bars, execution=execution)
    assert {"entry_long", "run equity"} <= {leak.output for leak in chance.unstable}
    assert not any(leak.output.startswith("run") for leak in chance.leaks), str(chance)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(library_strategies()))
def test_rows_of_a_check_of_every_strategy(name):
    """Over arrays; one that says nothing for five years of days is run again until it does."""
    strategy = make_strategy(name, {})
    bars = random_market(3_000, hours=1 if name in HOURLY else 24)
    bars = bars.select(bars.symbols[:2]) if isinstance(strategy, PairStrategy) else bars
    report, rows, calls = checked(strategy, bars)
    assert not report.leaks, str(report)
    assert rows <= (2.5 if name == "calendar_seasonality" else 2.0)
    assert calls <= 13


@pytest.mark.slow
def test_rows_of_a_check_of_every_bar_are_no_more_than_those_of_a_run_twice():
    class EveryBar(BarStrategy):
        """Enters above the close of five bars ago."""

        name: ClassVar[str] = "every_bar"

        @property
        def warm_up(self):
            return 6

        def on_bar(self, window, account):
            SPENT.rows += 1
            return Signals(entry_long=window["close", -1] > window["close", -6])

    SPENT.rows = 0
    bars = market(1_000, ragged=False)
    assert check_strategy(EveryBar(), bars).trusted
    assert SPENT.rows <= 2 * len(bars)


@pytest.mark.slow
def test_benchmark_tells_the_cost_of_each_strategy_and_the_largest(tmp_path):
    rows = {row["strategy"]: row for row in leak_check.measure(tmp_path, quick=True)}
    assert list(rows) == [*leak_check.QUICK, "median", "largest"]
    ratios = [rows[name]["1,000 x 4: check / run"] for name in leak_check.QUICK]
    assert rows["largest"]["1,000 x 4: check / run"] == max(ratios)
    assert all(1.0 < rows[name]["1,000 x 4: rows / run"] < 2.2 for name in leak_check.QUICK)
