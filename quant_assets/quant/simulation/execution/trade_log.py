"""The log of trades: one line of JSON per trade, for whoever collects logs."""

import json
import logging
import math
from collections.abc import Iterator
from typing import Any, TypedDict

import pandas as pd

__all__ = ["TradeEvent", "log_trades", "trade_events"]

EVENT = "trade_executed"
LOGGER = "quant_assets.trades"


class TradeEvent(TypedDict):
    """One trade; times are ISO 8601 in UTC, None is not known (a trade that is open has no exit).

    `position_size` is in units, `portfolio_heat` a fraction of equity at the entry.
    """

    event: str
    strategy: str
    trade: int
    symbol: str
    direction: str
    decided_ts: str | None
    entry_ts: str | None
    entry_price: float | None
    exit_ts: str | None
    exit_price: float | None
    exit_reason: str
    position_size: float | None
    portfolio_heat: float | None
    regime: str | None
    signal_strength: float | None
    pnl: float | None


def trade_events(strategy: str, trades: pd.DataFrame) -> Iterator[TradeEvent]:
    """An event per row, in the order of the rows.

    trades : of a `BacktestResult`, or rows of `StrategyTrades`.
    """
    name = "trade" if "trade" in trades.columns else "trade_id"
    for row in trades.to_dict("records"):
        yield TradeEvent(
            event=EVENT,
            strategy=strategy,
            trade=int(row[name]),
            symbol=str(row["symbol"]),
            direction=str(row["direction"]),
            decided_ts=_moment(row["decided_ts"]),
            entry_ts=_moment(row["entry_ts"]),
            entry_price=_number(row["entry_price"]),
            exit_ts=_moment(row["exit_ts"]),
            exit_price=_number(row["exit_price"]),
            exit_reason=str(row["exit_reason"]),
            position_size=_number(row["shares"]),
            portfolio_heat=_number(row["portfolio_heat"]),
            regime=None if pd.isna(row["regime_at_entry"]) else row["regime_at_entry"] or None,
            signal_strength=_number(row["strength"]),
            pnl=_number(row["pnl"]),
        )


def log_trades(strategy: str, trades: pd.DataFrame) -> None:
    """A line of JSON per trade to the logger `quant_assets.trades`, level INFO."""
    logger = logging.getLogger(LOGGER)
    if logger.isEnabledFor(logging.INFO):
        for event in trade_events(strategy, trades):
            logger.info(json.dumps(event, allow_nan=False))


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _moment(value: Any) -> str | None:
    return None if pd.isna(value) else pd.Timestamp(value).isoformat()
