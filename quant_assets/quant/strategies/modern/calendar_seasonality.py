"""What rose in this month of other years."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from quant_assets.core.parameters import choice, number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import months_since_1970
from quant_assets.quant.strategies.columns import Rows
from quant_assets.quant.strategies.library_parts import Floats, RowStrategy, ranked_weights, turns
from quant_assets.quant.strategies.signals import Signals

__all__ = ["CalendarSeasonality"]


TURN, SCORE = "month.turns", "calendar.score"


@dataclass(frozen=True, kw_only=True)
class CalendarSeasonality(RowStrategy):
    """Each month long the `share` with the best mean return in the same month of `years` years.

    `both`: half of equity, against a short half in those with the worst. All years must be known.
    """

    name: ClassVar[str] = "calendar_seasonality"
    source: ClassVar[str] = (
        "Heston & Sadka (2008), Seasonality in the Cross-Section of Stock Returns"
    )
    years: int = whole(5, least=1)
    share: float = number(0.3, above=0.0, most=0.5)
    sides: Literal["both", "long"] = choice("both", "long")

    def columns(self, bars: BarPanel) -> Mapping[str, Floats]:
        """Whether a month begins, and the mean return of that month in the years before."""
        turned = turns(bars, "month")
        months = months_since_1970(bars.ts)
        rows = np.flatnonzero(turned.any(axis=1))
        first = months.min(initial=0 if not len(months) else months[0])
        ends = np.full((1 + int(np.ptp(months)) if len(months) else 1, bars.close.shape[1]), np.nan)
        ends[months[rows - 1] - first] = bars.close[rows - 1]
        gains = np.full_like(ends, np.nan)
        gains[1:] = ends[1:] / ends[:-1] - 1.0
        score = np.full_like(bars.close, np.nan)
        for row in rows:
            past = months[row] - first - 12 * np.arange(1, self.years + 1)
            if past[-1] >= 0:
                score[row] = gains[past].mean(axis=0)
        return {TURN: turned, SCORE: score}

    def decide(self, rows: Rows) -> Signals:
        """See the base class."""
        weights = ranked_weights(rows.among(rows[SCORE]), self.share, self.sides)
        return Signals(target=np.where(rows[TURN] > 0.0, weights, np.nan))
