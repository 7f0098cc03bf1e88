from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.risk.stop_loss import StopLoss
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.sizing.entry.fixed_fraction import FixedFraction
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.rules.ma_cross import MaCrossDown, MaCrossUp
from quant_assets.quant.tuning.audit import fill_audit
from quant_assets.quant.tuning.differences import RunSpec, compare_runs
from quant_assets_tests.quant.tuning.samples import FREE, Cross, market


def test_audit_runs_the_three_models_of_the_execution():
    strategy, bars = Cross(fast=2, slow=6), market(300)
    audit = fill_audit(strategy, bars)
    for name, model in ExecutionModel().audit().items():
        assert audit.runs[name].hash() == backtest(strategy, bars, model).hash()
    frame = audit.frame()
    assert frame.columns.tolist() == ["optimistic", "default", "pessimistic"]
    returns = frame.loc["total_return"]
    assert returns["optimistic"] > returns["default"] > returns["pessimistic"]
    assert audit.range_of_returns == pytest.approx(returns["optimistic"] - returns["pessimistic"])
    assert audit.survives == (returns["pessimistic"] > 0.0)
    assert frame.loc["slippage", "optimistic"] == 0.0


def test_equal_runs_have_no_differences():
    bars = market(100)
    a, b = (RunSpec(strategy=Cross(), bars=one) for one in (bars, replace(bars)))
    assert compare_runs(a, b).empty


@pytest.mark.slow
def test_steps_lead_from_one_run_to_the_other():
    bars = market(300)
    close = bars.close * np.where(np.arange(300) < 200, 1.0, 1.01)[:, None]
    moved = replace(bars, close=close, high=np.maximum(bars.high, close))
    a = RunSpec(strategy=Cross(fast=2, slow=6), bars=bars, execution=FREE)
    b = RunSpec(
        strategy=Cross(fast=3, slow=9), bars=moved, execution="pessimistic", initial_capital=5e4
    )
    table = compare_runs(a, b)
    assert table["part"].tolist() == [
        "bars",
        "strategy.fast",
        "strategy.slow",
        "execution.fill_model",
        "execution.slippage_model",
        "execution.commission_model",
        "execution.borrow_model",
        "capital",
    ]
    first, last = a.run().total_return, b.run().total_return
    assert table["step"].sum() == pytest.approx(last - first, abs=1e-12)
    assert table["total_return"].iloc[-1] == pytest.approx(last, abs=1e-12)
    alone = backtest(Cross(fast=2, slow=9), bars, FREE).total_return - first
    row = table.set_index("part").loc["strategy.slow"]
    assert row["alone"] == pytest.approx(alone, abs=1e-12)
    assert row["interaction"] == pytest.approx(row["step"] - alone, abs=1e-12)
    assert table["first_change"].iloc[0] >= pd.Timestamp(bars.ts[200], tz="UTC")


def test_a_part_that_changes_nothing_has_a_step_of_nothing():
    bars = market(100)
    a = RunSpec(strategy=Cross(fast=2, slow=6), bars=bars, execution=FREE)
    b = replace(a, execution={**FREE, "borrow_model": {"annual_rate": {"rate": 0.1}}})
    (row,) = compare_runs(a, b).to_dict("records")
    assert (row["part"], row["step"]) == ("execution.borrow_model", 0.0)
    assert row["first_change"] is pd.NaT


def test_parameters_that_only_go_together_are_one_part():
    bars = market(100)
    a = RunSpec(strategy=Cross(fast=2, slow=4), bars=bars)
    b = RunSpec(strategy=Cross(fast=8, slow=20), bars=bars)
    assert compare_runs(a, b)["part"].tolist() == ["strategy"]


def built(fast, execution=None, *, stop=None, share=None):
    up, down = MaCrossUp(fast=fast, slow=20), MaCrossDown(fast=fast, slow=20)
    builder = StrategyBuilder("ma").with_signals(entry_long=up, exit_long=down)
    if stop is not None:
        builder = builder.with_risk(StopLoss(pct=stop))
    if share is not None:
        builder = builder.with_sizing(FixedFraction(fraction=share))
    return (builder if execution is None else builder.with_execution(execution)).build()


def test_execution_of_a_strategy_is_a_part_of_its_own():
    bars = market(200)
    a = RunSpec(strategy=built(5), bars=bars)
    a = replace(a, strategy=built(5, ExecutionModel()))
    b = RunSpec(strategy=built(8, ExecutionModel(slippage_model="none")), bars=bars)
    table = compare_runs(a, b).set_index("part")
    assert table.index.tolist() == ["strategy.signals", "execution.slippage_model"]
    own = backtest(built(8), bars).total_return - backtest(built(5), bars).total_return
    assert table["step"].iloc[0] == pytest.approx(own, abs=1e-12)
    assert table["total_return"].iloc[-1] == pytest.approx(b.run().total_return, abs=1e-12)


def test_stages_of_composed_strategies_are_swapped_one_by_one():
    bars = market(300)
    a = RunSpec(strategy=built(5, stop=0.02, share=0.5), bars=bars)
    b = RunSpec(strategy=built(8, stop=0.02, share=0.9), bars=bars)
    table = compare_runs(a, b).set_index("part")
    assert table.index.tolist() == ["strategy.signals", "strategy.sizing"]
    first = a.run().total_return
    signals = backtest(built(8, stop=0.02, share=0.5), bars).total_return - first
    sizing = backtest(built(5, stop=0.02, share=0.9), bars).total_return - first
    np.testing.assert_allclose(table["alone"], [signals, sizing], atol=1e-12)
    assert first + table["step"].sum() == pytest.approx(b.run().total_return, abs=1e-12)


@pytest.mark.slow
def test_strategies_of_two_classes_are_one_part():
    bars = market(200)
    a = RunSpec(strategy=built(5), bars=bars)
    b = RunSpec(strategy=Cross(fast=2, slow=6), bars=bars)
    table = compare_runs(a, b)
    assert table["part"].tolist() == ["strategy"]
    assert table["total_return"].iloc[0] == pytest.approx(b.run().total_return, abs=1e-12)
