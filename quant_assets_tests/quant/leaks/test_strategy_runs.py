"""Runs of strategies on bars that end in the middle: honest accounts, and costs that look ahead."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.leaks.strategy_runs import with_run
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.simulation.execution.slippage.base import (
    NO_SLIPPAGE,
    ImpactArrays,
    SlippageModel,
)
from quant_assets_tests.quant.leaks.honest import Crossing
from quant_assets_tests.quant.leaks.markets import market

pytestmark = pytest.mark.slow

BARS = market(240)


@dataclass(frozen=True, kw_only=True)
class SpreadOfAll(SlippageModel):
    """Half of a spread that is the deviation of each symbol's moves over all bars."""

    name: ClassVar[str] = "spread_of_all"

    def terms(self):
        return NO_SLIPPAGE._replace(half_spread=1.0)

    def arrays(self, bars):
        moves = np.nan_to_num(bars.close[1:] / bars.close[:-1] - 1.0)
        return ImpactArrays(spread=np.broadcast_to(moves.std(axis=0), bars.close.shape).copy())


def test_run_of_an_honest_account_is_its_own_beginning():
    strategy = Crossing()
    report = check_strategy(strategy, BARS)
    found = with_run(report, strategy, BARS, ExecutionModel())
    assert found.verdict == report.verdict == "trusted"
    assert len(found.probes) == len(report.probes) + 1


def test_costs_that_know_later_bars_are_found_in_equity_and_fills():
    strategy, execution = Crossing(), ExecutionModel(slippage_model=SpreadOfAll())
    report = check_strategy(strategy, BARS)
    assert report.trusted  # decisions know nothing
    assert len(backtest(strategy, BARS, execution).fills)
    found = with_run(report, strategy, BARS, execution)
    assert found.verdict == "leak"
    assert [leak.output for leak in found.leaks] == ["run equity", "run fills"]
    assert found.leaks[0].cause.startswith("The account knows bars that come later")


def test_runs_cost_no_more_than_one_over_all_bars(monkeypatch: pytest.MonkeyPatch):
    from quant_assets.quant.simulation.execution import runs

    strategy = Crossing()
    report, rows = check_strategy(strategy, BARS), []

    def counted(strategy, bars, *arguments, **options):
        rows.append(len(bars))
        return backtest(strategy, bars, *arguments, **options)

    monkeypatch.setattr(runs, "backtest", counted)
    with_run(report, strategy, BARS, ExecutionModel())
    assert len(rows) == 2
    assert sum(rows) <= len(BARS) + 1
