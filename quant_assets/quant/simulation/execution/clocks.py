"""When decisions can fill, how much time passed between bars, and which day it was."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import Instants, microseconds
from quant_assets.quant.market.sessions import UTC_DAYS, wall_clock

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
DAY = timedelta(days=1)
MICROSECONDS_PER_DAY = 86_400_000_000.0


def first_fills(bars: BarPanel) -> Integers:
    """The next bar, or the first one that does not open before the decision is known.

    A decision is known when its bar is, and all bars before it.
    Bars of a day or longer are labelled by the start of their day, their sessions open later: they
    may become known a bar length after their end before they count as late.
    """
    n = len(bars)
    if not bars.late:  # the usual case, without a search
        return np.arange(1, n + 1)
    known = np.maximum.accumulate(bars.available_at)
    if bars.bar_length >= DAY:
        step = np.timedelta64(bars.bar_length).astype("timedelta64[us]")
        place = np.searchsorted(bars.ts, known - step, side="right")
    else:
        place = np.searchsorted(bars.ts, known, side="left")
    first: Integers = np.maximum(place, np.arange(1, n + 1)).astype(np.int64)
    return first


def session_clock(bars: BarPanel) -> Integers:
    """Microseconds whose days are those of the exchange; bars of a day or more bear its date."""
    zone, begins = bars.sessions
    if bars.sessions == UTC_DAYS or bars.bar_length >= DAY:
        return microseconds(bars.ts)
    return microseconds(wall_clock(bars.ts, zone) - np.timedelta64(begins))


def calendar_days(ts: Instants) -> Floats:
    """Calendar days since the bar before, 0 for the first."""
    moments, days = microseconds(ts), np.zeros(len(ts))
    np.subtract(moments[1:], moments[:-1], out=days[1:], casting="unsafe")
    days /= MICROSECONDS_PER_DAY
    return days
