"""Every figure of the entrant shown in detail beside the benchmark's."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.table import metric_definitions, performance_table
from quant_assets.reporting.formats import MISSING, count, percent, ratio
from quant_assets.reporting.performance import Performance
from quant_assets.reporting.tables import Cell, Column, Row, Table, number, word

BENCHMARK = "Benchmark"


def figures_table(performance: Performance | None, bars_per_year: float) -> Table:
    """One row per figure of `performance_table`, with its formula; no table without returns."""
    if performance is None:
        return Table(())
    has_benchmark = performance.has_benchmark
    focus = performance.net[:, performance.entrants.index(performance.focus)]
    shown = {performance.focus: focus}
    if has_benchmark:
        shown |= {BENCHMARK: performance.benchmark}
    found = performance_table(
        pd.DataFrame(shown, index=performance.ts),
        periods_per_year=bars_per_year,
        risk_free=performance.risk_free,
        benchmark=performance.benchmark if has_benchmark else None,
    )
    definitions = metric_definitions().loc[list(found.columns)]
    rows = []
    for name, unit, formula, needs in definitions[["unit", "formula", "needs"]].itertuples():
        values = found[name].to_numpy().tolist()
        cells = [_cell(value, unit) for value in values]
        if needs == "benchmark":  # the benchmark beside itself says nothing
            cells[-1] = Cell(MISSING)
        rows.append(Row((word(name.replace("_", " ")), *cells, word(formula))))
    titles = [Column(title) for title in shown]
    columns = (Column("Figure", numeric=False), *titles, Column("Formula", numeric=False))
    return Table(columns, tuple(rows), sortable=True)


def _cell(value: float, unit: str) -> Cell:
    text = _TEXTS.get(unit, ratio)(value)
    return number(value, "∞" if np.isposinf(value) else text)


def _percent(value: float) -> str:
    return percent(value, 2)


_TEXTS: dict[str, Callable[[float], str]] = {
    "fraction": _percent,
    "per year": _percent,
    "per period": _percent,
    "share": _percent,
    "rows": lambda value: ratio(value, 1) if value % 1 else count(value),
}
