"""Sizes with which every held name carries the same share of the risk."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.moments.covariance import Estimator, covariance_matrix
from quant_assets.quant.optimization.solvers.risk_budget import balanced_weights
from quant_assets.quant.sizing.base import Floats, Sizer


@dataclass(frozen=True, kw_only=True)
class RiskParity(Sizer):
    """`w_i (Σw)_i` equal for all held names, short ones negative; the gross is `max_leverage`.

    Equal risk contribution (Maillard, Roncalli & Teiletche 2010) of the positions on their sides.
    covariance : an estimator of `quant.moments`. Names whose risks cancel out completely are a
    `SolverError`: there is no risk to share.
    """

    name: ClassVar[str] = "risk_parity"
    covariance: Estimator = "ledoit_wolf"

    def size(self, sides: Floats, rows: Floats) -> Floats:
        """`side * max_leverage * x`, x > 0 summing to 1."""
        covariance = covariance_matrix(sides * rows, estimator=self.covariance)
        found = balanced_weights(covariance, np.full(len(sides), 1.0 / len(sides)))
        return sides * self.max_leverage * found.weights
