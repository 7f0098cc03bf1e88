"""What the lean kernel is told."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError

__all__ = [
    "Accounts",
    "CrossingTerms",
    "LeanDecisions",
    "LeanOrders",
    "LeanRates",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """One cash account for all symbols (`shared`), or one for each (`isolated`).

    Each starts with `initial_capital`. `rest`: bars, from that of the entry on, in which no
    protective exit is live; 0: they live inside the entry bar, as in the event kernel.
    """

    initial_capital: float = 100_000.0
    kind: Literal["shared", "isolated"] = "shared"
    rest: int = 0

    def __post_init__(self) -> None:
        if self.kind not in {"shared", "isolated"}:
            raise ConfigError(f"accounts are {self.kind!r}; they must be 'shared' or 'isolated'")
        if not self.initial_capital > 0.0 or self.rest < 0:
            raise ConfigError(
                f"initial_capital {self.initial_capital} must be above 0, rest {self.rest} not less"
            )

    @property
    def shared(self) -> bool:
        """Whether all symbols trade from one account."""
        return self.kind == "shared"


class LeanBars(NamedTuple):
    """Prices and volumes `(time, symbol)` in C order."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class LeanDecisions(NamedTuple):
    """Signals `(time, symbol)` as bits, and what each entry reads on its decision bar.

    `size` `(time or 1, symbol)` in `size_unit`. `exits` `(3, time or 1, symbol)`: stop, trail and
    target as fractions of the fill price, NaN: none; `(3, 0, 0)`: none at all.
    """

    signal: Codes
    size: Floats
    size_unit: int
    exits: Floats
    warm_up: int


class LeanRates(NamedTuple):
    """Rates of notional, gross notional per unit of equity, and how the account is kept.

    `taker` is paid by market and stop fills, `maker` by targets. `rest`: bars from the entry on in
    which no exit is live (0: exits live inside the entry bar). `shared`: one cash account for all
    symbols, else one for each. `time_to_live`: bars after its first for which an entry waits.
    """

    taker: float
    maker: float
    slippage: float
    leverage: float
    rest: int
    shared: bool
    time_to_live: int


class LeanOrders(NamedTuple):
    """Filled orders `(order,)` in order of time: bar of the fill, column, signed units, price, fee.

    `reason` as the event kernel numbers them (`execution.book.REASONS`). The price holds the
    slippage, not the fee.
    """

    bar: Integers
    symbol: Integers
    reason: Integers
    quantity: Floats
    price: Floats
    fee: Floats


class IsolatedBook(NamedTuple):
    """An account for each symbol under way; `account_kernel` names the fields, and changes them.

    values, codes : `(symbol, field)` of the columns that are walked. places, fills : the log, as
    columns of `LeanOrders`, block by block; `rows` (1,) counts them. equity : `(time, symbol)` of
    all symbols.
    """

    values: Floats
    codes: Integers
    places: Integers
    fills: Floats
    rows: Integers
    equity: Floats


class SharedBook(NamedTuple):
    """One account under way; `shared_kernel` names the fields of these arrays, and changes them.

    values, codes : `(field, symbol)`. held : symbols with a position, in the order of the event
    kernel. queue : orders that wait. places, fills : the log, as columns of `LeanOrders`.
    equity : `(time, 1)`.
    """

    money: Floats
    counts: Integers
    values: Floats
    codes: Integers
    held: Integers
    queue: Integers
    places: Integers
    fills: Floats
    equity: Floats


class CrossingTerms(NamedTuple):
    """Numbers of a sweep over crossings; `measured`: returns and drawdowns too, not equity alone.

    `taker` and `slippage` are rates; `capital` is that of each account. `time_to_live` as above.
    """

    size_unit: int
    warm_up: int
    short: bool
    taker: float
    slippage: float
    leverage: float
    capital: float
    measured: bool
    time_to_live: int
