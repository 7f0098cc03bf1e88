"""What goes into the kernel and comes out of it: named tuples of arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Orders = npt.NDArray[np.int8]

FINE, RUINED, UNAFFORDABLE, UNBALANCED = 0, 1, 2, 3  # how a run ended
IDENTITY_TOLERANCE = 1e-9

_BALANCES = ("cash", "position_value", "equity", "returns", "gross_returns")
_ORDER = ("bar", "entrant", "symbol", "quantity", "reference_price", "price", "fee", "slippage")
BOOK_FIELDS = (*_BALANCES, "fees", "slippage", "funding", "turnover")
FILL_FIELDS = (*_ORDER, "closed", "entry_price", "pnl", "closing_fee")


class Rules(NamedTuple):
    """Costs per side as fractions, lot size (0: fractional), interest per bar, fill time."""

    fee_rate: float
    slippage_rate: float
    lot_size: float
    interest: float
    at_open: bool
    first_bar: int


class Prices(NamedTuple):
    """`fill` and `close` are (time, symbol); `mark` is (time + 1, symbol), row t known before t."""

    fill: Floats
    close: Floats
    mark: Floats


class Events(NamedTuple):
    """Funding settlements in time order: bar, `DUE_*`, symbol, rate, mark (NaN: last close)."""

    bar: Integers
    due: Integers
    symbol: Integers
    rate: Floats
    mark: Floats


class Accounts(NamedTuple):
    """One row per entrant; `quantity`, `average` and `weight` are (entrant, symbol).

    The kernel changes `cash`, `quantity` and `average` in place. `held_bars` counts the bars with a
    close at whose end the symbol was held; `pending` is 0 for a done order, 1 for one
    that found no price, 2 for the remainder of a limited purchase.
    """

    cash: Floats
    quantity: Floats
    average: Floats
    weight: Floats
    held_bars: Integers
    pending: Orders


class Outcome(NamedTuple):
    """Status with its place and numbers, the books (field, time, entrant), and the fills."""

    status: int
    entrant: int
    bar: int
    found: float
    expected: float
    book: Floats
    fills: Floats
