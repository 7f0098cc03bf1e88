"""Out of the range of the session's first minutes, flat before it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import choice, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.sessions import checked_zone, wall_clock
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, flags
from quant_assets.quant.strategies.signals import Signals

__all__ = ["OpeningRange"]

DAY_MINUTES = 1440
TOP, BOTTOM, ENDS = "opening_range.top", "opening_range.bottom", "opening_range.ends"


@dataclass(frozen=True, kw_only=True)
class OpeningRange(RowStrategy):
    """In when a close leaves the range of the bars that opened in the first `minutes` of a session.

    Out at the open of the session's last bar, or when a close leaves the range on the other side
    (`both`: short there). A session begins `opens` and ends `closes` minutes after midnight on the
    clocks of `time_zone`: 570 and 960 in America/New_York are its stock sessions, in summer too.
    """

    name: ClassVar[str] = "opening_range"
    source: ClassVar[str] = "Crabel (1990), Day Trading with Short Term Price Patterns"
    symbolwise: ClassVar[bool] = True
    minutes: int = whole(60, least=1)
    opens: int = whole(0, least=0)
    closes: int = whole(DAY_MINUTES, least=1)
    sides: Literal["both", "long"] = choice("both", "long")
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_zone(self.time_zone)
        if not self.opens + self.minutes < self.closes <= DAY_MINUTES:
            raise ConfigError(
                f"{self.name}: a session from {self.opens} to {self.closes} with {self.minutes} "
                f"minutes of range; it must end after the range, by {DAY_MINUTES}"
            )

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Edges of the day's range once it is over, and where the next bar is the last one."""
        clock = wall_clock(bars.ts, self.time_zone)
        days = clock.astype("datetime64[D]")
        minute = (clock - days) / np.timedelta64(1, "m")
        length = bars.bar_length.total_seconds() / 60.0
        first = (minute >= self.opens) & (minute < self.opens + self.minutes)
        after = (minute >= self.opens + self.minutes) & (minute < self.closes)
        top, bottom = np.full(bars.close.shape, np.nan), np.full(bars.close.shape, np.nan)
        starts = np.flatnonzero(np.diff(days, prepend=days[:1] - 1) > np.timedelta64(0, "D"))
        for begin, end in pairwise([*starts.tolist(), len(days)]):
            day = slice(begin, end)
            if first[day].any():
                top[day][after[day]] = np.fmax.reduce(bars.high[day][first[day]])
                bottom[day][after[day]] = np.fmin.reduce(bars.low[day][first[day]])
        ends = np.broadcast_to((minute + 2.0 * length >= self.closes)[:, None], top.shape)
        return {TOP: top, BOTTOM: bottom, ENDS: ends.astype(np.float64)}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        close, ends = rows["close"], rows[ENDS] > 0.0
        above, below = close > rows[TOP], close < rows[BOTTOM]
        return flags(
            self.sides,
            long=(above & ~ends, below | ends),
            short=(below & ~ends, above | ends),
        )
