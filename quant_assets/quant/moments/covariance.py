"""Covariance of simple returns: `(time, asset)` in, `(asset, asset)` per period out.

`covariance_matrix` takes the name of an estimator in `quant.moments.covariances`, or one with its
parameters. Every estimate is symmetric and positive semidefinite up to rounding. Missing returns
are handled by a policy that is named; fewer than two usable rows, or an infinity, is a `DataError`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.covariances.ewma import HALF_LIFE, EwmaCovariance
from quant_assets.quant.moments.covariances.ledoit_wolf import shrink_to_identity
from quant_assets.quant.moments.covariances.sample import SampleCovariance
from quant_assets.quant.moments.missing import POLICIES
from quant_assets.quant.moments.rows import complete_rows

Floats = npt.NDArray[np.float64]
Estimator = str | CovarianceEstimator
COVARIANCES = "quant_assets.quant.moments.covariances"
DEFAULT = "ledoit_wolf"
WHOLE = "complete_rows"

__all__ = [
    "complete_rows",
    "covariance_estimator",
    "covariance_matrix",
    "ewma_covariance",
    "ledoit_wolf",
    "ledoit_wolf_shrinkage",
    "sample_covariance",
]


def covariance_matrix(
    returns: npt.ArrayLike, *, estimator: Estimator = DEFAULT, missing: str = WHOLE
) -> Floats:
    """Covariance of `returns` (time, asset) by `estimator`, a name or a `CovarianceEstimator`.

    missing : `complete_rows` drops every row with a NaN. `pairwise` takes each covariance from the
    pair's common rows; `available` each volatility from all of the asset's own rows and each
    correlation from the common ones. Both of the latter move a matrix that is not positive
    semidefinite to the nearest one that is (Higham 2002), and are refused by estimators that need
    whole rows. All three agree when nothing is missing.
    """
    chosen = covariance_estimator(estimator)
    if missing == WHOLE:
        return chosen.estimate(complete_rows(returns))
    if missing not in POLICIES:
        raise ConfigError(f"no policy {missing!r}; known: {sorted([*POLICIES, WHOLE])}")
    if not chosen.takes_pairs:
        able = [name for name, kind in _estimators().items() if kind.takes_pairs]
        raise ConfigError(
            f"{chosen.name} needs whole rows and cannot use missing={missing!r}; these can: {able}"
        )
    pairs = POLICIES[missing](returns)
    return chosen.from_sample(pairs.covariance, pairs.n_rows)


def covariance_estimator(estimator: Estimator) -> CovarianceEstimator:
    """The estimator of that name with its default parameters; an estimator is returned as it is."""
    if isinstance(estimator, CovarianceEstimator):
        return estimator
    known = _estimators()
    if estimator not in known:
        raise ConfigError(f"no covariance estimator {estimator!r}; known: {sorted(known)}")
    kind: Any = known[estimator]
    try:
        made: CovarianceEstimator = kind()
    except TypeError as cause:
        raise ConfigError(
            f"the covariance estimator {estimator!r} has no defaults: pass "
            f"{kind.__name__}(...) instead of its name"
        ) from cause
    return made


def sample_covariance(returns: npt.ArrayLike) -> Floats:
    """Unbiased sample covariance (ddof 1) of `returns` (time, asset)."""
    return SampleCovariance().estimate(complete_rows(returns))


def ewma_covariance(returns: npt.ArrayLike, *, half_life: float = HALF_LIFE) -> Floats:
    """Exponentially weighted covariance; see `EwmaCovariance`."""
    return EwmaCovariance(half_life).estimate(complete_rows(returns))


def ledoit_wolf(returns: npt.ArrayLike) -> Floats:
    """Covariance (1/T) shrunk towards a multiple of the identity; see `LedoitWolf`."""
    return shrink_to_identity(complete_rows(returns))[0]


def ledoit_wolf_shrinkage(returns: npt.ArrayLike) -> float:
    """Return the shrinkage intensity in [0, 1] that `ledoit_wolf` uses."""
    return shrink_to_identity(complete_rows(returns))[1]


def _estimators() -> dict[str, type[CovarianceEstimator]]:
    return discover(COVARIANCES, CovarianceEstimator)
