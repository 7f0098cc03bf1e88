"""In for the days around the end of the month."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import whole
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import RowStrategy, next_weekday
from quant_assets.quant.strategies.signals import Signals

__all__ = ["TurnOfMonth"]


@dataclass(frozen=True, kw_only=True)
class TurnOfMonth(RowStrategy):
    """Held over the last `before` and the first `after` weekdays of each month.

    The decision is for the next weekday, which the calendar tells in advance; a holiday counts as a
    weekday. On markets without weekends the position is kept over them.
    """

    name: ClassVar[str] = "turn_of_month"
    source: ClassVar[str] = "Ariel (1987); Lakonishok & Smidt (1988), Are Seasonal Anomalies Real?"
    symbolwise: ClassVar[bool] = True
    before: int = whole(1, least=0)
    after: int = whole(3, least=0)

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        day = next_weekday(rows)
        month = day.astype("datetime64[M]")
        gone = np.busday_count(month.astype("datetime64[D]"), day)
        left = np.busday_count(day, (month + 1).astype("datetime64[D]"))
        inside = (gone < self.after) | (left <= self.before)
        here = np.broadcast_to(inside[:, None], rows.shape)
        return Signals(entry_long=np.array(here), exit_long=~here)
