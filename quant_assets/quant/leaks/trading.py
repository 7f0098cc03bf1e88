"""What decisions come to: sizes, exits and labels of a plan; orders, fills and equity of a run."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.leaks.outputs import PLAN, RUN
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.strategies.plan import Plan

Floats = npt.NDArray[np.float64]
DECIDED = ("entry", "exit_signal", "target_weight", "order", "reversal")


def planned(plan: Plan, bars: BarPanel) -> dict[str, Any]:
    """Arrays `(time, symbol)` of a plan; what holds for all bars is repeated on each."""
    found: dict[str, Any] = {f"label {name}": values for name, values in plan.labels.items()}
    for name, terms in (("size", plan.sizes), ("exit", plan.exits), ("limit", plan.limits)):
        for field, value in zip(getattr(terms, "_fields", ()), terms or (), strict=True):
            found |= _spread(f"{name} {field}", value, len(bars))
    return {PLAN + name: values for name, values in found.items()}


def _spread(name: str, value: Any, n_bars: int) -> dict[str, Any]:
    """A value on each bar: arrays of three axes by their first, those of one row repeated."""
    array = np.asarray(value)
    if array.ndim == 3:
        parts = [_spread(f"{name} {number}", part, n_bars) for number, part in enumerate(array)]
        return {key: part for found in parts for key, part in found.items()}
    if array.size == 0 or array.dtype.kind != "f":
        return {}
    rows = array if array.ndim == 2 else array.reshape(1, -1)
    return {name: rows if len(rows) == n_bars else np.broadcast_to(rows, (n_bars, rows.shape[1]))}


def traded(execution: Any) -> Callable[[Strategy, BarPanel], Mapping[str, Any]]:
    """Makes the outputs of a backtest: orders by the bar of their decision, fills, equity.

    execution : as `quant_assets.backtest` takes it.
    """

    def outputs(strategy: Strategy, bars: BarPanel) -> Mapping[str, Any]:
        from quant_assets.quant.simulation.execution.runs import backtest

        result = backtest(strategy, bars, execution)
        fills, orders = result.fills, result.orders
        # A protective order is logged when it is met, under the bar of its entry's decision.
        orders = orders[orders["reason"].isin(DECIDED)]
        notional = fills["quantity"] * fills["price"]
        costs = fills["commission"] + fills["slippage"]
        made = {
            "orders": _panel(bars, orders["decided_ts"], orders["symbol"], np.ones(len(orders))),
            "filled quantity": _panel(bars, fills["ts"], fills["symbol"], fills["quantity"]),
            "filled notional": _panel(bars, fills["ts"], fills["symbol"], notional),
            "costs": _panel(bars, fills["ts"], fills["symbol"], costs),
            "equity": result.equity_values.copy(),
        }
        return {RUN + name: values for name, values in made.items()}

    return outputs


def _panel(bars: BarPanel, ts: pd.Series, symbols: pd.Series, values: Any) -> Floats:
    """Sums of rows by bar and symbol, shape (time, symbol)."""
    table = np.zeros((len(bars), len(bars.symbols)))
    moments = pd.DatetimeIndex(ts).tz_convert("UTC").tz_localize(None).to_numpy()
    rows = np.searchsorted(bars.ts, moments.astype("datetime64[us]"))
    columns = pd.Index(bars.symbols).get_indexer(pd.Index(symbols))
    np.add.at(table, (rows, columns), np.asarray(values, dtype=np.float64))
    return table
