"""What the strategies of the library are made of: rows, sides, ranks, calendar."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from quant_assets.core.parameters import Parameters
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import days_since_1970, months_since_1970
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.sizing.entry.base import bars_per_year
from quant_assets.quant.strategies.base import Account, BarStrategy, VectorStrategy
from quant_assets.quant.strategies.columns import Column, PanelRows, Rows, WindowRows, compute_lines
from quant_assets.quant.strategies.signals import Signals

if TYPE_CHECKING:
    from quant_assets.quant.market.data_window import DataWindow

__all__ = [
    "RowStrategy",
    "best",
    "count_of",
    "crosses_above",
    "equal_parts",
    "flags",
    "next_weekday",
    "ranked_weights",
    "trailing_mean",
    "turns",
    "yearly",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Period = Literal["month", "week", "day"]
MONDAY = 4  # days from Thursday, 1 January 1970
SMALL = 1e-9


@dataclass(frozen=True, kw_only=True)
class RowStrategy(Parameters, VectorStrategy, BarStrategy):
    """A strategy whose decision is written once, for the rows of all bars and for the last one.

    Subclass with a `name`, the `source` of the rule, and parameters of declared range. `lines` are
    the indicators that it reads, `columns` further arrays `(time, symbol)` of its own whose row t
    comes from bars up to t; `decide` reads both through `rows[...]` and `rows.before(...)`.
    """

    source: ClassVar[str]

    def lines(self) -> tuple[Column, ...]:
        """Indicator lines that it reads."""
        return ()

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Causal arrays `(time, symbol)` of its own."""
        del bars
        return {}

    @property
    def back(self) -> int:
        """Bars that must be known besides those of its lines."""
        return 0

    @abstractmethod
    def decide(self, rows: Rows) -> Signals:
        """Decisions `(row, symbol)`."""

    @property
    def warm_up(self) -> int:
        """See the base class."""
        return max((line.lookback for line in self.lines()), default=0) + self.back

    def memory(self, bar_length: timedelta) -> Memory | None:
        """Those of its lines and `back`; None for one that has columns or a plan of its own."""
        kind = type(self)
        if kind.columns is not RowStrategy.columns or kind.plan is not VectorStrategy.plan:
            return None
        lines = joined(line.memory(bar_length) for line in self.lines())
        return lines if lines is None else lines.longer(self.back)

    def signals(self, bars: BarPanel) -> Signals:
        """See the base class."""
        return self.decide(PanelRows(bars, self.indicators(bars)))

    def indicators(self, bars: BarPanel) -> Mapping[str, Floats]:
        """See the base class."""
        return compute_lines(self.lines(), bars) | dict(self.columns(bars))

    def on_bar(self, window: "DataWindow", account: Account) -> Signals:
        """See the base class."""
        del account
        decided = self.decide(WindowRows(window))
        given = {one.name: getattr(decided, one.name) for one in fields(decided)}
        return Signals(**{name: v[-1] for name, v in given.items() if v is not None})


def crosses_above(rows: Rows, fast: str | Column, slow: str | Column) -> Bools:
    """`d[t - 1] <= 0 < d[t]` with d = fast - slow, all four known."""
    now = rows[fast] > rows[slow]
    crossed: Bools = now & (rows.before(fast, 1) <= rows.before(slow, 1))
    return crossed


def flags(
    sides: str, *, long: tuple[Bools, Bools], short: tuple[Bools, Bools] | None = None
) -> Signals:
    """Entries and exits; `short` is left out where `sides` is long."""
    if sides == "long" or short is None:
        return Signals(entry_long=long[0], exit_long=long[1])
    return Signals(entry_long=long[0], exit_long=long[1], entry_short=short[0], exit_short=short[1])


def turns(bars: BarPanel, period: Period) -> Floats:
    """1 on the first bar of a new UTC month, week (from Monday) or day, `(time, symbol)`.

    Else 0, as on the first row: what came before it is not known.
    """
    days = days_since_1970(bars.ts)
    units = {
        "month": months_since_1970(bars.ts),
        "week": (days - MONDAY) // 7,
        "day": days,
    }[period]
    turned = np.zeros(len(units))
    turned[1:] = units[1:] != units[:-1]
    return np.ascontiguousarray(np.broadcast_to(turned[:, None], bars.close.shape))


def yearly(bars: BarPanel, stated: float | None) -> Floats:
    """Bars in a year `(time, symbol)`: as stated, or as the clock of the bars so far shows."""
    counted = bars_per_year(bars, stated)
    return np.ascontiguousarray(np.broadcast_to(counted, bars.close.shape))


def next_weekday(rows: Rows) -> Days:
    """The first day from Monday to Friday after the day of each row."""
    return np.busday_offset(rows.ts.astype("datetime64[D]"), 1, roll="backward")


def best(scores: Floats, n: int | npt.NDArray[np.int64]) -> Bools:
    """The n highest known scores of each row, `(row, symbol)`; n may differ by row.

    Equals of the last one are taken as well, so that the order of symbols means nothing.
    """
    known = ~np.isnan(scores)
    ordered = np.sort(np.where(known, -scores, np.inf), axis=1)
    last = np.maximum(np.minimum(n, known.sum(axis=1)) - 1, 0)
    edge = -ordered[np.arange(len(scores)), last]
    chosen: Bools = known & (scores >= edge[:, None])
    return chosen


def count_of(scores: Floats, share: float) -> npt.NDArray[np.int64]:
    """How many are `share` of the known scores of each row: rounded down, at least 1."""
    n_known = (~np.isnan(scores)).sum(axis=1)
    count: npt.NDArray[np.int64] = np.maximum(np.floor(share * n_known + SMALL).astype(np.int64), 1)
    return count


def equal_parts(chosen: Bools) -> Floats:
    """Equal weights of what was chosen in each row, which sum to 1, or to 0 where nothing was."""
    n = chosen.sum(axis=1, keepdims=True)
    weights: Floats = chosen / np.maximum(n, 1)
    return weights


def ranked_weights(scores: Floats, share: float, sides: str) -> Floats:
    """Weights `(row, symbol)` of the highest scores, which sum to 1.

    sides : `long`; `both`: half of equity in the highest, and half short in the lowest. A row of
    fewer than two known scores has no ranks: weights 0.
    """
    ranked = (~np.isnan(scores)).sum(axis=1, keepdims=True) >= 2
    n = count_of(scores, share)
    high = equal_parts(best(scores, n) & ranked)
    return high if sides == "long" else 0.5 * high - 0.5 * equal_parts(best(-scores, n) & ranked)


def trailing_mean(values: Floats, n: int) -> Floats:
    """Mean of the known values of the last n rows; NaN where there is none.

    Each window is summed on its own: equal ones have equal means, to the last bit.
    """
    known = ~np.isnan(values)
    before = np.zeros((n, *values.shape[1:]))
    total, count = (
        sliding_window_view(np.concatenate([before, part]), n, axis=0)[1:].sum(axis=-1)
        for part in (np.where(known, values, 0.0), 1.0 * known)
    )
    return np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan)
