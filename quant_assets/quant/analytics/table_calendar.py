"""Figures of calendar months and years, by UTC: formulas over their compounded returns."""

from collections.abc import Callable

import numpy as np

from quant_assets.quant.analytics.table_metrics import Metric
from quant_assets.quant.analytics.totals import MONTHS, YEARS, CalendarTotals, Totals, positive


def _of_spans(kind: str, noun: str, pick: Callable[[Totals], CalendarTotals]) -> list[Metric]:
    needs = frozenset({kind})
    return [
        Metric(
            f"best_{noun}",
            "fraction",
            f"largest return of a calendar {noun}",
            lambda t: np.where(pick(t).spans > 0.0, pick(t).best, np.nan),
            needs,
        ),
        Metric(
            f"worst_{noun}",
            "fraction",
            f"smallest return of a calendar {noun}",
            lambda t: np.where(pick(t).spans > 0.0, pick(t).worst, np.nan),
            needs,
        ),
        Metric(
            f"average_{noun}",
            "fraction",
            f"mean return of the calendar {noun}s",
            lambda t: pick(t).total / positive(pick(t).spans),
            needs,
        ),
        Metric(
            f"positive_{noun}s",
            "share",
            f"share of calendar {noun}s with a gain",
            lambda t: pick(t).gains / positive(pick(t).spans),
            needs,
        ),
    ]


CALENDAR_METRICS = [
    *_of_spans(MONTHS, "month", lambda t: t.months),
    *_of_spans(YEARS, "year", lambda t: t.years),
]
