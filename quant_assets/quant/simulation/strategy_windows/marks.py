"""The account of a strategy on longer bars, marked at every close of the venue's own bars.

The longer bars are made of the venue's, and the account is that of the strategy's asset at each of
their ends, to the last bit. Between two ends it is what was held then at the venue's closes. A fill
belongs to the first venue bar of its longer bar that met its reference price (an order that waits
for the close: to the last one); borrowing, interest and funding are booked where the longer
bar ends.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.equity import Equity
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instants, to_column
from quant_assets.quant.simulation.execution.terms import NEXT_CLOSE, SAME_CLOSE
from quant_assets.quant.simulation.settlements import is_linear, refuse_inverse
from quant_assets.quant.simulation.strategy_entrants import entrant_fills
from quant_assets.quant.simulation.strategy_windows.reading import (
    bar_length_of,
    execution_of,
    strategy_of,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Times = npt.NDArray[np.datetime64]
ROUNDING = 1e-9  # of quantities: what is left of a position that was closed
AT_CLOSE = (NEXT_CLOSE, SAME_CLOSE)
AMOUNTS = ("quantity", "reference_price", "price", "commission", "slippage", "penalty")
OWN = ("cash", "position_value", "equity", "funding", "interest", "borrow")


def strategy_marks_window(
    context: StrategyContext, telemetry: Telemetry, *, bars: pd.DataFrame, **inputs: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """One window of a strategy on longer bars, as an entrant of a venue with shorter ones.

    Parameters
    ----------
    bars
        The venue's rows of the window.
    inputs
        `<strategy>_equity`, `<strategy>_fills` and `<strategy>_positions` of the window; of
        positions those of the window before, too.

    Returns
    -------
    dict
        `<strategy>_marks`, rows of `Equity`, and `<strategy>_marks_fills`, rows of `Fills`, on the
        venue's bars from the first to the last longer bar. Inverse contracts are a `DataError`.
    """
    name = next(key for key in inputs if key.endswith("_equity")).removesuffix("_equity")
    equity, fills = inputs[f"{name}_equity"], inputs[f"{name}_fills"]
    positions = inputs[f"{name}_positions"]
    refuse_inverse(tuple(sorted({*fills["symbol"], *positions["symbol"]})))
    loaded = strategy_of(context.strategy)
    clock = _clock(bars, equity, np.timedelta64(bar_length_of(loaded.settings, context.market)))
    own = positions["ts"] >= pd.Timestamp(context.window.start)
    symbols = sorted({*fills["symbol"], *positions["symbol"]})
    fields = set(context.market.price_fields)
    prices = _Prices(
        close=_panel(bars, "close", clock.ts, symbols),
        high=_panel(bars, "high" if "high" in fields else "close", clock.ts, symbols),
        low=_panel(bars, "low" if "low" in fields else "close", clock.ts, symbols),
    )
    waits = execution_of(loaded, context.market).fills.model in AT_CLOSE
    row = _rows_of(fills, clock, prices, symbols, waits=waits)
    held = _ends(positions[own], equity, symbols)
    marks = _marked(prices.close, _last_marks(positions[~own], symbols))
    column = _columns(fills, symbols)
    frame = _account(name, clock, equity, (fills, row, column), held, marks)
    moved = fills.assign(ts=to_column(clock.ts[row]))
    telemetry.log_metrics(f"strategy/{name}", {"marks": float(len(frame))})
    found = entrant_fills(name, moved, context.window.start)
    return {f"{name}_marks": frame, f"{name}_marks_fills": found}


class _Clock(NamedTuple):
    """Venue bars inside of the longer ones: `longer` is the row of the one that each is part of.

    last : rows that end one: its last venue bar, and none after it belongs to the next.
    """

    ts: Times
    available_at: Times
    longer: Integers
    last: Integers


class _Prices(NamedTuple):
    """Prices `(venue bar, symbol)`, NaN in gaps."""

    close: Floats
    high: Floats
    low: Floats


def _clock(bars: pd.DataFrame, equity: pd.DataFrame, length: np.timedelta64) -> _Clock:
    """Venue bars from the first longer bar to the end of the last one."""
    starts = instants(equity["ts"])
    rows = instants(bars["ts"])
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if len(rows) else np.empty(0, int)
    known = np.maximum.reduceat(instants(bars["available_at"]), first) if len(rows) else rows
    ts = rows[first]
    longer = np.searchsorted(starts, ts, side="right") - 1
    inside = longer >= 0
    if len(starts):
        inside &= ts < starts[-1] + length
    ts, known, longer = ts[inside], known[inside], longer[inside]
    within = ts < starts[longer] + length if len(starts) else inside[inside]
    last = np.searchsorted(longer[within], np.arange(len(starts)), side="right") - 1
    return _Clock(ts, known, longer, np.flatnonzero(within)[last])


def _panel(bars: pd.DataFrame, field: str, ts: Times, symbols: list[str]) -> Floats:
    """A column of bars as `(venue bar, symbol)`."""
    found = np.full((len(ts), len(symbols)), np.nan)
    moments = instants(bars["ts"])
    column = _columns(bars, symbols)
    row = np.searchsorted(ts, moments)
    kept = (column >= 0) & (row < len(ts))
    kept[kept] &= ts[row[kept]] == moments[kept]
    found[row[kept], column[kept]] = bars[field].to_numpy(dtype=np.float64)[kept]
    return found


def _columns(frame: pd.DataFrame, symbols: list[str]) -> Integers:
    """Place of each row's symbol, -1 for others."""
    return pd.Index(symbols).get_indexer(pd.Index(frame["symbol"]))


def _rows_of(
    fills: pd.DataFrame, clock: _Clock, prices: _Prices, symbols: list[str], *, waits: bool
) -> Integers:
    """Venue bar of each fill: the first of its longer bar that met the reference price.

    It met what lies between its extremes, or between them and the close before.

    waits : orders fill at the close of a longer bar; then a fill at this price is its last bar's.
    """
    found = np.empty(len(fills), dtype=np.intp)
    starts = clock.ts[np.searchsorted(clock.longer, np.arange(len(clock.last)))]
    bar = np.searchsorted(starts, instants(fills["ts"]), side="right") - 1
    column = _columns(fills, symbols)
    wanted = fills["reference_price"].to_numpy(dtype=np.float64)
    for i, (at, symbol, price) in enumerate(zip(bar, column, wanted, strict=True)):
        last = int(clock.last[at])
        rows = slice(int(np.searchsorted(clock.longer, at)), last + 1)
        close = prices.close[rows, symbol]
        traded = np.flatnonzero(~np.isnan(close))
        if waits and len(traded) and close[traded[-1]] == price:
            found[i] = last
            continue
        low, high = prices.low[rows, symbol][traded], prices.high[rows, symbol][traded]
        before = close[traded][:-1]  # prices jump from there
        low[1:], high[1:] = np.minimum(low[1:], before), np.maximum(high[1:], before)
        met = np.flatnonzero((low <= price) & (price <= high))
        found[i] = rows.start + traded[met[0]] if len(met) else last
    return found


def _ends(positions: pd.DataFrame, equity: pd.DataFrame, symbols: list[str]) -> Floats:
    """Signed quantities that are held at the window's end."""
    held = np.zeros(len(symbols))
    if len(positions):
        column = _columns(positions, symbols)
        share = positions["weight"].to_numpy(dtype=np.float64) / positions["mark_price"].to_numpy()
        np.add.at(held, column, share * equity["equity"].iloc[-1])
    return held


def _last_marks(positions: pd.DataFrame, symbols: list[str]) -> Floats:
    """Marks of what was held before the window, NaN of all else."""
    marks = np.full(len(symbols), np.nan)
    column = _columns(positions, symbols)
    marks[column] = positions["mark_price"].to_numpy(dtype=np.float64)
    return marks


def _marked(close: Floats, before: Floats) -> Floats:
    """Closes, in a gap the last one; 0 where there was none yet, and nobody can hold anything."""
    rows = np.vstack([before, close])
    last = np.maximum.accumulate(np.where(np.isnan(rows), 0, np.arange(len(rows))[:, None]), axis=0)
    return np.nan_to_num(np.take_along_axis(rows, last, axis=0)[1:])


def _account(
    name: str,
    clock: _Clock,
    equity: pd.DataFrame,
    traded: tuple[pd.DataFrame, Integers, Integers],
    held: Floats,
    marks: Floats,
) -> pd.DataFrame:
    """`Equity` of the strategy on the venue's bars.

    traded : fills, and the venue bar and the symbol of each. held : quantities at the end. marks :
    `(venue bar, symbol)`. What a longer bar's account has beyond trades and prices is in its last
    venue bar; a derivative that is closed inside of one has its profit in cash from its start on.
    """
    n = len(clock.ts)
    if n == 0:
        return Equity.empty()
    fills, row, column = traded
    amount = {key: fills[key].to_numpy(dtype=np.float64) for key in AMOUNTS}
    quantity, paid = amount["quantity"], amount["commission"] + amount["penalty"]
    linear = np.array([is_linear(str(symbol)) for symbol in fills["symbol"]], dtype=np.bool_)
    exchanged = quantity * amount["price"]

    def booked(values: Floats) -> Floats:
        return np.bincount(row, weights=values, minlength=n).astype(np.float64)

    worth = _positions(quantity, row, column, held, n) * marks
    value = worth.sum(axis=1) - np.cumsum(booked(exchanged + paid))
    spent = np.cumsum(booked(np.where(linear, 0.0, exchanged) + paid))
    own = {key: equity[key].to_numpy(dtype=np.float64)[clock.longer] for key in OWN}
    carry = own["funding"] + own["interest"] - own["borrow"]
    end = clock.last[clock.longer]
    ended, at_end = np.arange(n) >= end, np.arange(n) == end
    total = np.where(ended, own["equity"], own["equity"] - carry - value[end] + value)
    cash = np.where(ended, own["cash"], own["cash"] - carry + spent[end] - spent)
    first = equity.iloc[0]
    before = np.r_[first["equity"] / (1.0 + first["returns"]), total[:-1]]
    fees = np.maximum(booked(amount["commission"]), 0.0) + booked(amount["penalty"])
    fees += np.where(at_end, np.maximum(own["borrow"], 0.0), 0.0)
    slippage = np.maximum(booked(amount["slippage"]), 0.0)
    returns = total / before - 1.0
    return pd.DataFrame(
        {
            "ts": to_column(clock.ts),
            "available_at": to_column(clock.available_at),
            "entrant": pd.array([name] * n, dtype="str"),
            "cash": cash,
            "position_value": np.where(ended, own["position_value"], total - cash),
            "equity": total,
            "returns": returns,
            "gross_returns": returns + (fees + slippage) / before,
            "fees": fees,
            "slippage": slippage,
            "funding": np.where(at_end, own["funding"], 0.0),
            "turnover": booked(np.abs(quantity * amount["reference_price"])) / before,
        }
    )


def _positions(
    quantity: Floats, row: Integers, column: Integers, held: Floats, n_rows: int
) -> Floats:
    """Quantities `(venue bar, symbol)` at the close, from what is held at the end and the fills."""
    bought = np.zeros((n_rows, len(held)))
    np.add.at(bought, (row, column), quantity)
    begin = held - bought.sum(axis=0)
    size = np.abs(held) + np.abs(bought).sum(axis=0)
    begin[np.abs(begin) <= ROUNDING * size] = 0.0
    found: Floats = begin + np.cumsum(bought, axis=0)
    return found
