"""Covariance estimators of simple returns: `(time, asset)` in, `(asset, asset)` per period out.

Rows that hold a NaN are dropped; fewer than two whole rows, or an infinity, is a `DataError`.
Every estimate is symmetric and positive semidefinite up to rounding.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError

Floats = npt.NDArray[np.float64]
EWMA_HALF_LIFE = 63.0


def complete_rows(returns: npt.ArrayLike) -> Floats:
    """Rows of `returns` (time, asset) without a NaN, in order, as float64."""
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise DataError(f"returns must be (time, asset) with assets, found shape {values.shape}")
    whole = ~np.isnan(values).any(axis=1)
    kept = values if whole.all() else values[whole]
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} of {len(values)} rows are free of NaN; a covariance needs 2. "
            "Give a longer history or fewer assets."
        )
    if not np.isfinite(kept).all():
        row, column = np.argwhere(np.isinf(kept))[0]
        raise DataError(
            f"returns[{row}, {column}] is {kept[row, column]}: mend the price before it"
        )
    return kept


def sample_covariance(returns: npt.ArrayLike) -> Floats:
    """Unbiased sample covariance (ddof 1) of `returns` (time, asset)."""
    values = complete_rows(returns)
    centred = values - values.mean(axis=0)
    return _gram(centred) / (len(values) - 1)


def ewma_covariance(returns: npt.ArrayLike, *, half_life: float = EWMA_HALF_LIFE) -> Floats:
    """Exponentially weighted covariance around the weighted mean, weights summing to 1 (biased).

    The newest row weighs 1, the row `half_life` rows before it 1/2; equals pandas'
    `ewm(halflife=half_life).cov(bias=True)` on its last row when no row is dropped.
    """
    if not half_life > 0:
        raise ConfigError(f"half_life is {half_life} rows; give a positive number")
    values = complete_rows(returns)
    weights = 0.5 ** (np.arange(len(values) - 1, -1, -1, dtype=np.float64) / half_life)
    weights /= weights.sum()
    centred = values - weights @ values
    return _gram(np.sqrt(weights)[:, None] * centred)


def ledoit_wolf(returns: npt.ArrayLike) -> Floats:
    """Sample covariance (1/T) shrunk towards mu*I, mu the mean variance.

    Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004);
    the same numbers as `sklearn.covariance.ledoit_wolf`.
    """
    return _ledoit_wolf(returns)[0]


def ledoit_wolf_shrinkage(returns: npt.ArrayLike) -> float:
    """Return the shrinkage intensity in [0, 1] that `ledoit_wolf` uses."""
    return _ledoit_wolf(returns)[1]


def _ledoit_wolf(returns: npt.ArrayLike) -> tuple[Floats, float]:
    values = complete_rows(returns)
    n_rows, n_assets = values.shape
    centred = values - values.mean(axis=0)
    covariance = _gram(centred) / n_rows
    if n_assets == 1:
        return covariance, 0.0
    mean_variance = float(np.trace(covariance)) / n_assets
    squared = float((covariance * covariance).sum())
    norms = (centred * centred).sum(axis=1)
    # LW's b^2 and d^2: estimation error of the sample covariance, and its distance to the target
    error = (float(norms @ norms) / n_rows - squared) / (n_assets * n_rows)
    distance = squared / n_assets - mean_variance * mean_variance
    error = min(error, distance)
    shrinkage = 0.0 if error <= 0 else error / distance
    covariance *= 1.0 - shrinkage
    covariance.flat[:: n_assets + 1] += shrinkage * mean_variance
    return covariance, shrinkage


def _gram(rows: Floats) -> Floats:
    """`rows' rows`, exactly symmetric."""
    product = rows.T @ rows
    return np.asarray((product + product.T) * 0.5, dtype=np.float64)


_ESTIMATORS: dict[str, Callable[[npt.ArrayLike], Floats]] = {
    "ewma": ewma_covariance,
    "ledoit_wolf": ledoit_wolf,
    "sample": sample_covariance,
}


def covariance_matrix(returns: npt.ArrayLike, *, estimator: str = "ledoit_wolf") -> Floats:
    """Covariance of `returns` by the estimator of that name: ewma, ledoit_wolf or sample."""
    if estimator not in _ESTIMATORS:
        raise ConfigError(f"no covariance estimator {estimator!r}; known: {sorted(_ESTIMATORS)}")
    return _ESTIMATORS[estimator](returns)
