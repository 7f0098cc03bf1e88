"""The bar opens on one of some days of the week."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bars import days_since_1970
from quant_assets.quant.market.sessions import checked_zone, wall_clock
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.rules.base import Bools, Floats, Rule

__all__ = ["DayOfWeek"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
THURSDAY = 3  # 1 January 1970


@dataclass(frozen=True, kw_only=True)
class DayOfWeek(Rule):
    """The day of the bar's open time is one of `days`, English names in small letters.

    It is the day that it is in `time_zone` then. Bars of a day or longer are labelled in UTC.
    """

    name: ClassVar[str] = "day_of_week"
    days: tuple[str, ...] = DAYS[:5]
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_zone(self.time_zone)
        unknown = sorted(set(self.days) - set(DAYS))
        if unknown or not self.days:
            raise ConfigError(f"day_of_week: days = {list(self.days)}; known: {', '.join(DAYS)}")

    def reads(self, rows: Rows) -> tuple[Floats, ...]:
        """See the base class."""
        days = (days_since_1970(wall_clock(rows.ts, self.time_zone)) + THURSDAY) % 7
        return (np.broadcast_to(days.astype(np.float64)[:, None], rows.shape),)

    def test(self, *values: Floats) -> Bools:
        """See the base class."""
        return np.isin(values[0], [DAYS.index(day) for day in self.days])
