"""What risk rules tell the event kernel: named tuples of arrays and numbers.

Arrays `(time or 1, symbol)`: a first axis of 1 holds for every bar. NaN in a distance: there is
none.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["ExitTerms", "LimitTerms"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

STOP_FRACTION, STOP_PRICE, TRAIL_FRACTION, TRAIL_PRICE = 0, 1, 2, 3
TARGET_FRACTION, TARGET_PRICE, TIME_BARS = 4, 5, 6
UNLIMITED = 2**62  # of what is counted


class ExitTerms(NamedTuple):
    """Protective exits of every entry: `kind` `(rule,)`, `level` `(rule, time or 1, symbol)`.

    The level is read at the decision bar: a fraction of the fill price, a distance in price
    units, or a number of bars. Of several stops the tightest holds.
    """

    kind: Codes
    level: Floats


class LimitTerms(NamedTuple):
    """Limits of the account; infinity: none. Fractions of equity, unless said otherwise.

    `max_position`, `max_gross`, `max_net`, `max_sector` hold at entries. What prices move beyond
    `drift_position` and so on is cut back at the next fill, to `held_position` and so on.
    `sector` `(symbol,)` codes groups. `cut_drawdown`: entries are scaled by `cut_scale` beyond it;
    `halt_drawdown`: everything is closed at the next fill and nothing is opened until the drawdown
    is below `resume_drawdown` or `halt_bars` have passed (the highest equity then starts anew).
    `daily_loss`: no entry for the rest of the day, open positions closed. `cool_down`: bars without
    an entry in a symbol after its losing trade. `correlation`: an entry is refused when its
    correlation over the last `correlation_bars` with a held symbol of the same direction exceeds
    it.
    """

    max_position: float
    max_gross: float
    max_net: float
    max_sector: float
    sector: Integers
    max_positions: int
    max_heat: float
    correlation: float
    correlation_bars: int
    cut_drawdown: float
    cut_scale: float
    halt_drawdown: float
    resume_drawdown: float
    halt_bars: int
    daily_loss: float
    cool_down: int
    held_position: float = np.inf
    held_gross: float = np.inf
    held_net: float = np.inf
    held_sector: float = np.inf
    drift_position: float = np.inf
    drift_gross: float = np.inf
    drift_net: float = np.inf
    drift_sector: float = np.inf
