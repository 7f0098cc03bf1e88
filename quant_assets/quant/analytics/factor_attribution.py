"""What the exposures to factors explain of a return series, with errors that allow for memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.series import one_series, steady
from quant_assets.quant.statistics.hac import newey_west

__all__ = ["FactorFit", "factor_regression"]

ALPHA = "alpha"


@dataclass(frozen=True)
class FactorFit:
    """`table`: index `alpha`, then the factors.

    Columns `coefficient` (alpha: per period), `standard_error`, `t_value`, `p_value`, and
    `contribution` per year: coefficient × mean of the factor × ppy. Contributions sum to
    `annual_mean`. `r_squared` is NaN for a constant series; `lags` is that of the errors.
    """

    table: pd.DataFrame
    r_squared: float
    annual_mean: float
    lags: int
    n_rows: int


def factor_regression(
    returns: npt.ArrayLike,
    factors: npt.ArrayLike | pd.DataFrame,
    *,
    periods_per_year: float,
    names: Sequence[str] | None = None,
    lags: int | None = None,
) -> FactorFit:
    """Regress one series `(time,)` on factors `(time,)` or `(time, factor)` and an intercept.

    Both in excess of the risk-free return, where the factor is not a spread already. Newey-West
    errors with `lags` (None: floor(4 (T/100)^(2/9))), t distribution. Rows with a NaN are left out.
    `names` are by default the columns of a DataFrame, else `factor_0`, ….

    Collinear factors are a `DataError`.
    """
    values = np.asarray(factors, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    y = one_series(returns, len(values))
    if names is None:
        names = [f"factor_{k}" for k in range(values.shape[1])]
        if isinstance(factors, pd.DataFrame):
            names = [str(name) for name in factors.columns]
    if len(names) != values.shape[1] or ALPHA in names:
        raise DataError(
            f"names {list(names)} must name {values.shape[1]} factors, none of them {ALPHA!r}"
        )
    x = np.column_stack([np.ones(len(y)), values])
    fit = newey_west(y, x, lags)
    used = ~(np.isnan(y) | np.isnan(values).any(axis=1))
    y, x = y[used], x[used]
    means = x.mean(axis=0) if len(x) else np.full(x.shape[1], np.nan)
    table = pd.DataFrame(
        {
            "coefficient": fit.coefficients,
            "standard_error": fit.standard_errors,
            "t_value": fit.t_values,
            "p_value": fit.p_values,
            "contribution": fit.coefficients * means * periods_per_year,
        },
        index=pd.Index([ALPHA, *names], name="factor"),
    )
    moving = len(y) > 0 and not steady(y[:, None])[0]
    spread = float(((y - y.mean()) ** 2).sum()) if moving else 0.0
    left = float(((y - x @ fit.coefficients) ** 2).sum())
    return FactorFit(
        table=table,
        r_squared=1.0 - left / spread if spread > 0.0 else float("nan"),
        annual_mean=float(y.mean()) * periods_per_year if len(y) else float("nan"),
        lags=int(fit.lags),
        n_rows=int(fit.n_rows),
    )
