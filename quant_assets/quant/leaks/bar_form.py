"""Decisions of a strategy that is called on each bar, as arrays."""

from typing import Any

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import Replay
from quant_assets.quant.strategies.base import Account, BarStrategy
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets.quant.strategies.signals import FLAGS, Signals

ORDER_COLUMNS = ("quantity", "limit", "stop", "take_profit", "stop_loss", "trail")


def bar_by_bar(strategy: BarStrategy, bars: BarPanel, decided_at: Instants) -> dict[str, Any]:
    """What a strategy decides on each bar, by name, on an account that stays flat.

    decided_at : when the decision of each bar is taken, shape (time,).
    """
    indicators = dict(strategy.indicators(bars))
    replay = Replay(
        bars.panels(),
        available_at=bars.available_at,
        decided_at=decided_at,
        cross_sections=indicators,
    )
    account = _flat(bars.symbols)
    table: dict[str, Any] = {}
    for row, window in enumerate(replay):
        if row >= strategy.warm_up:
            _note(table, row, strategy.on_bar(window, account), bars)
    return {f"on_bar {name}": values for name, values in sorted(table.items())}


def _flat(symbols: tuple[str, ...]) -> Account:
    none = np.zeros(len(symbols))
    unknown, bars_held = np.full(len(symbols), np.nan), np.zeros(len(symbols), dtype=np.int64)
    for array in (none, unknown, bars_held):
        array.setflags(write=False)
    return Account(symbols, 1e6, 1e6, none, unknown, bars_held, 0.0, 0.0)


def _note(table: dict[str, Any], row: int, decision: Any, bars: BarPanel) -> None:
    """Write one bar's decision into arrays `(time, symbol)`."""
    if isinstance(decision, Signals):
        given = {n: getattr(decision, n) for n in Signals.__dataclass_fields__}
        for name, values in given.items():
            if values is not None:
                empty: Any = False if name in FLAGS else np.nan
                _row_of(table, name, bars, empty)[row] = values
    elif decision is not None:
        for order in decision:
            (_note_cancel if isinstance(order, Cancel) else _note_order)(table, row, order, bars)


def _note_order(table: dict[str, Any], row: int, order: Order, bars: BarPanel) -> None:
    column = bars.symbols.index(order.symbol)
    for name in ORDER_COLUMNS:
        value = getattr(order, name)
        if value is not None:
            cells = _row_of(table, f"order {name}", bars, 0.0)
            cells[row, column] += value


def _note_cancel(table: dict[str, Any], row: int, cancel: Cancel, bars: BarPanel) -> None:
    """Count it where it looks; the name tells one cancel from another."""
    name = f"cancel {cancel.part} of tag {cancel.tag!r}, group {cancel.group!r}"
    column = slice(None) if cancel.symbol is None else bars.symbols.index(cancel.symbol)
    _row_of(table, name, bars, 0.0)[row, column] += 1.0


def _row_of(table: dict[str, Any], name: str, bars: BarPanel, empty: Any) -> Any:
    if name not in table:
        table[name] = np.full((len(bars), len(bars.symbols)), empty)
    return table[name]
