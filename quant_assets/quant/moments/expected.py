"""Expected returns per period of simple returns `(time, asset)`, by name or by estimator.

Rows with a NaN are dropped (`complete_rows`): means of different rows are not comparable.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.quant.moments.means.base import MeanEstimator
from quant_assets.quant.moments.rows import complete_rows

Floats = npt.NDArray[np.float64]
MEANS = "quant_assets.quant.moments.means"

__all__ = ["blend_alphas", "expected_returns"]


def expected_returns(
    returns: npt.ArrayLike, *, estimator: str | MeanEstimator = "sample"
) -> Floats:
    """Expected returns (asset,) per period by `estimator`, a name or a `MeanEstimator`."""
    if isinstance(estimator, MeanEstimator):
        return estimator.estimate(complete_rows(returns))
    known = discover(MEANS, MeanEstimator)
    if estimator not in known:
        raise ConfigError(f"no estimator of means {estimator!r}; known: {sorted(known)}")
    kind: Any = known[estimator]
    made: MeanEstimator = kind()
    return made.estimate(complete_rows(returns))


def blend_alphas(
    scores: npt.ArrayLike,
    *,
    information_coefficients: npt.ArrayLike,
    volatility: npt.ArrayLike,
    score_correlation: npt.ArrayLike | None = None,
) -> Floats:
    """Expected residual returns (asset,) of several signals: `volatility x IC x score`, summed.

    scores : (asset, signal), standardised across assets (mean 0, standard deviation 1); NaN = no
    opinion, counts 0. information_coefficients : (signal,) correlations of score and later return.
    volatility : (asset,), its unit of time is that of the answer. score_correlation : (signal,
    signal), positive definite, None for uncorrelated signals.

    Correlated signals share their news: the weights are `R^-1 IC` (Grinold & Kahn, Active Portfolio
    Management, 2nd ed., equations 10.8 and 11.20; one signal is Grinold 1994).
    """
    table = np.asarray(scores, dtype=np.float64)
    skill = np.asarray(information_coefficients, dtype=np.float64)
    risk = np.asarray(volatility, dtype=np.float64)
    if table.ndim != 2 or skill.shape != (table.shape[1],) or risk.shape != (table.shape[0],):
        raise ConfigError(
            f"scores {table.shape} need one volatility per row and one coefficient per column; "
            f"found {risk.shape} and {skill.shape}"
        )
    if not (np.abs(skill) <= 1.0).all():
        raise ConfigError(f"information coefficients are correlations in [-1, 1], found {skill}")
    weights = skill
    if score_correlation is not None:
        correlation = np.asarray(score_correlation, dtype=np.float64)
        try:
            np.linalg.cholesky(correlation)
        except np.linalg.LinAlgError as cause:
            raise ConfigError(
                f"score_correlation is not positive definite: {correlation.tolist()}; "
                "merge signals that say the same"
            ) from cause
        weights = np.asarray(np.linalg.solve(correlation, skill), dtype=np.float64)
    return np.asarray(risk * (np.nan_to_num(table, nan=0.0) @ weights))
