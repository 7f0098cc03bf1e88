"""The performance table: some eighty figures of one or ten thousand strategies at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.annualisation import check_annualisation
from quant_assets.quant.analytics.series import to_columns
from quant_assets.quant.analytics.table_calendar import CALENDAR_METRICS
from quant_assets.quant.analytics.table_metrics import OWN_METRICS, Metric
from quant_assets.quant.analytics.table_relative import RELATIVE_METRICS
from quant_assets.quant.analytics.totals import OWN, Inputs, Totals, measure

__all__ = ["metric_definitions", "performance_table"]

_METRICS = {metric.name: metric for metric in (*OWN_METRICS, *CALENDAR_METRICS, *RELATIVE_METRICS)}


def metric_definitions() -> pd.DataFrame:
    """Every column of `performance_table`: index `name`; `unit`, `formula`, `needs`."""
    rows = [(m.name, m.unit, m.formula, _needs(m)) for m in _METRICS.values()]
    return pd.DataFrame(rows, columns=["name", "unit", "formula", "needs"]).set_index("name")


def _needs(metric: Metric) -> str:
    if metric in RELATIVE_METRICS:
        return "benchmark"
    return "ts" if OWN not in metric.needs else ""


def performance_table(
    returns: npt.ArrayLike | pd.DataFrame,
    *,
    periods_per_year: float,
    risk_free: npt.ArrayLike = 0.0,
    benchmark: npt.ArrayLike | None = None,
    ts: pd.DatetimeIndex | None = None,
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per strategy, one column per figure; `metric_definitions()` tells their formulas.

    Parameters
    ----------
    returns : simple returns, `(time,)` or `(time, strategy)`. The columns of a DataFrame name the
        rows of the table, its DatetimeIndex is `ts`. NaN rows are left out, strategy by strategy:
        before the first and after the last known row it was not alive, what is missing between
        them is counted in `n_missing`.
    periods_per_year : checked against `ts`; more than 5 % apart is an error that shows both.
    risk_free : yearly rate (converted geometrically) or one return per row.
    benchmark : `(time,)`; its figures are over the rows where both are known.
    ts : sorted UTC times of the rows, for months and years.
    metrics : names in the wanted order; None means all that the inputs allow.

    Each strategy's figures depend on its own column only. Memory beyond the table is some
    megabytes: strategies are worked on in blocks.

    Raises
    ------
    DataError
        An infinite return, an unknown figure, one whose input was not given, inputs of different
        lengths, or a wrong `periods_per_year`.
    """
    names: Sequence[object] | pd.Index
    if isinstance(returns, pd.DataFrame):
        names, values = returns.columns, returns.to_numpy(dtype=np.float64)
        if ts is None and isinstance(returns.index, pd.DatetimeIndex):
            ts = returns.index
    else:
        values = to_columns(returns)
        names = pd.RangeIndex(values.shape[1])
    _check_times(ts, len(values), periods_per_year)
    inputs = Inputs(values, periods_per_year, risk_free, benchmark, ts)
    wanted = _wanted(metrics, inputs)
    totals = measure(inputs, {OWN}.union(*(metric.needs for metric in wanted)))
    _refuse_infinities(totals, names)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        columns = {metric.name: metric.value(totals) for metric in wanted}
    return pd.DataFrame(columns, index=names)


def _check_times(ts: pd.DatetimeIndex | None, n_rows: int, periods_per_year: float) -> None:
    if ts is None:
        return
    if len(ts) != n_rows or not ts.is_monotonic_increasing:
        raise DataError(
            f"ts must be the sorted times of the {n_rows} rows of returns, found {len(ts)} times, "
            f"sorted: {ts.is_monotonic_increasing}"
        )
    check_annualisation(ts, periods_per_year)


def _wanted(metrics: Sequence[str] | None, inputs: Inputs) -> list[Metric]:
    """Look the names up; all that the inputs allow for None."""
    kinds = inputs.kinds
    if metrics is None:
        return [metric for metric in _METRICS.values() if metric.needs <= kinds]
    unknown = [name for name in metrics if name not in _METRICS]
    if unknown:
        raise DataError(f"no figures {unknown}; known: {', '.join(_METRICS)}")
    wanted = [_METRICS[name] for name in metrics]
    lacking = {metric.name: sorted(metric.needs - kinds) for metric in wanted}
    lacking = {name: needs for name, needs in lacking.items() if needs}
    if lacking:
        raise DataError(f"figures need inputs that were not given: {lacking}")
    return wanted


def _refuse_infinities(totals: Totals, names: Sequence[object] | pd.Index) -> None:
    infinite = (totals.own.low == -np.inf) | (totals.own.high == np.inf)
    found = np.flatnonzero(infinite & (totals.own.n > 0.0))
    if len(found):
        raise DataError(
            f"{len(found)} strategies have infinite returns, the first is {names[found[0]]!r}; "
            "mend the prices, or mark these rows as NaN"
        )
