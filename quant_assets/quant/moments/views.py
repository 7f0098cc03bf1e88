"""Expected returns that blend an equilibrium with views (Black & Litterman 1992)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError

Floats = npt.NDArray[np.float64]

__all__ = ["Posterior", "View", "absolute_view", "black_litterman", "relative_view"]


@dataclass(frozen=True)
class View:
    """The portfolio `picks` (asset index, weight) is expected to return `expected` per period.

    `confidence` in [0, 1] is Idzorek's (2005): 1 is certain, 0 says nothing, and 0.5 is the classic
    uncertainty `p tau Sigma p'` of He & Litterman (1999).
    """

    picks: tuple[tuple[int, float], ...]
    expected: float
    confidence: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ConfigError(f"confidence is {self.confidence}; give one in [0, 1]")
        if not self.picks or not np.isfinite([self.expected, *(w for _, w in self.picks)]).all():
            raise ConfigError(f"a view needs assets and finite numbers, found {self}")


def absolute_view(asset: int, expected: float, *, confidence: float = 0.5) -> View:
    """Asset number `asset` returns `expected` per period."""
    return View(((asset, 1.0),), expected, confidence)


def relative_view(better: int, worse: int, by: float, *, confidence: float = 0.5) -> View:
    """Asset `better` returns `by` per period more than asset `worse`."""
    return View(((better, 1.0), (worse, -1.0)), by, confidence)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Expected returns (asset,) and covariance (asset, asset), both per period."""

    mean: Floats
    covariance: Floats


def black_litterman(
    covariance: npt.ArrayLike,
    prior_mean: npt.ArrayLike,
    views: Sequence[View],
    *,
    tau: float = 0.05,
) -> Posterior:
    """Posterior of expected returns after `views`, and the covariance to use with it.

    `mean = pi + tau S P' (P tau S P' + Omega)^-1 (q - P pi)`; the covariance is `S + M`, M that of
    the posterior mean (Walters 2014, equations 18, 21 and 24). Omega is diagonal: `(1 - c) / c`
    times the diagonal of `P tau S P'`, c the views' confidences. Certain views hold exactly;
    such views that say the same are a `DataError`. A riskless portfolio keeps its
    prior.
    """
    sigma = np.asarray(covariance, dtype=np.float64)
    prior = np.asarray(prior_mean, dtype=np.float64)
    if sigma.shape != (prior.size, prior.size) or prior.ndim != 1:
        raise DataError(f"covariance {sigma.shape} does not fit a prior mean of {prior.shape}")
    if not tau > 0:
        raise ConfigError(f"tau is {tau}; give a positive number")
    picks, expected = _matrix(views, prior.size)
    confidence = np.array([view.confidence for view in views])
    # a view without confidence says nothing; one on a riskless portfolio meets a certain prior
    heard = (confidence > 0) & (np.einsum("vi,ij,vj->v", picks, sigma, picks) > 0)
    if not heard.any():
        return Posterior(prior.copy(), (1.0 + tau) * sigma)
    picks, expected, confidence = picks[heard], expected[heard], confidence[heard]
    spread = tau * sigma @ picks.T
    certainty = picks @ spread
    doubt = np.diag((1.0 - confidence) / confidence * np.diag(certainty))
    try:
        gain = np.linalg.solve(certainty + doubt, spread.T).T
    except np.linalg.LinAlgError as cause:
        raise DataError(
            f"{len(picks)} views cannot all be certain: some of them say the same. "
            "Lower a confidence or drop one."
        ) from cause
    mean = prior + gain @ (expected - picks @ prior)
    total = (1.0 + tau) * sigma - gain @ spread.T
    return Posterior(np.asarray(mean), np.asarray((total + total.T) * 0.5))


def _matrix(views: Sequence[View], n_assets: int) -> tuple[Floats, Floats]:
    """P (view, asset) and q (view,)."""
    picks = np.zeros((len(views), n_assets))
    for row, view in enumerate(views):
        for asset, weight in view.picks:
            if not 0 <= asset < n_assets:
                raise DataError(f"a view names asset {asset} of {n_assets}: count from 0")
            picks[row, asset] += weight
    return picks, np.array([view.expected for view in views])
