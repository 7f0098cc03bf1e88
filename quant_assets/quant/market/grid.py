"""How the times are known at which a venue ought to have bars, and bars at other times."""

import numpy as np
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.core.venues import Market
from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants, instants, session_times
from quant_assets.quant.market.flagged import flagged

AROUND_THE_CLOCK, BY_SESSIONS, OBSERVED = "always open", "sessions", "observed"
OUTSIDE_SESSIONS = "outside sessions"


def grid_kind(market: Market, times: Instants | None) -> str:
    """How the grid is known, for the stamp on `Quality`; `times` as `session_times` gives it."""
    if market.calendar == ALWAYS_OPEN:
        return AROUND_THE_CLOCK
    return OBSERVED if times is None else BY_SESSIONS


def outside_sessions(market: Market, bars: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """A `Doubts` row for every bar of `bars` at a time at which the exchange was closed."""
    ts = instants(bars["ts"])
    times = session_times(market, ts, sessions)
    if times is None:
        return Doubts.empty()
    rows = bars[~np.isin(ts, times) & ~bars["is_gap"].to_numpy(dtype=bool)]
    return flagged("bars", rows, np.full(len(rows), OUTSIDE_SESSIONS), np.full(len(rows), np.nan))
