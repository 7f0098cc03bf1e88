"""Accounts of one symbol each: tiles of symbols whose bars are copied when somebody reads them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.bars import sealed
from quant_assets.quant.simulation.execution.preparation import one_type
from quant_assets.quant.simulation.execution.terms import (
    ENTER_LONG,
    ENTER_SHORT,
    ExecutionTerms,
)
from quant_assets.quant.simulation.lean.terms import (
    IsolatedBook,
    LeanBars,
    LeanDecisions,
    LeanOrders,
    LeanRates,
)

__all__ = ["columns_of", "terms_of_columns"]

_kernel = Deferred("quant_assets.quant.simulation.lean.account_kernel")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
N_VALUES, N_CODES = 7, 5  # of the kernel's state
CASH, POSITION, LEVEL = 0, 1, 2  # among the values
WORKING_ARRAYS = 9  # that a strategy is taken to hold at once, for tiles of symbols
EVEN = 8  # symbols: a row of them fills lines of the cache


def empty_log(signal: Codes) -> tuple[Integers, Floats]:
    """Room for an entry and an exit of each signal that enters."""
    entries = np.count_nonzero(signal & (ENTER_LONG | ENTER_SHORT))
    return np.empty((2 * entries, 3), dtype=np.int64), np.empty((2 * entries, 3))


class IsolatedWalk:
    """Orders and equity `(time, symbol)` of accounts that are walked a few columns at a time."""

    def __init__(self, bars: BarPanel, rates: LeanRates, capital: float) -> None:
        self.prices = LeanBars(*(one_type(bars[name]) for name in FIELDS))
        self.rates, self.capital = rates, capital
        self.equity = np.empty(bars.close.shape)
        self._logs: list[tuple[Integers, Floats]] = []

    def walk(self, decisions: LeanDecisions, first: int = 0) -> bool:
        """Walk the columns from `first` on that the decisions have; False: an account is ruined."""
        n = decisions.signal.shape[1]
        places, fills = empty_log(decisions.signal)
        values, count = np.full((n, N_VALUES), np.nan), np.zeros(1, dtype=np.int64)
        values[:, [CASH, POSITION, LEVEL]] = self.capital, 0.0, 0.0
        codes = np.zeros((n, N_CODES), dtype=np.int64)
        book = IsolatedBook(values, codes, places, fills, count, self.equity)
        status = _kernel.walk(self.prices, decisions, self.rates, book, first)
        self._logs.append((places[: count[0]], fills[: count[0]]))
        return bool(status == _kernel.FINE)

    def orders(self) -> LeanOrders:
        """All orders by bar, those of one bar by symbol."""
        several = len(self._logs) > 1
        places, fills = (
            np.concatenate(parts) if several else parts[0]
            for parts in zip(*self._logs, strict=True)
        )
        found = np.empty((3, len(places)), dtype=np.int64), np.empty((3, len(places)))
        starts = np.zeros(len(self.equity) + 1, dtype=np.int64)
        _kernel.by_time(places, fills, starts, found)
        return LeanOrders(*found[0], *found[1])


def tiles_of(bars: BarPanel, budget_mb: float) -> Iterator[slice]:
    """Tiles of symbols on which a strategy's arrays take about `budget_mb`."""
    n_bars, n_symbols = bars.close.shape
    width = max(1, int(budget_mb * 2**20 / (8 * WORKING_ARRAYS * max(1, n_bars))))
    if EVEN < width < n_symbols:
        width -= width % EVEN
    for first in range(0, n_symbols, width):
        yield slice(first, min(first + width, n_symbols))


class _Tile(BarPanel):
    """Columns of a panel, each field copied when it is first read."""

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        values = sealed(self.__dict__["whole"][name][:, self.__dict__["tile"]])
        self.__dict__[name] = values
        return values


def columns_of(bars: BarPanel, tile: slice) -> BarPanel:
    """The bars of a tile of symbols; they have been checked as a part of the whole."""
    part = object.__new__(_Tile)
    known = {name: value for name, value in vars(bars).items() if name not in FIELDS}
    extras = {name: sealed(values[:, tile]) for name, values in bars.extras.items()}
    part.__dict__.update(known, symbols=bars.symbols[tile], extras=extras, whole=bars, tile=tile)
    return part


def terms_of_columns(terms: ExecutionTerms, tile: slice) -> ExecutionTerms:
    """Terms of a tile of symbols."""
    it, margin, carry = terms.instruments, terms.margin, terms.carry
    return terms._replace(
        instruments=it._replace(
            **{name: getattr(it, name)[..., tile] for name in it._fields},
        ),
        margin=margin._replace(
            tier_notional=margin.tier_notional[tile],
            tier_rate=margin.tier_rate[tile],
            tier_deduction=margin.tier_deduction[tile],
            inverse=margin.inverse[tile],
            linear=margin.linear[tile],
        ),
        carry=carry._replace(borrow=carry.borrow[tile]),
    )
