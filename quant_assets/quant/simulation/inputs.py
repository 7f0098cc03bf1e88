"""From long frames to the arrays that the kernel runs on: prices, funding, accounts."""

from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Times = npt.NDArray[np.datetime64]
MICROSECOND_TIMES = "datetime64[us]"


@dataclass(frozen=True)
class PriceGrid:
    """Opens and closes, (time, symbol), NaN in gaps, on the union of all bars' `ts`.

    `untraded` marks bars without a trade (volume 0): their prices value holdings, but nobody could
    have bought or sold at them. Where a venue has no volume (NaN), every bar counts as traded.
    `available_at` is the latest of each bar time. `symbols` are sorted; without a bar they are NaN.
    """

    ts: Times
    available_at: Times
    symbols: tuple[str, ...]
    opens: Floats
    closes: Floats
    untraded: npt.NDArray[np.bool_]

    def fill_prices(self, *, at_open: bool) -> Floats:
        """Prices at which orders fill, NaN where none does."""
        return np.where(self.untraded, np.nan, self.opens if at_open else self.closes)


@dataclass(frozen=True)
class OpenAccounts:
    """State before the first bar: entrants sorted; arrays (entrant,) and (entrant, symbol).

    `start_mark` is the last known close per symbol, NaN where nobody held it.
    """

    entrants: tuple[str, ...]
    cash: Floats
    quantity: Floats
    average: Floats
    weight: Floats
    start_mark: Floats

    def equity(self) -> Floats:
        """Equity per entrant at the last marks."""
        marks = np.where(np.isnan(self.start_mark), 0.0, self.start_mark)
        equity: Floats = self.cash + (self.quantity * marks).sum(axis=1)
        return equity


def utc_values(column: pd.Series) -> Times:
    """Naive UTC microseconds of a timestamp column."""
    return column.to_numpy(dtype=MICROSECOND_TIMES)


def codes_of(names: tuple[str, ...], values: list[str]) -> Integers:
    """Position of each value in `names`, -1 where it is not among them."""
    position = {name: code for code, name in enumerate(names)}
    return np.fromiter(map(position.get, values, repeat(-1)), np.intp, len(values))


def price_grid(bars: pd.DataFrame, symbols: tuple[str, ...]) -> PriceGrid:
    """Build the grid of `bars` (sorted by ts and symbol, not empty) for the given symbols."""
    ts = utc_values(bars["ts"])
    starts = np.flatnonzero(np.r_[True, ts[1:] != ts[:-1]])
    rows = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(ts)]))
    columns = codes_of(symbols, bars["symbol"].tolist())
    wanted = columns >= 0
    grids = []
    for name in ("open", "close", "volume"):
        grid = np.full((len(starts), len(symbols)), np.nan)
        grid[rows[wanted], columns[wanted]] = bars[name].to_numpy(dtype=np.float64)[wanted]
        grids.append(grid)
    available = np.maximum.reduceat(utc_values(bars["available_at"]), starts)
    return PriceGrid(ts[starts], available, symbols, grids[0], grids[1], grids[2] == 0.0)


def _carry_forward(values: Floats) -> Floats:
    """Each column's last known value (last mark); NaN before the first."""
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(rows, axis=0)
    carried: Floats = np.take_along_axis(values, last, axis=0)
    return carried


def known_marks(grid: PriceGrid, start_mark: Floats) -> Floats:
    """Last known closes, (time + 1, symbol): row t is known before bar t, row t + 1 after it.

    A symbol that never had a close is valued at its last open, if it has one.
    """
    closes = _carry_forward(np.vstack([start_mark, grid.closes]))
    if not np.isnan(closes[1:]).any():
        return closes
    opens = _carry_forward(np.vstack([np.full_like(start_mark, np.nan), grid.opens]))
    return np.where(np.isnan(closes), opens, closes)


def open_accounts(
    portfolio_weights: pd.DataFrame, holdings: pd.DataFrame, initial_equity: float
) -> tuple[OpenAccounts, tuple[str, ...]]:
    """Accounts of the entrants in `portfolio_weights`, and the sorted symbols they concern.

    Entrants without holdings start with `initial_equity` in cash; holdings of others are left out.
    """
    owners, wanted = (portfolio_weights[name].tolist() for name in ("entrant", "symbol"))
    held = holdings["symbol"].tolist()
    entrants = tuple(sorted(set(owners)))
    owner = codes_of(entrants, holdings["entrant"].tolist())
    is_cash = codes_of(("cash",), holdings["kind"].tolist()) == 0
    known = owner >= 0
    money, positions = np.flatnonzero(is_cash & known), np.flatnonzero(~is_cash & known)
    _require_cash(entrants, owner[money], owner[positions])
    symbols = tuple(sorted({*wanted, *(held[row] for row in positions.tolist())}))
    shape = (len(entrants), len(symbols))
    amounts, averages, marks = (
        holdings[name].to_numpy(dtype=np.float64)
        for name in ("quantity", "average_price", "mark_price")
    )
    cash = np.full(len(entrants), initial_equity)
    cash[owner[money]] = amounts[money]
    symbol = codes_of(symbols, held)[positions]
    quantity, average, mark = np.zeros(shape), np.zeros(shape), np.full(len(symbols), np.nan)
    quantity[owner[positions], symbol] = amounts[positions]
    average[owner[positions], symbol] = averages[positions]
    mark[symbol] = marks[positions]
    weight = np.zeros(shape)
    weights = portfolio_weights["weight"].to_numpy(dtype=np.float64)
    weight[codes_of(entrants, owners), codes_of(symbols, wanted)] = weights
    return OpenAccounts(entrants, cash, quantity, average, weight, mark), symbols


def _require_cash(entrants: tuple[str, ...], money: Integers, positions: Integers) -> None:
    orphans = [entrants[code] for code in sorted(set(positions.tolist()) - set(money.tolist()))]
    if orphans:
        raise DataError(
            f"final_holdings has positions but no cash row for the entrants {orphans}; "
            "materialize the previous window's final_holdings again"
        )
