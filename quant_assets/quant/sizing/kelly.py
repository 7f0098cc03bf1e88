"""Sizes that make wealth grow fastest, given the mean and covariance of past returns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.analytics.kelly import kelly_weights, long_only_bet
from quant_assets.quant.analytics.series import risk_free_rows
from quant_assets.quant.moments.covariance import Estimator, covariance_matrix
from quant_assets.quant.moments.covariances.base import to_correlation
from quant_assets.quant.sizing.base import Floats, Sizer


@dataclass(frozen=True, kw_only=True)
class Kelly(Sizer):
    """`fraction` of the bet w >= 0 that maximises `mu'w - w'Σw / 2` over positions on their sides.

    `(mu - rf) / variance` for one name; `inv(Σ) mu` for several, as far as no stake is negative: a
    name without an edge beside the others gets 0 [Kelly 1956; Thorp 2006].

    periods_per_year : rows in a year. risk_free_rate : per year, converted geometrically.
    fraction : 0.5 is half Kelly. covariance : an estimator of `quant.moments`; with one that does
    not shrink, names that copy each other are a `DataError`.
    """

    name: ClassVar[str] = "kelly"
    periods_per_year: float
    risk_free_rate: float = 0.0
    fraction: float = 0.5
    covariance: Estimator = "ledoit_wolf"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("periods_per_year", "fraction")

    def size(self, sides: Floats, rows: Floats) -> Floats:
        """`side * fraction * bet`; mean and covariance are those of `side * (return - rf)`."""
        free = risk_free_rows(self.risk_free_rate, len(rows), self.periods_per_year)
        mean = (sides * (rows - free)).mean(axis=0)
        covariance = covariance_matrix(sides * rows, estimator=self.covariance)
        return np.asarray(sides * long_only_bet(growth_bet(mean, covariance), share=self.fraction))


def growth_bet(excess_mean: Floats, covariance: Floats) -> Floats:
    """The w >= 0 (asset,) with the largest `mu'w - w'Σw / 2`; no other limit.

    With Σ = S L L' S, S the volatilities, that is the least distance of `L' S w` from
    `inv(L) inv(S) mu`: non-negative least squares (Lawson & Hanson 1974) finds who is in, and
    `kelly_weights` of those are the stakes. A singular Σ is a `DataError`.
    """
    free = kelly_weights(excess_mean, covariance)
    if (free >= 0.0).all():
        return free
    from scipy.optimize import nnls

    correlation, volatility = to_correlation(covariance)
    lower = np.linalg.cholesky(correlation)
    chosen = nnls(lower.T, np.linalg.solve(lower, excess_mean / volatility))[0] > 0.0
    bet = np.zeros(len(excess_mean))
    if chosen.any():
        bet[chosen] = kelly_weights(excess_mean[chosen], covariance[np.ix_(chosen, chosen)])
    return bet
