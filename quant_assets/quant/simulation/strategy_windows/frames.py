"""One window of a run as frames of the contracts: what happened on its bars."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.quant.simulation.execution import ledger
from quant_assets.quant.simulation.execution.book import Book
from quant_assets.quant.simulation.execution.preparation import Preparation
from quant_assets.quant.simulation.strategy_windows.carrying import (
    EARLIER_TRADES,
    N_TRADES,
    N_VETOES,
)
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import FLAGS, Signals

Columns = dict[str, Any]
UNITS = ("units", "notional", "equity_fraction", "risk_fraction")
VALUES = ("target", "limit", "stop", "strength")
TRADE_COLUMNS = {
    "trade": "trade_id",
    "commission": "commission_cost",
    "slippage": "slippage_cost",
    "borrow": "borrowing_cost",
    "days_held": "hold_days",
}
STRINGS = (
    "symbol",
    "direction",
    "entry_signal",
    "exit_reason",
    "regime_at_entry",
    "kind",
    "reason",
)


@dataclass(frozen=True)
class Ran:
    """A run up to the end of a window that begins at bar `first`."""

    strategy: str
    preparation: Preparation
    book: Book
    first: int
    capital: float

    @property
    def n_vetoes(self) -> int:
        """Decisions that a rule refused or cut."""
        return int(self.book.counters[N_VETOES])

    def equity(self) -> pd.DataFrame:
        """`StrategyEquity`: the window's bars."""
        frame = ledger.equity_frame(self.preparation, self.book, self.capital)
        frame = frame.iloc[self.first :].reset_index()
        return self._stamped(frame, frame["ts"], StrategyEquity)

    def fills(self) -> pd.DataFrame:
        """`StrategyFills`."""
        frame = ledger.fill_frame(self.preparation, self.book)
        names = {"order": "order_id", "trade": "trade_id", "impact": "market_impact"}
        frame = frame.rename(columns=names).assign(fill_id=np.arange(1, len(frame) + 1))
        return self._stamped(frame, frame["ts"], StrategyFills)

    def orders(self) -> pd.DataFrame:
        """`StrategyOrders`: those that ended."""
        frame = ledger.order_frame(self.preparation, self.book, ())
        frame = frame[(frame["status"] != "open").to_numpy()].rename(columns={"order": "order_id"})
        frame = frame.sort_values(["finished_ts", "order_id"], ignore_index=True)
        return self._stamped(frame, frame["finished_ts"], StrategyOrders)

    def trades(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`StrategyTrades` twice: those that ended in the window, and those open at its end."""
        counters = self.book.counters.copy()
        counters[N_TRADES] -= EARLIER_TRADES
        own = self.book._replace(trades=self.book.trades[EARLIER_TRADES:], counters=counters)
        frame = ledger.trade_frame(self.preparation, own, ()).rename(columns=TRADE_COLUMNS)
        frame["regime_at_entry"] = frame["regime_at_entry"].fillna("")
        is_open = (frame["exit_reason"] == "open").to_numpy()
        found = []
        for rows in (frame[~is_open], frame[is_open]):
            ended = rows["exit_ts"].fillna(self.last_ts)
            part = rows.assign(ended=ended).sort_values(["ended", "trade_id"], ignore_index=True)
            found.append(self._stamped(part, part["ended"], StrategyTrades))
        return found[0], found[1]

    @property
    def last_ts(self) -> pd.Timestamp:
        """Opening time of the last bar."""
        return pd.Timestamp(self.preparation.bars.ts[-1], tz="UTC")

    def _stamped(
        self, frame: pd.DataFrame, ts: "pd.Series[Any]", contract: type[Contract]
    ) -> pd.DataFrame:
        """The columns of a contract, stamped as known when the bar of `ts` was."""
        bars = self.preparation.bars
        moments = ts.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        known = bars.available_at[np.searchsorted(bars.ts, moments)]
        columns: Columns = {
            "ts": pd.DatetimeIndex(moments, tz="UTC"),
            "available_at": pd.DatetimeIndex(known, tz="UTC"),
            "strategy_name": pd.array([self.strategy] * len(frame), dtype="str"),
        }
        for name, column in contract.to_schema().columns.items():
            if name not in columns:
                columns[name] = _typed(frame[name], column.dtype.type)
        return pd.DataFrame(columns, copy=False)


def _typed(column: "pd.Series[Any]", kind: Any) -> Any:
    """A column with the dtype of its contract."""
    if isinstance(kind, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(column).as_unit("us")
    if str(kind) == "str":
        return pd.array([str(value) for value in column], dtype="str")
    return column.to_numpy(dtype=kind)


def signals_frame(
    strategy: str, preparation: Preparation, decided: tuple[Signals, Plan], first: int
) -> pd.DataFrame:
    """`StrategySignals` of the window's bars, which begin at row `first`."""
    signals, plan = decided
    bars = preparation.bars
    shape = (len(bars) - first, len(bars.symbols))
    flags = {name: _window_of(getattr(signals, name), first, shape, False) for name in FLAGS}
    values = {name: _window_of(getattr(signals, name), first, shape, np.nan) for name in VALUES}
    asked = ~np.isnan(values["target"])
    for one in flags.values():
        asked = asked | one
    rows, columns = np.nonzero(asked)
    enters = (flags["entry_long"] | flags["entry_short"])[rows, columns]
    sizes = plan.sizes
    size = _window_of(None if sizes is None else sizes.size, first, shape, np.nan)[rows, columns]
    reason = _window_of(plan.labels.get("entry_signal"), first, shape, "")[rows, columns]
    named = np.array(bars.symbols, dtype=object)
    at = rows + first
    n = len(rows)
    unit = "" if sizes is None else UNITS[sizes.unit]
    return pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(bars.ts[at], tz="UTC"),
            "available_at": pd.DatetimeIndex(bars.available_at[at], tz="UTC"),
            "strategy_name": pd.array([strategy] * n, dtype="str"),
            "symbol": pd.array(named[columns].tolist(), dtype="str"),
            **{name: one[rows, columns] for name, one in flags.items()},
            **{name: one[rows, columns] for name, one in values.items()},
            "size": np.where(enters, size, np.nan),
            "size_unit": pd.array([unit] * n, dtype="str"),
            "reason": pd.array(np.where(enters, reason, "").tolist(), dtype="str"),
        },
        copy=False,
    )


def _window_of(
    values: npt.NDArray[Any] | None, first: int, shape: tuple[int, int], nothing: Any
) -> npt.NDArray[Any]:
    """The window's rows of an array `(time or 1, symbol)`; `nothing` everywhere without one."""
    if values is None:
        return np.full(shape, nothing)
    return np.broadcast_to(values[first:] if values.shape[0] > 1 else values, shape)
