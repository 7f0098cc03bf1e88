"""Which funding settlement falls into which bar, and which symbols must have some."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.inputs import Integers, PriceGrid, Times, codes_of, utc_values
from quant_assets.quant.simulation.state import Events, Flags

LONGEST_INTERVAL = timedelta(hours=8)


def is_perpetual(symbol: str) -> bool:
    """Tell a ccxt perpetual (`BTC/USDT:USDT`): it settles in a currency and never expires."""
    _, colon, settlement = symbol.partition(":")
    return bool(colon) and "-" not in settlement


def is_inverse(symbol: str) -> bool:
    """Tell a contract that settles in its base (`BTC/USD:BTC`): its profit is not linear."""
    pair, colon, settlement = symbol.partition(":")
    return bool(colon) and settlement.partition("-")[0] == pair.partition("/")[0]


def is_linear(symbol: str) -> bool:
    """Tell a derivative that settles in its quote (`BTC/USDT:USDT`): profit = q (price - entry)."""
    return ":" in symbol and not is_inverse(symbol)


def settles_in(symbol: str) -> str:
    """Currency in which profits of a symbol come: `BTC` of `BTC/USD:BTC`, its quote of `BTC/USD`.

    "" for a ticker that does not tell it.
    """
    pair, _, settlement = symbol.partition(":")
    return settlement.partition("-")[0] or pair.partition("/")[2]


def refuse_inverse(symbols: tuple[str, ...]) -> None:
    """Raise `DataError` for contracts whose accounting the simulation does not have."""
    found = [symbol for symbol in symbols if is_inverse(symbol)]
    if found:
        raise DataError(
            f"inverse contracts cannot be simulated: {found}. Their profit is settled in the base "
            "currency; leave them out of the universe, or use the linear contracts"
        )


def funding_events(
    funding: pd.DataFrame, grid: PriceGrid, bar_length: timedelta
) -> tuple[Events, int]:
    """Find the bars of the settlements of `grid`'s perpetuals.

    A settlement at or before a bar's ts (and not inside the bar before) is due before that bar's
    open; at the exact end of the bar before, it is due on what was held before that bar's close
    fill; strictly inside a bar it is due between open and close. Those at or after the end of the
    last bar have no bar: they are left out, and their number is the second result.
    """
    if funding.empty:
        codes, numbers = np.empty(0, dtype=np.int64), np.empty(0)
        return Events(codes, codes, codes, numbers, numbers), 0
    perpetual = np.array([*map(is_perpetual, grid.symbols), False])  # the last: code -1
    symbol = codes_of(grid.symbols, funding["symbol"].tolist())
    rows = np.flatnonzero(perpetual[symbol])
    at, symbol = utc_values(funding["ts"])[rows], symbol[rows]
    after = np.searchsorted(grid.ts, at, side="left")
    length = np.timedelta64(bar_length)
    before_end = np.r_[grid.ts[:1] - length, grid.ts][after] + length
    inside = (after > 0) & (at < before_end) & ~_starts_bar(grid, at, after)
    due = np.where(inside, 2, np.where((after > 0) & (at == before_end), 0, 1))
    bar = np.where(inside, after - 1, after)
    known = bar < len(grid.ts)
    rates, marks = (
        funding[name].to_numpy(dtype=np.float64)[rows] for name in ("rate", "mark_price")
    )
    bars, dues, symbols = (values[known].astype(np.int64) for values in (bar, due, symbol))
    return Events(bars, dues, symbols, rates[known], marks[known]), int((~known).sum())


def _starts_bar(grid: PriceGrid, at: Times, after: Integers) -> Flags:
    starts: Flags = grid.ts[np.minimum(after, len(grid.ts) - 1)] == at
    return starts


def require_funding(
    funding: pd.DataFrame,
    symbols: tuple[str, ...],
    held_bars: Integers,
    bar_length: timedelta,
    span: tuple[datetime, datetime],
) -> None:
    """Raise `DataError` for a perpetual held for 8 hours or more of bars without any settlement.

    `held_bars` (symbol,): the most bars with a price at whose end one entrant held the symbol.
    """
    settled = set(funding["symbol"].tolist())
    missing = [
        symbol
        for symbol, bars in zip(symbols, held_bars.tolist(), strict=True)
        if is_perpetual(symbol) and symbol not in settled and bars * bar_length >= LONGEST_INTERVAL
    ]
    if missing:
        raise DataError(
            f"no funding for the held perpetuals {missing} in the window {span[0]:%Y-%m-%d} to "
            f"{span[1]:%Y-%m-%d}: ingest it, or set market.funding to assume_zero (it is stamped "
            "on the report)"
        )
