"""The heat map of calendar-month returns: years down, months across, and each year's total."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.metrics import monthly_returns
from quant_assets.quant.market.panel import Floats
from quant_assets.reporting.formats import percent
from quant_assets.reporting.performance import Performance

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (0.0, 0.01, 0.025, 0.05, 0.09)
_YEAR_FACTOR = 3.5


@dataclass(frozen=True)
class HeatCell:
    """Text and tint class, `up-1` to `up-5` or `down-1` to `down-5`."""

    text: str
    tone: str


@dataclass(frozen=True)
class HeatRow:
    """One calendar year."""

    year: int
    months: tuple[HeatCell, ...]
    total: HeatCell


@dataclass(frozen=True)
class Heat:
    """One table of the section, with the title of its tab."""

    title: str
    rows: tuple[HeatRow, ...]


def tint(value: float, scale: float = 1.0) -> str:
    """Class of a return: five steps either way, at 0, 1, 2.5, 5 and 9 per cent times `scale`."""
    if not np.isfinite(value) or abs(value) < 5e-5:
        return ""
    level = sum(abs(value) > step * scale for step in _STEPS)
    return f"{'up' if value > 0 else 'down'}-{level}"


def monthly_heats(performance: Performance) -> list[Heat]:
    """Tabulate the focus entrant; with a benchmark also the benchmark and the difference."""
    ours = monthly_returns(performance.focus_returns, performance.ts)
    tables = [(performance.focus.capitalize(), ours, _totals(ours))]
    if performance.has_benchmark:
        theirs = monthly_returns(performance.benchmark_returns, performance.ts)
        tables.append(("Benchmark", theirs, _totals(theirs)))
        tables.append(("Excess", ours - theirs, _totals(ours) - _totals(theirs)))
    return [Heat(title, _rows(months, totals)) for title, months, totals in tables]


def _totals(months: pd.DataFrame) -> Floats:
    """Compounded months of each year; months without a row are left out."""
    totals: Floats = np.nanprod(1.0 + months.to_numpy(dtype="float64"), axis=1) - 1.0
    return totals


def _rows(months: pd.DataFrame, totals: Floats) -> tuple[HeatRow, ...]:
    """Newest year first."""
    cells = months.to_numpy(dtype="float64")
    rows = [
        HeatRow(
            int(year),
            tuple(_cell(value, 1.0) for value in values.tolist()),
            _cell(float(total), _YEAR_FACTOR),
        )
        for year, values, total in zip(months.index, cells, totals, strict=True)
    ]
    return tuple(reversed(rows))


def _cell(value: float, scale: float) -> HeatCell:
    text = percent(value, 1).removesuffix("%") if np.isfinite(value) else ""
    return HeatCell(text, tint(value, scale))
