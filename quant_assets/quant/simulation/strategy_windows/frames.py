"""One window of a run as frames of the contracts: what happened on its bars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_positions import StrategyPositions
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import FLAGS

Columns = dict[str, Any]
Arrays = Mapping[str, npt.NDArray[Any] | None]
UNITS = ("units", "notional", "equity_fraction", "risk_fraction")
VALUES = ("target", "limit", "stop", "strength")
TRADE_COLUMNS = {
    "trade": "trade_id",
    "commission": "commission_cost",
    "slippage": "slippage_cost",
    "borrow": "borrowing_cost",
    "days_held": "hold_days",
}


@dataclass(frozen=True)
class WindowFrames:
    """Frames of a run over the bars of one window: from bar `first` on, where it began earlier."""

    strategy: str
    result: BacktestResult
    first: int = 0

    def equity(self) -> pd.DataFrame:
        """`StrategyEquity`."""
        frame = self._own(self.result.equity.reset_index(), "ts")
        return self._stamped(frame, frame["ts"], StrategyEquity)

    def fills(self) -> pd.DataFrame:
        """`StrategyFills`."""
        names = {"order": "order_id", "trade": "trade_id", "impact": "market_impact"}
        fills = self._own(self.result.fills, "ts")
        frame = fills.rename(columns=names).assign(
            fill_id=np.arange(1, len(fills) + 1), decided_at=self._decided(fills)
        )
        return self._stamped(frame, frame["ts"], StrategyFills)

    def _decided(self, fills: pd.DataFrame) -> pd.DatetimeIndex:
        """When the decision behind each fill was known: of its order, else of its trade's entry."""
        by_order = _found(self.result.orders, "order", fills["order"])
        by_trade = _found(self.result.trades, "trade", fills["trade"])
        moments = np.where(np.isnat(by_order), by_trade, by_order)
        bars = self.result.preparation.bars
        row = np.searchsorted(bars.ts, moments, side="right") - 1
        here = np.searchsorted(bars.ts, instants(fills["ts"]))
        later = bars.available_at[here] - bars.ts[here]  # of a bar that was not read any more
        return pd.DatetimeIndex(
            np.where(row >= 0, bars.available_at[np.maximum(row, 0)], moments + later), tz="UTC"
        )

    def orders(self) -> pd.DataFrame:
        """`StrategyOrders`: those that ended."""
        frame = self.result.orders.rename(columns={"order": "order_id"})
        # an exit that stood with a position is decided with its entry: before the bars, perhaps
        trades = self.result.trades
        first = pd.Timestamp(self.result.preparation.bars.ts[0], tz="UTC")
        entries = trades[(trades["decided_ts"] < first).to_numpy()]
        earlier = _found(entries, "symbol", frame["symbol"])
        decided = instants(frame["decided_ts"])
        frame["decided_ts"] = pd.DatetimeIndex(
            np.where(np.isnat(decided), earlier, decided), tz="UTC"
        )
        frame = self._own(frame[(frame["status"] != "open").to_numpy()], "finished_ts")
        frame = frame.sort_values(["finished_ts", "order_id"], ignore_index=True)
        return self._stamped(frame, frame["finished_ts"], StrategyOrders)

    def trades(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`StrategyTrades` that ended in the window; `StrategyPositions` open at its end."""
        frame = self.result.trades.rename(columns=TRADE_COLUMNS)
        frame["regime_at_entry"] = frame["regime_at_entry"].fillna("")
        is_open = (frame["exit_reason"] == "open").to_numpy()
        last = pd.Timestamp(self.result.preparation.bars.ts[-1], tz="UTC")
        marks = self.result.positions.rename(columns=TRADE_COLUMNS)
        held = frame[is_open].drop(columns="shares")  # what is left of what was bought
        held = held.merge(marks, on="trade_id", validate="1:1")
        found = []
        ended = self._own(frame[~is_open], "exit_ts")
        for rows, contract in ((ended, StrategyTrades), (held, StrategyPositions)):
            part = rows.assign(ended=rows["exit_ts"].fillna(last))
            part = part.sort_values(["ended", "trade_id"], ignore_index=True)
            found.append(self._stamped(part, part["ended"], contract))
        return found[0], found[1]

    def _own(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """Rows of the window's own bars."""
        if self.first == 0:
            return frame
        start = pd.Timestamp(self.result.preparation.bars.ts[self.first], tz="UTC")
        return frame[(frame[column] >= start).to_numpy()].reset_index(drop=True)

    def _stamped(
        self, frame: pd.DataFrame, ts: "pd.Series[Any]", contract: type[Contract]
    ) -> pd.DataFrame:
        """The columns of a contract, stamped as known when the bar of `ts` was."""
        bars = self.result.preparation.bars
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


def _found(rows: pd.DataFrame, key: str, wanted: "pd.Series[Any]") -> npt.NDArray[np.datetime64]:
    """`decided_ts` of the rows with the wanted keys, NaT of those that have none."""
    found = rows.set_index(key)["decided_ts"].reindex(wanted)
    return instants(found)


def _typed(column: "pd.Series[Any]", kind: Any) -> Any:
    """A column with the dtype of its contract."""
    if isinstance(kind, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(column).as_unit("us")
    if str(kind) == "str":
        return pd.array([str(value) for value in column], dtype="str")
    return column.to_numpy(dtype=kind)


def signals_frame(
    strategy: str, bars: BarPanel, decided: tuple[Arrays, Plan], first: int
) -> pd.DataFrame:
    """`StrategySignals` of the bars from row `first` on; decided : fields of signals, and plan."""
    signals, plan = decided
    shape = (len(bars) - first, len(bars.symbols))
    flags = {name: _window_of(signals.get(name), first, shape, False) for name in FLAGS}
    values = {name: _window_of(signals.get(name), first, shape, np.nan) for name in VALUES}
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
