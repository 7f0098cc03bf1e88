"""The bar opens in a part of the day."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.sessions import checked_zone, wall_clock
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["TimeOfDay"]


def _minute(text: str, what: str) -> int:
    try:
        moment = time.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"time_of_day: {what} = {text!r}; write it as '14:30', in quotes"
        ) from None
    return moment.hour * 60 + moment.minute


@dataclass(frozen=True, kw_only=True)
class TimeOfDay(Rule):
    """The bar's open time lies in [`start`, `end`), hours and minutes in `time_zone`.

    An end before the start means the part over midnight; equal ones mean the whole day. A zone such
    as America/New_York moves with its summer time, UTC never does. Bars of a day or longer are
    labelled in UTC.
    """

    name: ClassVar[str] = "time_of_day"
    start: str = "00:00"
    end: str = "00:00"
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_zone(self.time_zone)
        _minute(self.start, "start")
        _minute(self.end, "end")

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        clock = wall_clock(rows.ts, self.time_zone)
        minutes = (clock - clock.astype("datetime64[D]")) / np.timedelta64(1, "m")
        return (np.broadcast_to(minutes[:, None], rows.shape),)

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        first, after = _minute(self.start, "start"), _minute(self.end, "end")
        from_start, to_end = values[0] >= first, values[0] < after
        return from_start & to_end if first < after else from_start | to_end
