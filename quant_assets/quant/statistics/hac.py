"""Means and regressions whose errors may be correlated in time: Newey-West standard errors."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.distributions import Tail, two_sided_p_value

__all__ = ["HacFit", "automatic_lag", "newey_west"]

_EXACT = 16.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class HacFit:
    """Least squares with Newey-West errors: shape (k,) each, or (k, series) for many series.

    covariance : (k, k) or (k, k, series), of the coefficients
    lags, n_rows, n_excluded : () or (series,): lag length, rows used, rows with a NaN
    t_values and p_values are NaN where the fit is exact, so that nothing is left to judge it by.
    """

    coefficients: Floats
    covariance: Floats
    standard_errors: Floats
    t_values: Floats
    p_values: Floats
    lags: npt.NDArray[np.int64]
    n_rows: npt.NDArray[np.int64]
    n_excluded: npt.NDArray[np.int64]


def automatic_lag(n_rows: int) -> int:
    """`floor(4 (T / 100)^(2/9))`, the plug-in rule of Newey & West (1994) for Bartlett weights."""
    return int(np.floor(4.0 * (n_rows / 100.0) ** (2.0 / 9.0)))


def newey_west(
    y: npt.ArrayLike,
    x: npt.ArrayLike | None = None,
    lags: int | None = None,
    *,
    tail: Tail = "t",
    small_sample: bool = False,
) -> HacFit:
    """Regress `y` on `x` with errors that allow for correlation up to `lags` rows apart.

    Covariance `(X'X)^-1 S (X'X)^-1`, `S = G_0 + sum over l of (1 - l / (L + 1)) (G_l + G_l')`,
    `G_l` the lagged products of `x_t e_t`. No prewhitening. A row with a NaN keeps its place in
    time and adds nothing. Infinite values and collinear regressors are a `DataError`. Newey &
    West (1987).

    Parameters
    ----------
    y : shape (row,) or (row, series)
        Each series is fitted alone.
    x : shape (row,) or (row, k), optional
        Regressors as they are: no intercept is added. None: a column of ones, i.e. the mean.
    lags : int, optional
        L; None: `automatic_lag` of the rows used. 0: White's heteroscedasticity-robust errors.
    tail : {"t", "normal"}
        Distribution of the p-values; `t` has rows - k degrees of freedom.
    small_sample : bool
        Multiply the covariance by `n / (n - k)`.
    """
    outcome = np.asarray(y, dtype=np.float64)
    if outcome.ndim not in {1, 2}:
        raise DataError(f"y has shape {outcome.shape}: expected (row,) or (row, series)")
    design = _design(x, len(outcome))
    if np.isinf(outcome).any() or np.isinf(design).any():
        raise DataError("y or x holds an infinite value: mend it or set it to NaN")
    if lags is not None and lags < 0:
        raise ConfigError(f"lags {lags} must be >= 0, or None for the automatic choice")
    series = outcome[:, None] if outcome.ndim == 1 else outcome
    fits = [_fit(column, design, lags) for column in series.T]
    k = design.shape[1]
    coefficients = np.array([fit.coefficients for fit in fits]).reshape(-1, k).T
    covariance = np.moveaxis(np.array([fit.covariance for fit in fits]).reshape(-1, k, k), 0, 2)
    rows = np.array([fit.rows for fit in fits], dtype=np.int64)
    freedom = np.where(rows > k, rows - k, np.nan)
    if small_sample:
        covariance = covariance * (rows / freedom)
    errors = np.sqrt(np.moveaxis(np.diagonal(covariance), 0, 1))
    t_values = coefficients / np.where(errors > 0.0, errors, np.nan)
    fit = HacFit(
        coefficients=coefficients,
        covariance=covariance,
        standard_errors=errors,
        t_values=t_values,
        p_values=two_sided_p_value(t_values, freedom, tail),
        lags=np.array([fit.lags for fit in fits], dtype=np.int64),
        n_rows=rows,
        n_excluded=len(outcome) - rows,
    )
    return fit if outcome.ndim == 2 else HacFit(*(value[..., 0] for value in vars(fit).values()))


class _Fit(NamedTuple):
    coefficients: Floats
    covariance: Floats
    lags: int
    rows: int


def _design(x: npt.ArrayLike | None, n_rows: int) -> Floats:
    if x is None:
        return np.ones((n_rows, 1))
    design = np.asarray(x, dtype=np.float64)
    design = design[:, None] if design.ndim == 1 else design
    if design.ndim != 2 or len(design) != n_rows or design.shape[1] == 0:
        raise DataError(f"x has shape {design.shape}: expected {n_rows} rows and k >= 1 columns")
    return design


def _fit(y: Floats, x: Floats, lags: int | None) -> _Fit:
    used = ~(np.isnan(y) | np.isnan(x).any(axis=1))
    rows, k = int(np.count_nonzero(used)), x.shape[1]
    chosen = automatic_lag(rows) if lags is None else lags
    if rows < k:
        return _Fit(np.full(k, np.nan), np.full((k, k), np.nan), chosen, rows)
    scale = np.sqrt((x[used] ** 2).mean(axis=0))
    design = np.where(used[:, None], x, 0.0) / np.where(scale > 0.0, scale, 1.0)
    target = np.where(used, y, 0.0)
    q, r = np.linalg.qr(design)
    if np.abs(np.diagonal(r)).min() <= rows * _EXACT * np.abs(np.diagonal(r)).max():
        raise DataError(f"the {k} columns of x are collinear on the {rows} rows used: drop one")
    coefficients = np.linalg.solve(r, q.T @ target)
    errors = np.where(used, target - design @ coefficients, 0.0)
    # Each row of q e, mapped back by R^-1, is that row's part of the coefficients' error.
    scores = q * errors[:, None]
    middle = scores.T @ scores
    for lag in range(1, min(chosen, len(y) - 1) + 1):
        products = scores[lag:].T @ scores[:-lag]
        middle += (1.0 - lag / (chosen + 1.0)) * (products + products.T)
    if np.abs(errors).max() <= _EXACT * np.abs(target).max():
        middle[:] = 0.0
    half = np.linalg.solve(r, np.linalg.solve(r, middle).T)
    return _Fit(coefficients / scale, half / np.outer(scale, scale), chosen, rows)
