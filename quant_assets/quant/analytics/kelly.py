"""Bets that make wealth grow fastest, as fractions of equity [Kelly 1956; Thorp 2006]."""

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats

__all__ = ["binary_kelly", "continuous_kelly", "kelly_weights", "long_only_bet"]


def binary_kelly(win_rate: npt.ArrayLike, payoff_ratio: npt.ArrayLike) -> Floats:
    """Stake p - (1 - p) / b where a unit wins b with probability p, and is lost otherwise.

    Negative for a bad bet: see `long_only_bet`. NaN where b is 0.
    """
    p, b = np.asarray(win_rate, dtype=np.float64), np.asarray(payoff_ratio, dtype=np.float64)
    if ((p < 0.0) | (p > 1.0) | (b < 0.0)).any():
        raise DataError(f"win_rate must be in [0, 1] and payoff_ratio >= 0; found {p} and {b}")
    return np.asarray(p - (1.0 - p) / np.where(b > 0.0, b, np.nan))


def continuous_kelly(
    mean: npt.ArrayLike, variance: npt.ArrayLike, risk_free: npt.ArrayLike = 0.0
) -> Floats:
    """(mean - risk_free) / variance, all of the same period. NaN without variance."""
    spread = np.asarray(variance, dtype=np.float64)
    edge = np.asarray(mean, dtype=np.float64) - np.asarray(risk_free, dtype=np.float64)
    return np.asarray(edge / np.where(spread > 0.0, spread, np.nan))


def kelly_weights(excess_mean: npt.ArrayLike, covariance: npt.ArrayLike) -> Floats:
    """inv(Σ) mu for several assets `(asset,)`, mu in excess of the risk-free return.

    A singular or indefinite Σ is a `DataError`: shrink it first (`quant.moments`).
    """
    mu, sigma = np.asarray(excess_mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)):
        raise DataError(
            f"expected mu (asset,) and Σ (asset, asset), found {mu.shape}, {sigma.shape}"
        )
    scale = np.sqrt(np.diag(sigma))
    if not (scale > 0.0).all():
        raise DataError(f"asset {int(np.argmin(scale > 0.0))} has no variance")
    lowest = float(np.linalg.eigvalsh(sigma / np.outer(scale, scale))[0])
    if lowest <= len(mu) * np.finfo(np.float64).eps:
        raise DataError(
            f"the correlation matrix of {len(mu)} assets has an eigenvalue of {lowest:.1e}: no "
            "unique bet; shrink the covariance or drop duplicates"
        )
    weights: Floats = np.linalg.solve(sigma / np.outer(scale, scale), mu / scale) / scale
    return weights


def long_only_bet(bet: npt.ArrayLike, *, share: float = 1.0, cap: float = np.inf) -> Floats:
    """Take `share` of a Kelly bet (0.5: half Kelly), 0 for a negative edge, at most `cap`."""
    return np.asarray(np.clip(share * np.asarray(bet, dtype=np.float64), 0.0, cap))
