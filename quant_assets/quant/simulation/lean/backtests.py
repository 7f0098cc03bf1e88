"""The lean kernel behind `backtest`: equity at once, the other logs when somebody asks for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import FIELDS
from quant_assets.quant.simulation.execution.book import Book, Floats
from quant_assets.quant.simulation.execution.engine import advance_all, first_book
from quant_assets.quant.simulation.execution.preparation import Preparation
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.lean.account import (
    DEFAULT_ACCOUNTS,
    fractions_of,
    lean_rates,
    walk_shared,
)
from quant_assets.quant.simulation.lean.suitability import obstacles
from quant_assets.quant.simulation.lean.terms import LeanBars, LeanDecisions, LeanOrders
from quant_assets.quant.strategies.signals import Signals

__all__ = ["LeanBacktestResult"]

SIZE_UNIT, WARM_UP = 5, 6  # among the switches
ENTRY = 0
EQUITY_FIELD = 1


@dataclass(frozen=True, kw_only=True, repr=False)
class LeanBacktestResult(BacktestResult):
    """A backtest of which the lean kernel made the orders and the equity.

    The book with all logs is made by the event kernel when it is first asked for: by `orders`,
    `fills`, `trades`, `equity` and what is made of them. It has the same equity, bit for bit; a
    `DataError` says when bars or decisions were written to in between.
    """

    kernel: ClassVar[str] = "lean"
    book: Book = field(init=False, repr=False)
    filled: LeanOrders = field(repr=False)
    closes: Floats = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        """The book, the first time that it is needed."""
        if name != "book":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        run = {name: getattr(self, name) for name in ("carried_from", "first_bar")}
        run["initial_capital"] = self.initial_capital
        book, _ = advance_all(self.preparation, first_book(self.preparation, run), None)
        made = book.rows[self.first_bar :, EQUITY_FIELD]
        if not np.array_equal(made, self.equity_values):
            raise DataError(
                "the bars or the strategy's arrays were written to after the backtest: its trades "
                "cannot be told any more. Run it again, and give it arrays that stay as they are"
            )
        object.__setattr__(self, "book", book)
        return book

    @property
    def last_bar(self) -> int:
        """See the base class."""
        return len(self.preparation.bars)

    @property
    def n_trades(self) -> int:
        """See the base class."""
        return int(np.count_nonzero(self.filled.reason != ENTRY))

    @property
    def final_equity(self) -> float:
        """See the base class."""
        return float(self.closes[-1])

    @property
    def equity_values(self) -> Floats:
        """See the base class."""
        return self.closes[self.first_bar :]


def lean_backtest(
    preparation: Preparation,
    signals: Signals,
    common: dict[str, Any],
    progress: Callable[[float], None] | None,
) -> LeanBacktestResult | None:
    """The run by the lean kernel; None where it takes the event kernel."""
    market, plan, terms = preparation.market, preparation.plan, preparation.terms
    known = "symbols that are not sorted"  # the preparation has sorted them
    found = obstacles(preparation.bars, signals, plan, terms)
    if common["carried_from"] is not None or set(found) - {known}:
        return None
    decisions = LeanDecisions(
        market.signal,
        market.size,
        int(market.switches[SIZE_UNIT]),
        fractions_of(market.exit_kind, market.exit_level),
        int(market.switches[WARM_UP]),
    )
    made = walk_shared(
        LeanBars(*(getattr(market, name) for name in FIELDS)),
        decisions,
        lean_rates(terms, DEFAULT_ACCOUNTS),
        common["initial_capital"],
        first=common["first_bar"],
        progress=progress,
    )
    if made is None:
        return None
    filled, closes = made[0], made[1][:, 0]
    if not np.isfinite(closes[common["first_bar"] :].sum()):
        return None  # no books balance with such prices: the event kernel says which
    return LeanBacktestResult(preparation=preparation, filled=filled, closes=closes, **common)
