"""What an estimator of expected returns is."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.covariances.sample import SampleCovariance

Floats = npt.NDArray[np.float64]


class MeanEstimator(ABC):
    """A frozen dataclass of parameters that turns rows of returns into means per period."""

    name: ClassVar[str]

    @abstractmethod
    def estimate(self, rows: Floats) -> Floats:
        """Expected return per period (asset,) of `rows` (time >= 2, asset), finite."""


def precision_of(rows: Floats, covariance: CovarianceEstimator, name: str) -> Floats:
    """Inverse of the covariance by that estimator; a singular one is a `DataError`."""
    n_rows, n_assets = rows.shape
    matrix = covariance.estimate(rows)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] <= len(values) * np.finfo(np.float64).eps * values[-1]:
        advice = "or shrink it: covariance=LedoitWolf()"
        fewer = f"{n_rows} rows of {n_assets} assets; give more rows, drop duplicates, {advice}"
        raise DataError(f"{name} inverts the covariance, which is singular: {fewer}")
    return np.asarray((vectors / values) @ vectors.T)


SAMPLE = SampleCovariance()
