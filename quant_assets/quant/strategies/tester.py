"""A strategy alone, on small bars made by hand: what it decides, without a simulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel
from quant_assets.quant.market.data_window import Replay
from quant_assets.quant.strategies.base import Account, BarStrategy, Strategy, VectorStrategy
from quant_assets.quant.strategies.composed import Pipeline
from quant_assets.quant.strategies.signals import FLAGS, Signals

__all__ = ["StrategyTester", "hand_made_bars"]

Bar = float | Sequence[float]
NOON = np.datetime64("2024-01-01T00:00:00", "us")
CAPITAL = 100_000.0


def hand_made_bars(
    series: Mapping[str, Sequence[Bar]],
    *,
    bar_length: timedelta = timedelta(days=1),
    start: np.datetime64 = NOON,
    extras: Mapping[str, npt.ArrayLike] | None = None,
) -> BarPanel:
    """Bars of each symbol: closes, or tuples of open, high, low, close and, where known, volume.

    All series have one length. A bar of a close alone has four equal prices, and volume NaN.
    """
    lengths = {symbol: len(values) for symbol, values in series.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"series have different lengths: {lengths}")
    (n,) = set(lengths.values())
    columns = {name: np.full((n, len(series)), np.nan) for name in FIELDS}
    for column, symbol in enumerate(sorted(series)):
        for row, bar in enumerate(series[symbol]):
            values = (bar,) * 4 if isinstance(bar, int | float) else tuple(bar)
            if len(values) not in (4, 5):
                raise DataError(
                    f"bar {row} of {symbol} is {bar}; give a close, or open, high, low, close and, "
                    "where it is known, volume"
                )
            for name, value in zip(FIELDS, values, strict=False):
                columns[name][row, column] = value
    ts = start.astype("datetime64[us]") + np.arange(n) * np.timedelta64(bar_length)
    return BarPanel.from_arrays(ts, sorted(series), bar_length, extras=extras, **columns)


@dataclass(frozen=True)
class StrategyTester:
    """What a strategy decides on some bars. `bars` may be given as closes by symbol.

    account : what a bar-by-bar strategy is told; None: always flat, with 100,000 in cash.
    """

    strategy: Strategy
    bars: BarPanel
    account: Account | None = field(default=None)

    @classmethod
    def on(cls, strategy: Strategy, series: Mapping[str, Sequence[Bar]]) -> "StrategyTester":
        """A tester on `hand_made_bars` of one day each."""
        return cls(strategy, hand_made_bars(series))

    def signals(self) -> Signals:
        """Decisions `(time, symbol)`: of the array form, else of the bar form."""
        if isinstance(self.strategy, VectorStrategy):
            return self.strategy.signals(self.bars)
        return self.bar_by_bar()

    def bar_by_bar(self) -> Signals:
        """Decisions `(time, symbol)` of the bar form, each from its own window."""
        strategy, bars = self.strategy, self.bars
        if not isinstance(strategy, BarStrategy):
            raise ConfigError(f"{strategy.name} has no bar form")
        account = self.account or flat_account(bars.symbols)
        decisions = [strategy.on_bar(window, account) for window in self._replay(strategy)]
        rows = [one for one in decisions if isinstance(one, Signals)]
        if any(one is not None and not isinstance(one, Signals) for one in decisions):
            raise ConfigError(f"{strategy.name} places orders; run it in a backtest")
        if not rows:
            return Signals(entry_long=np.zeros(bars.close.shape, dtype=np.bool_))
        given = {one.name for one in fields(Signals) if any(_has(row, one.name) for row in rows)}
        return Signals(**{name: _stacked(decisions, name, len(bars.symbols)) for name in given})

    def when(self, signal: str, symbol: str | None = None) -> list[int]:
        """Rows on which a flag (`entry_long`, …) is set, of one symbol or of the only one."""
        if signal not in FLAGS:
            raise ConfigError(f"no flag {signal!r}; there are {', '.join(FLAGS)}")
        if symbol is None and len(self.bars.symbols) > 1:
            raise ConfigError(f"say which symbol: {', '.join(self.bars.symbols)}")
        flags = getattr(self.signals(), signal)
        if flags is None:
            return []
        column = 0 if symbol is None else self.bars.symbols.index(symbol)
        return [int(row) for row in np.flatnonzero(flags[:, column])]

    def changes(self) -> pd.DataFrame:
        """What each middleware changed; empty for strategies without any."""
        if not isinstance(self.strategy, Pipeline):
            raise ConfigError(f"{self.strategy.name} is not composed: it has no middlewares")
        self.signals()
        return self.strategy.changes.frame()

    def check(self) -> None:
        """Raise when a decision needs later bars, or when the two forms differ.

        `LookAheadError` for the first, `DataError` for the second.
        """
        whole = self.signals()
        for end in range(1, len(self.bars)):
            cut = replace(self, bars=self.bars.rows(slice(0, end))).signals()
            where = _first_difference(whole, cut, end)
            if where:
                raise LookAheadError(
                    f"{self.strategy.name}: {where} with only {end} bars; the decision reads what "
                    "comes after it"
                )
        if isinstance(self.strategy, VectorStrategy) and isinstance(self.strategy, BarStrategy):
            where = _first_difference(whole, self.bar_by_bar(), len(self.bars))
            if where:
                raise DataError(f"{self.strategy.name}: {where} in the bar form")

    def _replay(self, strategy: BarStrategy) -> Replay:
        bars = self.bars
        return Replay(
            bars.panels(),
            available_at=bars.available_at,
            decided_at=np.maximum.accumulate(bars.available_at),
            indicators=strategy.indicators(bars),
        )


def flat_account(symbols: tuple[str, ...]) -> Account:
    """An account that holds nothing."""
    n = len(symbols)
    return Account(
        symbols=symbols,
        cash=CAPITAL,
        equity=CAPITAL,
        position=np.zeros(n),
        entry_price=np.full(n, np.nan),
        bars_held=np.zeros(n, dtype=np.int64),
        drawdown=0.0,
        heat=0.0,
    )


def _stacked(decisions: Sequence[object], name: str, n_symbols: int) -> Any:
    """One field of all bars' decisions, `(time, symbol)`; nothing decided is False or NaN."""
    nothing = np.zeros(n_symbols, dtype=np.bool_) if name in FLAGS else np.full(n_symbols, np.nan)
    return np.stack([getattr(one, name) if _has(one, name) else nothing for one in decisions])


def _has(decision: object, name: str) -> bool:
    return getattr(decision, name, None) is not None


def _first_difference(whole: Signals, other: Signals, end: int) -> str:
    """Where the first `end` rows differ, in words; empty when they do not."""
    for one in fields(Signals):
        mine, its = getattr(whole, one.name), getattr(other, one.name)
        nothing = np.zeros((end, 1)) if one.name in FLAGS else np.full((end, 1), np.nan)
        left, right = (
            np.asarray(nothing if v is None else v[:end], dtype=np.float64) for v in (mine, its)
        )
        differs = (left != right) & ~(np.isnan(left) & np.isnan(right))
        if differs.any():
            row, column = (int(i) for i in np.argwhere(differs)[0])
            found = np.broadcast_to(right, differs.shape)[row, column]
            mine_here = np.broadcast_to(left, differs.shape)[row, column]
            return f"{one.name} of row {row}, column {column} is {mine_here:g}, but {found:g}"
    return ""
