"""The sample covariance."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.moments.covariances.base import CovarianceEstimator, Floats
from quant_assets.quant.moments.rows import gram


@dataclass(frozen=True)
class SampleCovariance(CovarianceEstimator):
    """Unbiased sample covariance: divided by T - 1."""

    name: ClassVar[str] = "sample"
    takes_pairs: ClassVar[bool] = True

    def estimate(self, rows: Floats) -> Floats:
        """`X'X / (T - 1)` of the centred rows."""
        return gram(rows - rows.mean(axis=0)) / (len(rows) - 1)

    def from_sample(self, covariance: Floats, n_rows: int) -> Floats:  # noqa: ARG002 - base
        """Return it as it is."""
        return covariance
