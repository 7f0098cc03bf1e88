"""Where stops and targets stood, for the eye: of rules bar by bar, of orders as lines."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TARGET_FRACTION,
    TARGET_PRICE,
    TRAIL_FRACTION,
    TRAIL_PRICE,
    ExitTerms,
)
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.reporting.tables import records

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
STOPS = (STOP_FRACTION, STOP_PRICE, TRAIL_FRACTION, TRAIL_PRICE)
TRAILS = (TRAIL_FRACTION, TRAIL_PRICE)
TARGETS = (TARGET_FRACTION, TARGET_PRICE)
FRACTIONS = (STOP_FRACTION, TRAIL_FRACTION, TARGET_FRACTION)
MOST_ORDERS = 1000


def stop_paths(
    result: BacktestResult, trades: pd.DataFrame, column: int
) -> Iterator[tuple[Rows, Floats]]:
    """Rows of each trade of one symbol and the tightest stop of the rules that stood in them.

    Distances are those of the plan at the trade's decision; a trail follows the best price of the
    bars that were complete. Trades without a stop are left out; `order_lines` has the stops that a
    strategy places as orders of its own.
    """
    return _paths(result, trades, column, STOPS)


def target_paths(
    result: BacktestResult, trades: pd.DataFrame, column: int
) -> Iterator[tuple[Rows, Floats]]:
    """Rows of each trade of one symbol and the nearest target of the rules that stood in them."""
    return _paths(result, trades, column, TARGETS)


def _paths(
    result: BacktestResult, trades: pd.DataFrame, column: int, kinds: tuple[int, ...]
) -> Iterator[tuple[Rows, Floats]]:
    exits = result.preparation.plan.exits
    if exits is None or not np.isin(exits.kind, kinds).any():
        return
    bars = result.preparation.bars
    ts = pd.DatetimeIndex(bars.ts, tz="UTC")
    for row in records(trades):
        first = int(ts.searchsorted(row["entry_ts"]))
        last = len(ts) - 1 if pd.isna(row["exit_ts"]) else int(ts.searchsorted(row["exit_ts"]))
        rows = np.arange(first, last + 1)
        side = 1.0 if row["direction"] == "long" else -1.0
        prices = bars.high if side > 0 else bars.low
        place = (int(ts.searchsorted(row["decided_ts"])), column)
        entry, best = side * float(row["entry_price"]), side * prices[rows, column]
        if kinds is TARGETS:
            levels = _targets(exits, place, entry, len(rows))
        else:
            levels = _levels(exits, place, entry, best)
        if np.isfinite(levels).any():
            yield rows, side * levels


def _levels(exits: ExitTerms, place: tuple[int, int], entry: float, best: Floats) -> Floats:
    """The tightest stop in each row of a trade. All prices are times the trade's side.

    place : decision row and column. best : best price of each row; a trail sees the rows before.
    """
    seen = np.concatenate([[entry], np.fmax.accumulate(np.fmax(best, entry))[:-1]])
    tightest = np.full(len(best), np.nan)
    for kind, distance in _distances(exits, place, STOPS):
        base = seen if kind in TRAILS else np.full(len(best), entry)
        away = distance * np.abs(base) if kind in FRACTIONS else distance
        tightest = np.fmax(tightest, base - away)
    return tightest


def _targets(exits: ExitTerms, place: tuple[int, int], entry: float, n_rows: int) -> Floats:
    """The nearest target of a trade, the same in each of its rows; times the trade's side."""
    known = [
        entry + (distance * abs(entry) if kind in FRACTIONS else distance)
        for kind, distance in _distances(exits, place, TARGETS)
    ]
    return np.full(n_rows, min(known, default=np.nan))


def _distances(
    exits: ExitTerms, place: tuple[int, int], kinds: tuple[int, ...]
) -> Iterator[tuple[int, float]]:
    """Kind and distance of the exits of these kinds that hold for a decision."""
    decided, column = place
    for kind, level in zip(exits.kind.tolist(), exits.level, strict=True):
        distance = float(level[decided if len(level) > 1 else 0, column])
        if kind in kinds and np.isfinite(distance):
            yield kind, distance


def order_lines(result: BacktestResult, symbol: str) -> pd.DataFrame:
    """Priced orders of one symbol that the strategy placed: where each stood, from when to when.

    Columns `what` (`stop`, `target` of a bracket; `stop order`, `limit order`), `first`, `last`
    (times of bars), `price`; the newest 1,000. A bracket stands from the bar of its entry on,
    another order from its decision. Of a trailing order only its last level is known, which stood
    from the bar after the best price on. A stop-limit order stands at its stop.
    """
    orders = result.orders
    mine = orders[(orders["symbol"] == symbol) & (orders["kind"] != "market")]
    bracket = mine["group"] < 0
    mine = mine[bracket | (mine["reason"] == "order")]
    price = mine["stop"].fillna(mine["limit"])
    mine = mine.assign(price=price)[price.notna()].tail(MOST_ORDERS)
    ends = pd.Timestamp(result.equity.index[-1])
    is_limit = (mine["kind"] == "limit").to_numpy()
    words = np.where(
        mine["group"] < 0,
        np.where(is_limit, "target", "stop"),
        np.where(is_limit, "limit order", "stop order"),
    )
    lines = pd.DataFrame(
        {
            "what": words,
            "first": mine["decided_ts"].array,
            "last": mine["finished_ts"].fillna(ends).array,
            "price": mine["price"].to_numpy(),
        }
    )
    trails = np.flatnonzero((mine["kind"] == "trailing_stop").to_numpy())
    column = result.preparation.bars.symbols.index(symbol)
    for at in trails.tolist():
        sells = float(mine["quantity"].iloc[at]) < 0
        lines.loc[at, "first"] = _last_ratchet(result, column, lines.iloc[at], sells=sells)
    return lines


def _last_ratchet(
    result: BacktestResult, column: int, line: pd.Series, *, sells: bool
) -> pd.Timestamp:
    """The bar from which a trailing order stood where it ended: after its best price."""
    bars = result.preparation.bars
    ts = pd.DatetimeIndex(bars.ts, tz="UTC")
    first, last = (int(ts.searchsorted(line[name])) for name in ("first", "last"))
    seen = bars.high[first:last, column] if sells else -bars.low[first:last, column]
    if not np.isfinite(seen).any():
        return ts[first]
    return ts[first + int(np.nanargmax(seen)) + 1]
