"""Shapes, missing rows and safe divisions that all performance figures share."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.per_period import sharpe

Figure = float | Floats
Flags = npt.NDArray[np.bool_]
RESOLUTION = 1e-14


def to_columns(returns: npt.ArrayLike) -> Floats:
    """`(time,)` or `(time, strategy)` as `(time, strategy)`, float64."""
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise DataError(f"returns must be (time,) or (time, strategy), found shape {values.shape}")
    return values


def as_columns(returns: npt.ArrayLike) -> Floats:
    """`to_columns`; an infinite return is a `DataError`."""
    values = to_columns(returns)
    if np.isinf(values).any():
        infinite = np.argwhere(np.isinf(values))
        raise DataError(
            f"{len(infinite)} returns are infinite, the first is in row {infinite[0][0]}; mend the "
            "prices, or mark these rows as NaN"
        )
    return values


def as_figure(returns: npt.ArrayLike, values: npt.ArrayLike) -> Figure:
    """One value per strategy; a plain float when `returns` was one series."""
    figures = np.asarray(values, dtype=np.float64)
    return float(figures.reshape(-1)[0]) if np.ndim(returns) == 1 else figures


def one_series(returns: npt.ArrayLike, n_rows: int) -> Floats:
    """Return `returns` as `(time,)` of `n_rows`; anything else is a `DataError`."""
    values = np.asarray(returns, dtype=np.float64)
    if values.shape != (n_rows,):
        raise DataError(
            f"expected one series of {n_rows} returns, one for each ts, found shape {values.shape}"
        )
    return values


def per_strategy(returns: npt.ArrayLike, figure: Callable[[Floats], float]) -> Figure:
    """`figure` of each column without its NaN rows."""
    columns = as_columns(returns)
    return as_figure(returns, [figure(column[~np.isnan(column)]) for column in columns.T])


def ratio(numerator: float, denominator: float) -> float:
    """Quotient; NaN where the denominator is 0 (never an infinity, never a warning)."""
    return float(numerator) / float(denominator) if denominator != 0.0 else float("nan")


def steady(columns: Floats) -> Flags:
    """Mark the columns that are constant up to rounding: their rows differ by 1e-14 or less.

    Simple returns are differences of numbers near 1, so they carry an absolute error of some 1e-16.
    """
    high = np.fmax.reduce(columns, axis=0, initial=-np.inf)
    low = np.fmin.reduce(columns, axis=0, initial=np.inf)
    flags: Flags = high - low <= RESOLUTION
    return flags


def sharpe_of(columns: Floats) -> Floats:
    """Per-period Sharpe ratio (ddof 1) of each column; NaN for a steady one."""
    return np.where(steady(columns), np.nan, sharpe(columns))


def aligned(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Columns of both, `(time, strategy)` and `(time, 1)`; different lengths are a `DataError`."""
    columns = as_columns(returns)
    return columns, benchmark_rows(benchmark, len(columns))


def benchmark_rows(benchmark: npt.ArrayLike, n_rows: int) -> Floats:
    """Benchmark returns `(time, 1)`; another length than `n_rows` is a `DataError`."""
    other = as_columns(benchmark)
    if other.shape != (n_rows, 1):
        raise DataError(
            f"the benchmark has shape {np.shape(benchmark)}, the returns have {n_rows} rows; "
            "align it by ts first"
        )
    return other


def risk_free_rows(risk_free: npt.ArrayLike, n_rows: int, periods_per_year: float) -> Floats:
    """Per-period risk-free returns, `(time, 1)`.

    `risk_free` is a yearly rate, converted geometrically to (1 + rf)^(1 / ppy) - 1, or simple
    returns per period, one for each row; NaN among them is a `DataError`, not a zero.
    """
    values = np.asarray(risk_free, dtype=np.float64)
    if values.ndim == 0:
        return np.full((n_rows, 1), (1.0 + float(values)) ** (1.0 / periods_per_year) - 1.0)
    if values.shape != (n_rows,):
        raise DataError(
            f"the risk-free series has shape {values.shape}, the returns have {n_rows} rows; align "
            "it by ts first"
        )
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise DataError(
            f"the risk-free series lacks {len(missing)} of {n_rows} rows, the first is row "
            f"{missing[0]}; deliver them, or declare the series as assumed zero"
        )
    return values[:, None]
