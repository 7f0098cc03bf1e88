"""Finer bars decide inside of longer ones, in windows as in one run."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.context import WalkForwardContext
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.simulation.strategy_windows.reading import (
    bars_of,
    detail_of,
    execution_of,
    strategy_of,
    unfit_execution,
)
from quant_assets.quant.tuning.strategy_windows import walk_forward_window
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    values_of,
    walked,
    walked_back,
    whole,
    windows_of,
)
from quant_assets_tests.quant.simulation.strategy_windows.test_windows import assert_same_run
from quant_assets_tests.quant.strategies.markets import random_bars

TEXT = """\
strategy: tried
version: "1.0.0"
runtime: {candle_interval: 8h}
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 3, slow: 9}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 9}}]
  risk: [{stop_loss: {pct: 0.02}}, {take_profit: {pct: 0.02}}]
execution:
  fill_model: {detail_timeframe: {timeframe: 1h, same_bar: worst}}
"""
HOURLY = market(bar_length="1h")


def hours_of(text: str):
    """Hours with gaps, the same as rows, and the strategy."""
    hours = random_bars(rows=24 * 70, days=1 / 24, seed=5, holes=0.02)
    frame, loaded = bars_frame(hours), strategy_of(values_of(text))
    return hours, frame, loaded


@pytest.mark.slow
@pytest.mark.parametrize("finer", ["1h", "2h"])
@pytest.mark.parametrize("back", [False, True])
def test_windows_with_finer_bars_make_up_the_run_over_everything(finer: str, *, back: bool):
    text = TEXT.replace("timeframe: 1h", f"timeframe: {finer}")
    hours, frame, loaded = hours_of(text)
    longer = bars_of(frame, HOURLY, loaded.settings)
    detail = detail_of(frame, HOURLY, loaded)
    assert detail.bar_length == timedelta(hours=int(finer[0]))
    if finer == "1h":
        np.testing.assert_array_equal(detail.high, hours.high)
    model = execution_of(loaded)
    run = backtest(loaded.strategy, longer, model, detail=detail, periods_per_year=365)
    windows = windows_of(longer)
    assert len(windows) == 3
    found = (
        walked_back(text, frame, windows, facts=HOURLY)[0]
        if back
        else walked(text, frame, windows, facts=HOURLY)
    )
    assert_same_run(found, run)
    plain = replace(model, fill_model={"next_open": {"same_bar": "worst"}})
    coarse = backtest(loaded.strategy, longer, plain, periods_per_year=365)
    assert coarse.equity["equity"].iloc[-1] != run.equity["equity"].iloc[-1]
    assert whole(found, "trades")["exit_reason"].isin(["stop_loss", "take_profit"]).sum() > 8


@pytest.mark.slow
def test_walk_forward_follows_finer_bars():
    """With one value to choose, it is the run from its first test window on."""
    text = (
        TEXT
        + """\
walk_forward:
  parameters: {components.risk.0.stop_loss.pct: [0.02]}
  objective: total_return
  training_windows: 1
"""
    )
    _, frame, loaded = hours_of(text)
    longer = bars_of(frame, HOURLY, loaded.settings)
    windows, state, equity = windows_of(longer), StrategyState.empty(), []
    for window in windows:
        context = WalkForwardContext(
            venue="v",
            window=window,
            decided_at=window.start,
            market=HOURLY,
            strategy=values_of(text),
            mode="carry",
        )
        known = frame[frame["ts"] < pd.Timestamp(window.end)].reset_index(drop=True)
        inputs = {"bars": known, "funding": Funding.empty(), "tried_walk_state": state}
        made = walk_forward_window(context, RecordingTelemetry(), **inputs)
        state = made["tried_walk_state"]
        equity += made["tried_walk_equity"]["equity"].tolist()
    run = backtest(
        loaded.strategy,
        longer,
        execution_of(loaded),
        detail=detail_of(frame, HOURLY, loaded),
        start=windows[1].start,
    )
    expected = run.equity["equity"]
    expected = expected[expected.index >= pd.Timestamp(windows[1].start)]
    assert equity == expected.tolist()
    assert run.n_trades > 8


def reason(text: str, **facts) -> str:
    return unfit_execution(strategy_of(values_of(text)), market(**facts))


def test_execution_that_a_venue_cannot_serve_is_told():
    assert reason(TEXT, bar_length="1h") == ""
    assert reason(TEXT, bar_length="5m") == ""
    assert reason(TEXT.replace("timeframe: 1h", "timeframe: 3h"), bar_length="1h") == (
        "detail_timeframe follows orders on bars of 3h inside of bars of 8h "
        "(runtime.candle_interval); the venue has 1h"
    )
    assert reason(TEXT, bar_length="8h").endswith("the venue has 8h")
    assert reason(TEXT.replace("runtime: {candle_interval: 8h}\n", ""), bar_length="1h") != ""


def test_rates_that_no_asset_gives_are_told():
    head = TEXT[: TEXT.index("execution:")] + "execution:\n  fx_model: "
    assert reason(head + "{as_of: {currencies: {SAP: EUR, BP: GBP}}}\n", bar_length="1h") == (
        "fx_model as_of needs rates of EUR, GBP in USD, which no asset gives; the strategy command "
        "takes them as --rates"
    )
    assert reason(head + "{as_of: {currencies: {SAP: USD}}}\n", bar_length="1h") == ""
    listed = head + "{as_of: {account: USDT}}\nbacktest: {universe: [BTC/USDT, ETH/BTC]}\n"
    assert "needs rates of BTC in USDT" in reason(listed, bar_length="1h")
