"""What a backtest gives back: arrays that are kept, frames that are made when asked for."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.annualisation import check_annualisation
from quant_assets.quant.analytics.table import performance_table
from quant_assets.quant.market.panel_doubts import panel_doubts
from quant_assets.quant.simulation.execution import earnings, holdings, ledger
from quant_assets.quant.simulation.execution.book import Book, Floats
from quant_assets.quant.simulation.execution.carried import Carried
from quant_assets.quant.simulation.execution.event_kernel import fields
from quant_assets.quant.simulation.execution.preparation import Preparation

__all__ = ["BacktestResult"]


@dataclass(frozen=True, kw_only=True)
class BacktestResult:
    """Trades, orders, fills and equity of one run.

    initial_capital : equity before the first bar. periods_per_year : of the bars, for figures.
    assumptions : what must be said beside the numbers. tags : of orders, by code from 1 on.
    first_bar : of the bars, the first that was run. carried_from : the account that it went on
        with, or None. kernel : what ran, `events` or `lean`; both give the same, and the same hash.
    """

    kernel: ClassVar[str] = "events"

    preparation: Preparation
    book: Book
    initial_capital: float
    periods_per_year: float
    form: str
    first_bar: int = 0
    carried_from: Carried | None = field(default=None, repr=False)
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    benchmark: Floats | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return (
            f"BacktestResult({self.n_trades} trades of {len(self.preparation.symbols)} symbols in "
            f"{self.n_bars} bars, equity {self.initial_capital:g} -> {self.final_equity:.2f})"
        )

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """What the bars hide: gaps, ends, steps like splits; see `market.panel_doubts`."""
        warm_up = int(self.preparation.market.switches[fields.WARM_UP])
        first = self.first_bar if self.carried_from is None else 0
        return panel_doubts(self.preparation.bars, warm_up, first)

    @property
    def n_bars(self) -> int:
        """Bars that were run."""
        return self.last_bar - self.first_bar

    @property
    def last_bar(self) -> int:
        """Of the bars, the first that was not run."""
        return int(self.book.counters[0])

    @property
    def n_trades(self) -> int:
        """Closed trades."""
        return int(self.book.counters[fields.N_TRADES])

    @property
    def final_equity(self) -> float:
        """Equity at the last close."""
        return float(self.book.rows[self.last_bar - 1, 1])

    @property
    def total_return(self) -> float:
        """Final equity over initial capital, less 1."""
        return self.final_equity / self.initial_capital - 1.0

    @property
    def equity_values(self) -> Floats:
        """Equity at each close, shape (time,), without a frame."""
        return self.book.rows[self.first_bar : self.last_bar, 1]

    @cached_property
    def orders(self) -> pd.DataFrame:
        """See `ledger.order_frame`."""
        return ledger.order_frame(self.preparation, self.book, self.tags)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """See `ledger.fill_frame`."""
        return ledger.fill_frame(self.preparation, self.book)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """See `ledger.trade_frame`; a trade of a window before shows its own entry."""
        trades = ledger.trade_frame(self.preparation, self.book, self.tags)
        before = self.carried_from
        return trades if before is None else ledger.carried_on(trades, before.open_trades)

    @cached_property
    def positions(self) -> pd.DataFrame:
        """See `holdings.position_frame`."""
        return holdings.position_frame(self.preparation, self.book)

    @cached_property
    def equity(self) -> pd.DataFrame:
        """See `ledger.equity_frame`."""
        return ledger.equity_frame(
            self.preparation,
            self.book,
            self.initial_capital,
            first=self.first_bar,
            highest=self._highest_before,
        )

    @property
    def _highest_before(self) -> float:
        """Highest equity before the first bar."""
        before = 0.0 if self.carried_from is None else self.carried_from.highest
        return max(before, self.initial_capital)

    @cached_property
    def vetoes(self) -> pd.DataFrame:
        """See `ledger.veto_frame`."""
        return ledger.veto_frame(self.preparation, self.book)

    @cached_property
    def by_symbol(self) -> pd.DataFrame:
        """See `earnings.symbol_frame`."""
        return earnings.symbol_frame(self.trades, self.preparation.symbols)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """See `earnings.cost_frame`."""
        return earnings.cost_frame(self.equity, self.initial_capital)

    @cached_property
    def metrics(self) -> pd.Series:
        """Figures of the returns, as `analytics.performance_table` names them.

        `periods_per_year` is judged by the bars of the run, those of windows before included. The
        table ends with a total loss; an account may owe more, and its `total_return` says so.
        """
        benchmark, ts = self.benchmark, self.preparation.bars.ts
        begin = self.first_bar if self.carried_from is None else 0
        times = pd.DatetimeIndex(ts[begin : self.last_bar], tz="UTC")
        check_annualisation(times, self.periods_per_year)
        if benchmark is not None and len(benchmark) == len(ts):
            benchmark = benchmark[self.first_bar : self.last_bar]
        table = performance_table(
            earnings.returns_of(self.equity_values, self.initial_capital),
            periods_per_year=self.periods_per_year,
            benchmark=benchmark,
            ts=times if begin == self.first_bar else None,
        )
        if self.total_return < -1.0:
            table["total_return"] = self.total_return
        return table.iloc[0].rename("value")

    def carried(self) -> Carried:
        """The account at the end, for the run over the next window."""
        trades = self.trades[self.trades["exit_reason"] == "open"]
        highest = max(self._highest_before, float(self.equity_values.max()))
        names = {"tags": self.tags, "groups": self.groups, "highest": highest}
        return Carried.of(self.preparation, self.book, trades, **names)

    def hash(self) -> str:
        """SHA-256 of equity, fills, orders and trades: the same run, the same text."""
        counters = self.book.counters
        parts: list[Any] = [
            self.book.rows[self.first_bar : self.last_bar],
            self.book.fills[: counters[fields.N_FILLS]],
            self.book.order_log[: counters[fields.N_ORDERS]],
            self.book.trades[: counters[fields.N_TRADES]],
            self.book.vetoes[: counters[fields.N_VETOES]],
        ]
        found = hashlib.sha256("\n".join((*self.preparation.symbols, *self.tags)).encode())
        for part in parts:
            plain = np.ascontiguousarray(part)
            found.update(str(plain.shape).encode())
            found.update(np.where(np.isnan(plain), np.nan, plain).tobytes())
        return found.hexdigest()
