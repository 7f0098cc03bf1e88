"""What a covariance estimator is, and the way between covariance and correlation."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError

Floats = npt.NDArray[np.float64]


class CovarianceEstimator(ABC):
    """A frozen dataclass of parameters that turns rows of returns into a covariance per period.

    Every estimate is exactly symmetric and positive semidefinite up to rounding. An estimator that
    only looks at the sample covariance has `takes_pairs` and `from_sample`: it then also works on
    one that was put together pair by pair.
    """

    name: ClassVar[str]
    takes_pairs: ClassVar[bool] = False

    @abstractmethod
    def estimate(self, rows: Floats) -> Floats:
        """Covariance (asset, asset) of `rows` (time >= 2, asset), finite."""

    def from_sample(self, covariance: Floats, n_rows: int) -> Floats:
        """The same from a sample covariance (ddof 1) of `n_rows` rows; only with `takes_pairs`."""
        raise ConfigError(
            f"the covariance estimator {self.name} needs whole rows, not the covariance of "
            f"{len(covariance)} assets over {n_rows} rows: use missing='complete_rows'"
        )


def to_correlation(covariance: Floats, out: Floats | None = None) -> tuple[Floats, Floats]:
    """Correlation (asset, asset), in `out` where it is given, and volatility (asset,).

    An asset of zero variance is uncorrelated with all others; its own correlation is 1.
    """
    volatility = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    inverse = np.zeros_like(volatility)
    np.divide(1.0, volatility, out=inverse, where=volatility > 0)
    correlation = np.multiply(inverse, inverse[:, None], out=out)
    correlation *= covariance
    np.clip(correlation, -1.0, 1.0, out=correlation)
    np.fill_diagonal(correlation, 1.0)
    return correlation, volatility


def to_covariance(correlation: Floats, volatility: Floats, out: Floats | None = None) -> Floats:
    """`D C D` in `out` where given, D the diagonal matrix of `volatility`; as symmetric as C."""
    covariance = np.multiply(volatility, volatility[:, None], out=out)
    covariance *= correlation
    return covariance


def eigen_falling(symmetric: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues from large to small, and their vectors as columns."""
    values, vectors = np.linalg.eigh(symmetric)
    return np.ascontiguousarray(values[::-1]), np.ascontiguousarray(vectors[:, ::-1])
