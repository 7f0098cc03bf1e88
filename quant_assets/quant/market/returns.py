"""Simple close-to-close returns, and the equal-weight market made of them."""

from datetime import timedelta

import numpy as np
import pandas as pd

from quant_assets.contracts.returns import Returns
from quant_assets.core.context import DiscoveryContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import Market
from quant_assets.quant.market.bars import (
    ALWAYS_OPEN,
    Instants,
    instants,
    rows_of_window,
    to_column,
)
from quant_assets.quant.market.panel import Floats, Panel, to_panel


def grid_step(market: Market) -> timedelta | None:
    """Distance between neighbouring grid rows where it is fixed: on 24/7 venues."""
    return market.bar_length if market.calendar == ALWAYS_OPEN else None


def simple_returns(close: Panel, *, step: timedelta | None = None) -> Floats:
    """`close[t] / close[t-1] - 1`, shape (time, symbol).

    NaN in the first row and wherever either close is missing; with `step`, also where the row
    before is not exactly `step` earlier, because then bars are missing for every symbol.
    """
    returns = np.full(close.values.shape, np.nan)
    if len(returns) > 1:
        returns[1:] = close.values[1:] / close.values[:-1] - 1.0
    if step is not None:
        ts = close.ts.to_numpy(dtype="datetime64[us]")
        returns[1:][np.diff(ts) != np.timedelta64(step)] = np.nan
    return returns


def equal_weight_market(returns: Floats) -> Floats:
    """Mean return over the symbols that have one, shape (time,); NaN on rows without any."""
    present = ~np.isnan(returns)
    count = present.sum(axis=1)
    total = np.where(present, returns, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def returns_window(
    context: DiscoveryContext, telemetry: Telemetry, *, bars: pd.DataFrame
) -> pd.DataFrame:
    """Make the returns of the window's bars, a `Returns` frame with one row per bar row.

    bars : history windows and the current one. The first row of the window looks back to the last
    grid row before it; without one its return is NaN. A return is NaN where either close is
    missing (see `simple_returns`). `available_at` is the later one of its two bars.
    """
    ts = instants(bars["ts"])
    inside = rows_of_window(ts, context.window)
    if inside.start == inside.stop:
        return Returns.empty()
    begin = int(np.searchsorted(ts, ts[inside.start - 1])) if inside.start else 0
    recent = bars.iloc[begin : inside.stop]
    panel = to_panel(recent, "close")
    axis = panel.ts.to_numpy(dtype="datetime64[us]")
    rows = np.searchsorted(axis, ts[begin : inside.stop])
    columns = pd.Index(panel.symbols).get_indexer(pd.Index(recent["symbol"]))
    known: Instants = np.full(panel.values.shape, axis[0])
    known[rows, columns] = instants(recent["available_at"])
    known[1:] = np.maximum(known[1:], known[:-1])
    returns = simple_returns(panel, step=grid_step(context.market))
    keep = slice(inside.start - begin, None)
    cells = rows[keep], columns[keep]
    values = returns[cells]
    telemetry.log_metrics(
        "returns", {"rows": float(len(values)), "missing": float(np.isnan(values).sum())}
    )
    return pd.DataFrame(
        {
            "ts": bars["ts"].iloc[inside].reset_index(drop=True),
            "available_at": to_column(known[cells]),
            "symbol": bars["symbol"].iloc[inside].reset_index(drop=True),
            "returns": pd.Series(values),
        }
    )
