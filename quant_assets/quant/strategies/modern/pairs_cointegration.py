"""Two cointegrated symbols, back to their common path."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from quant_assets.core.parameters import number, whole
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies.library_pairs import PairStrategy, Spread
from quant_assets.quant.strategies.library_parts import Floats, turns

__all__ = ["PairsCointegration"]


class _Fit(NamedTuple):
    """`y = intercept + beta x + e`; deviation and Dickey-Fuller t of e."""

    intercept: float
    beta: float
    deviation: float
    t: float


@dataclass(frozen=True, kw_only=True)
class PairsCointegration(PairStrategy):
    """Log price of the first leg less beta times that of the second, traded back to its mean.

    Mean, beta and deviation are those of the `formation` bars before each month, by least squares.
    A month is traded when beta is above 0 and the Dickey-Fuller t of the residuals (no lags) below
    `critical`: MacKinnon's -3.34 at 5 % for two series with a constant.
    """

    name: ClassVar[str] = "pairs_cointegration"
    source: ClassVar[str] = "Engle & Granger (1987); Vidyamurthy (2004), Pairs Trading"
    formation: int = whole(252, least=20)
    critical: float = number(-3.34)

    @property
    def back(self) -> int:
        """See the base class."""
        return self.formation

    def spread(self, y: Floats, x: Floats, bars: BarPanel) -> Spread:
        """See the base class."""
        starts = np.flatnonzero(turns(bars, "month").any(axis=1))
        starts = starts[starts >= self.formation]
        z, beta = np.full(len(y), np.nan), np.full(len(y), np.nan)
        for start, end in pairwise([*starts.tolist(), len(y)]):
            past, now = slice(start - self.formation, start), slice(start, end)
            fit = _fit(y[past], x[past])
            if fit.t < self.critical and fit.beta > 0.0:
                z[now] = (y[now] - fit.intercept - fit.beta * x[now]) / fit.deviation
                beta[now] = fit.beta
        return Spread(z, beta, np.where(beta > 0.0, 1.0, 0.0))


def _fit(y: Floats, x: Floats) -> _Fit:
    """Least squares of the rows on which both are known; all NaN below 20 of them."""
    known = ~np.isnan(y) & ~np.isnan(x)
    y, x = y[known], x[known]
    if len(y) < 20 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return _Fit(np.nan, np.nan, np.nan, np.nan)
    from_mean = x - x.mean()
    beta = float(from_mean @ y / (from_mean @ from_mean))
    intercept = float(y.mean() - beta * x.mean())
    e = y - intercept - beta * x
    before, change = e[:-1], np.diff(e)
    slope = before @ change / (before @ before)
    left = change - slope * before
    error = np.sqrt(left @ left / (len(left) - 1) / (before @ before))
    t = float(slope / error) if error > 0.0 else np.nan
    return _Fit(intercept, beta, float(e.std(ddof=2)), t)
