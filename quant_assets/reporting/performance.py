"""Return series of all entrants, the benchmark and the risk-free rate on one time axis."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.market.panel import Floats, to_panel

Positions = npt.NDArray[np.intp]
CHAMPION = "champion"
LOG_SCALE_DAYS = 3 * 365


@dataclass(frozen=True)
class Performance:
    """Net returns `(time, entrant)`, benchmark and risk-free `(time,)`; NaN where there is none.

    `focus` is the entrant shown in detail and `assumed` marks the risk-free values that the source
    lacks. `risk_free` is 0 where it has no row at all; those bars count as assumed, too.
    """

    ts: pd.DatetimeIndex
    entrants: tuple[str, ...]
    focus: str
    net: Floats
    benchmark: Floats
    risk_free: Floats
    assumed: npt.NDArray[np.bool_]

    @property
    def has_benchmark(self) -> bool:
        """True when at least one bar has a benchmark return."""
        return bool(np.isfinite(self.benchmark).any())

    @cached_property
    def focus_returns(self) -> Floats:
        """Net returns of the focus entrant, 0 on bars where it has no row."""
        returns: Floats = np.nan_to_num(self.net[:, self.entrants.index(self.focus)], nan=0.0)
        return returns

    @cached_property
    def benchmark_returns(self) -> Floats:
        """Benchmark returns, 0 where it has none (`missing_benchmark` counts those bars)."""
        returns: Floats = np.nan_to_num(self.benchmark, nan=0.0)
        return returns

    @property
    def missing_benchmark(self) -> int:
        """Bars without a benchmark return."""
        return int(np.isnan(self.benchmark).sum())

    @property
    def is_long(self) -> bool:
        """True when the span asks for a logarithmic axis: more than three years."""
        return bool((self.ts[-1] - self.ts[0]).days > LOG_SCALE_DAYS)

    def daily(self) -> Positions:
        """Positions of the last bar of each UTC day."""
        return _last_of_each(self.ts.normalize())

    def weekly(self) -> Positions:
        """Positions of the last bar of each week; weeks start on Monday."""
        days = self.ts.normalize()
        return _last_of_each(days - pd.to_timedelta(days.day_of_week, unit="D"))


def _last_of_each(keys: pd.DatetimeIndex) -> Positions:
    ends = np.r_[keys[1:] != keys[:-1], True]
    return np.flatnonzero(ends)


def growth(returns: Floats) -> Floats:
    """Compounded growth of 1 along axis 0; a NaN return leaves it unchanged."""
    return np.asarray(np.cumprod(1.0 + np.nan_to_num(returns, nan=0.0), axis=0), dtype=np.float64)


def choose_focus(entrants: tuple[str, ...], tournament: pd.DataFrame) -> str:
    """`champion` when it trades, else the best ranked entrant, else the first by name."""
    if CHAMPION in entrants:
        return CHAMPION
    ranked = tournament.loc[tournament["rank"] > 0].sort_values("rank")["entrant"]
    return next((name for name in ranked if name in entrants), entrants[0])


def measure_performance(
    equity: pd.DataFrame, reference_returns: pd.DataFrame, tournament: pd.DataFrame
) -> Performance | None:
    """Align ReferenceReturns to the bars of an Equity frame; None when it has no rows."""
    if equity.empty:
        return None
    panel = to_panel(equity.rename(columns={"entrant": "symbol"}), "returns")
    ts, entrants = panel.ts, panel.symbols
    risk_free = _reference(reference_returns, "risk_free", ts)
    rate = risk_free["returns"].to_numpy(dtype="float64")
    assumed = risk_free["assumed"].eq(True).to_numpy() | np.isnan(rate)
    return Performance(
        ts=ts,
        entrants=entrants,
        focus=choose_focus(entrants, tournament),
        net=panel.values,
        benchmark=_reference(reference_returns, "benchmark", ts)["returns"].to_numpy("float64"),
        risk_free=np.nan_to_num(rate, nan=0.0),
        assumed=assumed,
    )


def _reference(frame: pd.DataFrame, role: str, ts: pd.DatetimeIndex) -> pd.DataFrame:
    """Columns `returns` and `assumed` of one role, one row per bar of `ts`."""
    rows = frame.loc[frame["role"] == role].set_index("ts")
    return rows[["returns", "assumed"]].reindex(ts)
