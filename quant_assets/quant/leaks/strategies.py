"""The leak check for a strategy: indicators, signals, orders, and what they come to as trades."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.examination import Settings, examine
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.quant.leaks.samples import sample_of
from quant_assets.quant.leaks.trading import planned, traded
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.data_window import Replay
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.strategies.base import Account, BarStrategy, Strategy, VectorStrategy
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets.quant.strategies.signals import FLAGS, Signals

__all__ = ["assert_no_leak", "check_strategy"]

Outputs = Mapping[str, Any]
Floats = npt.NDArray[np.float64]
ORDER_COLUMNS = ("quantity", "limit", "stop", "take_profit", "stop_loss", "trail")


def check_strategy(
    strategy: Strategy,
    bars: BarPanel,
    *,
    decided_at: Instants | None = None,
    execution: Any = None,
    outputs: Callable[[Strategy, BarPanel], Outputs] | None = None,
    settings: Settings | None = None,
) -> LeakReport:
    """Whether a strategy's decisions depend on bars that were not known when they were taken.

    The strategy is run over all bars, then over bars that end early, whose future is noise, or has
    nothing but gaps; what it decided up to the cut must be the same: its indicators, its signals
    with their targets, prices and strengths, the sizes, exits and labels of its plan, and the
    orders of its bar form on a flat account. A strategy with both forms is checked in both.

    execution : an execution model, its settings or a preset: orders, fills and equity of a backtest
        are compared as well. outputs : further arrays `(time, …)` by name to compare, made of
        strategy and bars. decided_at : see `check_function`.
    """
    if not isinstance(strategy, VectorStrategy | BarStrategy):
        found = "a class" if isinstance(strategy, type) else f"a {type(strategy).__name__}"
        raise ConfigError(
            f"{found} has neither signals() nor on_bar(): give a strategy that is made"
        )
    if not isinstance(bars, BarPanel):
        raise ConfigError(
            f"bars are a {type(bars).__name__}; give a BarPanel: BarPanel.from_frame(frame, "
            "bar_length=…) reads a long frame"
        )
    made = [outputs] if outputs else []
    made += [traded(execution)] if execution is not None else []
    sample = sample_of(bars, decided_at=decided_at)
    moments = cast("Instants", sample.decided_at)

    def run(part: BarPanel) -> Outputs:
        decided = moments[np.searchsorted(bars.ts, part.ts)]
        found = decisions(strategy, part, decided)
        for more in made:
            found |= more(strategy, part)
        return found

    settings = settings or Settings()
    if settings.warm_up == 0:
        settings = replace(settings, warm_up=strategy.warm_up)
    return examine(
        run,
        sample,
        settings=settings,
        root=strategy if outputs is None else _Both(strategy, outputs),
        subject=f"strategy {strategy.name} {strategy.version}",
    )


def assert_no_leak(strategy: Strategy, bars: BarPanel, **options: Any) -> None:
    """For tests: raise `LookAheadError` unless the strategy is found trustworthy.

    options : as of `check_strategy`.
    """
    check_strategy(strategy, bars, **options).raise_if_untrusted()


class _Both:
    """Leads to the code of a strategy and of what is computed from it."""

    def __init__(self, strategy: Strategy, outputs: Callable[..., Outputs]) -> None:
        self.strategy, self.outputs = strategy, outputs


def decisions(strategy: Strategy, bars: BarPanel, decided_at: Instants) -> dict[str, Any]:
    """All that a strategy gives for bars, by name; bar by bar on an account that stays flat.

    decided_at : when the decision of each bar is taken.
    """
    found: dict[str, Any] = planned(strategy.plan(bars), bars)
    if isinstance(strategy, VectorStrategy):
        found |= {"signals": strategy.signals(bars)}
    if isinstance(strategy, BarStrategy):
        found |= _bar_by_bar(strategy, bars, decided_at)
    return found


def _bar_by_bar(strategy: BarStrategy, bars: BarPanel, decided_at: Instants) -> dict[str, Any]:
    index = pd.DatetimeIndex(bars.ts).tz_localize("UTC")
    panels = {n: Panel(values, index, bars.symbols) for n, values in bars.columns().items()}
    indicators = dict(strategy.indicators(bars))
    replay = Replay(
        panels, available_at=bars.available_at, decided_at=decided_at, cross_sections=indicators
    )
    account = _flat(bars.symbols)
    table: dict[str, Any] = {}
    for row, window in enumerate(replay):
        if row >= strategy.warm_up:
            _note(table, row, strategy.on_bar(window, account), bars)
    named = {f"indicator {name}": values for name, values in indicators.items()}
    return {**named, **{f"on_bar {name}": values for name, values in sorted(table.items())}}


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
