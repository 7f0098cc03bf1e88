"""The bars of a simulated history, and how busy the market is at each hour."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.panel import Floats

DAYS_PER_YEAR = 365.0
BUSIEST_HOUR = 15.0
WEEKEND = 0.75


@dataclass(frozen=True)
class Clock:
    """Bars of `bar_length` on whole UTC days from `first` to `last`; all arrays are (time,)."""

    first: date
    last: date
    bar_length: timedelta

    @property
    def n_days(self) -> int:
        """Days of the history."""
        return (self.last - self.first).days + 1

    @property
    def bars_per_day(self) -> int:
        """Bars of one day; `bar_length` divides it."""
        return timedelta(days=1) // self.bar_length

    @property
    def n_bars(self) -> int:
        """Bars of the history."""
        return self.n_days * self.bars_per_day

    @property
    def bar_years(self) -> float:
        """Length of a bar in years."""
        return 1.0 / (DAYS_PER_YEAR * self.bars_per_day)

    def bars_of(self, length: timedelta) -> float:
        """Convert a duration to bars, to half a bar at least."""
        return max(0.5, length / self.bar_length)

    @cached_property
    def ts(self) -> Instants:
        """Open time of each bar."""
        step = np.timedelta64(self.bar_length).astype("timedelta64[us]")
        ts: Instants = np.datetime64(self.first, "us") + step * np.arange(self.n_bars)
        return ts

    @cached_property
    def activity(self) -> Floats:
        """Relative volatility of each bar: a wave over the day, quieter week-ends, mean near 1."""
        hours = np.arange(self.bars_per_day) * 24.0 / self.bars_per_day
        day = 1.0 + 0.35 * np.cos((hours - BUSIEST_HOUR) * (2.0 * np.pi / 24.0))
        weekdays = (np.arange(self.n_days) + self.first.weekday()) % 7
        return np.outer(np.where(weekdays >= 5, WEEKEND, 1.0), day).ravel()

    def position(self, day: date) -> int:
        """Find the row of the first bar of `day`: 0 before the history, `n_bars` after it."""
        return min(max((day - self.first).days, 0), self.n_days) * self.bars_per_day
