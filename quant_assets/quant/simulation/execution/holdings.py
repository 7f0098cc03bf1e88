"""What open positions are worth, and how much of the market they hold."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.simulation.execution.book import Book, Floats
from quant_assets.quant.simulation.execution.event_kernel.fields import (
    AVERAGE,
    DERIVATIVE,
    EQUITY,
    INVERSE,
    LEVEL,
    LEVEL_FX,
    MULTIPLIER,
    N_HELD,
    QUANTITY,
    T_ID,
)
from quant_assets.quant.simulation.execution.preparation import Preparation

__all__ = ["position_frame"]


def values_of(preparation: Preparation, book: Book, held: npt.NDArray[np.int64]) -> Floats:
    """Value of open positions at their levels, as the kernel marks them."""
    rows, instruments = book.symbols[held], preparation.market.instruments[held]
    scale = instruments[:, MULTIPLIER] * rows[:, LEVEL_FX]
    quantity, average, level = rows[:, QUANTITY], rows[:, AVERAGE], rows[:, LEVEL]
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = quantity * scale * (1.0 / average - 1.0 / level)
        linear = quantity * scale * (level - average)
    profit = np.where(instruments[:, INVERSE] != 0.0, inverse, linear)
    return np.where(instruments[:, DERIVATIVE] != 0.0, profit, quantity * scale * level)


def exposures_of(preparation: Preparation, book: Book, held: npt.NDArray[np.int64]) -> Floats:
    """Signed notional of open positions at their levels."""
    rows, instruments = book.symbols[held], preparation.market.instruments[held]
    level = np.where(instruments[:, INVERSE] != 0.0, 1.0 / rows[:, LEVEL], rows[:, LEVEL])
    return np.asarray(rows[:, QUANTITY] * instruments[:, MULTIPLIER] * rows[:, LEVEL_FX] * level)


def position_frame(preparation: Preparation, book: Book) -> pd.DataFrame:
    """One row per open position: trade, `mark_price`, `market_value`, `weight` of equity, `shares`.

    `shares` are the units that are held, which may be less than its trade has bought. At the last
    close; shorts have negative values. Cash and all values are the equity. The value of
    a derivative is its profit so far; its weight is its notional over equity. `weight` is NaN
    without equity.
    """
    held = book.held[: int(book.counters[N_HELD])]
    value, equity = values_of(preparation, book, held), float(book.account[EQUITY])
    exposure = exposures_of(preparation, book, held)
    return pd.DataFrame(
        {
            "trade": book.flags[held, T_ID],
            "mark_price": book.symbols[held, LEVEL],
            "market_value": value,
            "weight": exposure / equity if equity else np.full(len(held), np.nan),
            "shares": np.abs(book.symbols[held, QUANTITY]),
        }
    )
