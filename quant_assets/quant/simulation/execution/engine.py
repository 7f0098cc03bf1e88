"""Advances a book over bars: grows its logs when they fill up, names what went wrong and where."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.core.lazy import Deferred
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.book import Book
from quant_assets.quant.simulation.execution.clocks import calendar_days
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    BAR,
    EQUITY,
    EXPECTED,
    FINE,
    GROW,
    UNBALANCED,
)
from quant_assets.quant.simulation.execution.preparation import (
    Preparation,
    new_book,
    prepare,
)
from quant_assets.quant.strategies.signals import Signals

__all__ = ["advance"]

_kernel = Deferred("quant_assets.quant.simulation.execution.event_kernel.loop")

LOGS = {"fills": 4, "order_log": 5, "trades": 6, "vetoes": 7}  # -> their counter
STEPS = 20  # of progress


def advance(
    preparation: Preparation,
    book: Book,
    last: int | None = None,
    *,
    address: int = 0,
    on_growth: Callable[[Book], None] | None = None,
) -> tuple[Book, bool]:
    """The book after bar `last` (exclusive; None: all); False when the caller's function stopped.

    Going on from a book that stands at some bar gives the same as one call. A book that does not
    balance is a `DataError` that names the bar; with finite prices it cannot happen.
    """
    market = preparation.market
    last = len(preparation.bars) if last is None else last
    while True:
        status = _kernel.run(market, book, last, address)
        if status == FINE:
            return book, True
        if status == GROW:
            book = _longer(book)
            if on_growth is not None:
                on_growth(book)
            continue
        if status == UNBALANCED:
            bar = int(book.counters[BAR]) - 1
            found, expected = book.account[EQUITY], book.account[EXPECTED]
            raise DataError(
                f"the books of bar {bar} ({preparation.bars.ts[bar]}) do not balance: balances "
                f"say {found!r}, profit and loss {expected!r}. Look for infinite prices or costs"
            )
        return book, False


def advance_all(
    preparation: Preparation,
    book: Book,
    progress: Callable[[float], None] | None,
    *,
    address: int = 0,
    on_growth: Callable[[Book], None] | None = None,
) -> tuple[Book, bool]:
    """The book after all bars; `progress` is told the share that is done, every 5 %."""
    start, n, finished = int(book.counters[BAR]), len(preparation.bars), True
    stops = [n]
    if progress is not None:
        stops = sorted({start + -(-(n - start) * step // STEPS) for step in range(1, STEPS + 1)})
    for stop in stops:
        book, finished = advance(preparation, book, stop, address=address, on_growth=on_growth)
        if not finished:
            break
        if progress is not None:
            progress((stop - start) / (n - start))
    return book, finished


def begun(preparation: Preparation, run: Mapping[str, Any]) -> Preparation:
    """The same preparation, whose first bar accrues what the run has lived through before it.

    That is the time since the last bar of the window before, whether these bars reach back to it or
    not; nothing for a new account. Days that are not those of the calendar stay as they were given.
    """
    days, first = preparation.market.days, run["first_bar"]
    ts, carried = preparation.bars.ts, run["carried_from"]
    if not days.size or days[first] != calendar_days(ts[max(first - 1, 0) : first + 1])[-1]:
        return preparation
    lived = 0.0
    if carried is not None:
        lived = calendar_days(np.array([carried.last_ts, ts[first]], dtype=ts.dtype))[1]
    own = days.copy()
    own[first] = lived
    return replace(preparation, market=preparation.market._replace(days=own))


def first_book(preparation: Preparation, run: Mapping[str, Any]) -> Book:
    """The book that a run begins with: new, or carried on from the window before."""
    if run["carried_from"] is not None:
        found: Book = run["carried_from"].book(preparation, run["first_bar"])
        return found
    book = new_book(preparation.market, run["initial_capital"])
    book.counters[BAR] = run["first_bar"]
    return book


def _longer(book: Book) -> Book:
    """The same book with room for twice as much in its logs and its order book."""
    longer: dict[str, npt.NDArray[Any]] = {
        name: _doubled(getattr(book, name)) for name in (*LOGS, "orders", "codes")
    }
    return book._replace(**longer, scratch=np.zeros(len(longer["orders"]), dtype=np.int64))


def _doubled(log: npt.NDArray[Any]) -> npt.NDArray[Any]:
    grown = np.empty((2 * len(log), log.shape[1]), dtype=log.dtype)
    grown[: len(log)] = log
    return grown


def warm_up() -> None:
    """Compile the event loop: two bars of one symbol without decisions."""
    ts = np.datetime64("2024-01-01", "us") + np.arange(2) * np.timedelta64(1, "D")
    bars = BarPanel.from_arrays(ts, ["A"], timedelta(days=1), close=np.ones(2))
    nothing = Signals(entry_long=np.zeros((2, 1), dtype=np.bool_))
    preparation = prepare(bars, frictionless(bars), signals=nothing)
    advance(preparation, new_book(preparation.market, 1.0))
