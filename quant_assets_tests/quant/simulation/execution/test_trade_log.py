"""Each trade is one line of the log, and each line one trade."""

import json
import logging

import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.simulation.execution.trade_log import (
    TradeEvent,
    log_trades,
    trade_events,
)
from quant_assets.quant.strategies import load_strategy
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    walked,
    whole,
    windows_of,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

TEXT = """\
strategy: tried
version: "1.0.0"
components:
  signals:
    entry_long: [{ma_cross_up: {fast: 3, slow: 9}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 9}}]
    entry_short: [{rsi_overbought: {period: 4, threshold: 75}}]
  risk: [{stop_loss: {pct: 0.05}}]
  regime: {allowed: [bull, neutral, bear], classifier: {moving_average_trend: {fast: 5, slow: 10}}}
"""
NUMBERS = {
    "entry_price": "entry_price",
    "exit_price": "exit_price",
    "position_size": "shares",
    "portfolio_heat": "portfolio_heat",
    "signal_strength": "strength",
    "pnl": "pnl",
}
BARS = random_bars(rows=200, holes=0.03, seed=11)


def assert_lines_are_rows(lines: list[str], trades: pd.DataFrame, trade: str) -> None:
    events = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert len(events) == len(trades) > 8
    for event, row in zip(events, trades.to_dict("records"), strict=True):
        assert event.keys() == TradeEvent.__annotations__.keys()
        assert (event["event"], event["strategy"]) == ("trade_executed", "tried")
        assert (event["trade"], event["symbol"]) == (row[trade], row["symbol"])
        assert (event["direction"], event["exit_reason"]) == (row["direction"], row["exit_reason"])
        for field, column in NUMBERS.items():
            assert event[field] == (None if pd.isna(row[column]) else row[column]), field
        for field in ("decided_ts", "entry_ts", "exit_ts"):
            known = None if pd.isna(row[field]) else row[field].isoformat()
            assert event[field] == known
        assert event["regime"] == (row["regime_at_entry"] or None)


def test_log_has_one_line_for_each_trade_of_a_run(caplog: pytest.LogCaptureFixture):
    run = backtest(load_strategy(TEXT).strategy, BARS)
    with caplog.at_level(logging.INFO, logger="quant_assets.trades"):
        log_trades("tried", run.trades)
    assert {record.levelname for record in caplog.records} == {"INFO"}
    lines = [record.getMessage() for record in caplog.records]
    assert_lines_are_rows(lines, run.trades, "trade")
    still_open = [json.loads(line) for line in lines if json.loads(line)["exit_reason"] == "open"]
    assert still_open
    assert all(event["exit_ts"] is None for event in still_open)


def test_windows_of_an_asset_log_each_closed_trade_once(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, logger="quant_assets.trades"):
        found = walked(TEXT, bars_frame(BARS), windows_of(BARS), facts=market())
    lines = [one.getMessage() for one in caplog.records if one.name == "quant_assets.trades"]
    assert_lines_are_rows(lines, whole(found, "trades"), "trade_id")


def test_nothing_is_made_where_nobody_listens(monkeypatch: pytest.MonkeyPatch):
    asked = []
    module = "quant_assets.quant.simulation.execution.trade_log.trade_events"
    monkeypatch.setattr(module, lambda *given: asked.append(given) or iter(()))
    monkeypatch.setattr(logging.getLogger("quant_assets.trades"), "level", logging.WARNING)
    log_trades("tried", pd.DataFrame({"trade": [1]}))
    assert asked == []
    assert list(trade_events("tried", pd.DataFrame({"trade": []}))) == []
