"""Co-movement counted where both moves are large."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.quant.moments.covariances.base import (
    CovarianceEstimator,
    Floats,
    to_correlation,
    to_covariance,
)
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class GerberCovariance(CovarianceEstimator):
    """Concordant less discordant moves beyond `threshold` standard deviations, in its PSD form.

    Gerber, Markowitz, Ernst, Miao, Javid & Sargen (2022): with N = +1, -1 or 0 for an up move, a
    down move or none, the co-movement is `N'N`, normalised by its own diagonal, which makes it a
    correlation for any data. Volatilities have ddof 1. An asset without any large move is
    uncorrelated with the others.
    """

    name: ClassVar[str] = "gerber"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"threshold is {self.threshold} volatilities; give one in (0, 1)")

    def estimate(self, rows: Floats) -> Floats:
        """`D G D`, G the normalised co-movement."""
        level = self.threshold * rows.std(axis=0)
        moves = (rows >= level).astype(np.float64) - (rows <= -level)
        return to_covariance(to_correlation(gram(moves))[0], rows.std(axis=0, ddof=1))
