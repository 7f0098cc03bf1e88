"""Covariances as the solvers see them: mean diagonal 1, and only the parts that are asked for.

With fewer rows than assets, a shrunk covariance `rows'rows + ridge I` is cheaper to multiply and to
cut blocks from than to form: 252 rows of 500 assets hold half as many numbers as the matrix.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.quant.moments.covariance import Estimator, covariance_matrix

__all__ = [
    "RIDGE",
    "Factored",
    "Hessian",
    "Whole",
    "WithCash",
    "hessian_of",
    "ledoit_wolf_hessian",
    "whole",
]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
RIDGE = 1e-11
SAFE_RIDGE = 1e-6  # below it Woodbury's formula cancels


class Hessian(ABC):
    """A positive definite matrix (asset, asset) with mean diagonal 1, and a ridge of 1e-11."""

    factor: float
    """What the covariance was multiplied by."""

    @property
    def least_eigenvalue(self) -> float:
        """A lower bound on the eigenvalues."""
        return RIDGE

    @property
    @abstractmethod
    def n_assets(self) -> int:
        """Number of assets."""

    @abstractmethod
    def block(self, places: Places) -> Floats:
        """Rows and columns at `places`, shape (place, place), C-ordered."""

    @abstractmethod
    def times(self, weights: Floats) -> Floats:
        """`H w` for `weights` (asset,)."""

    def solved(self, places: Places, right: Floats) -> Floats:
        """Solve `block(places) x = right` for columns `right` (place, column)."""
        return np.asarray(np.linalg.solve(self.block(places), right), dtype=np.float64)

    @abstractmethod
    def matrix(self) -> Floats:
        """All of it, shape (asset, asset)."""

    def variance(self, weights: Floats) -> float:
        """`w' Sigma w` in the covariance's own unit, without the ridge."""
        return float(weights @ (self.times(weights) - RIDGE * weights)) / self.factor


@dataclass(frozen=True, eq=False)
class Whole(Hessian):
    """The matrix itself."""

    values: Floats
    factor: float = 1.0

    @property
    def n_assets(self) -> int:
        """Number of assets."""
        return len(self.values)

    def block(self, places: Places) -> Floats:
        """Rows and columns at `places`."""
        if len(places) == len(self.values):  # not a copy, unless compiled code cannot take it
            return np.require(self.values, requirements=["C", "W"])
        return np.ascontiguousarray(self.values[places[:, None], places])

    def times(self, weights: Floats) -> Floats:
        """`H w`."""
        return np.asarray(self.values @ weights)

    def matrix(self) -> Floats:
        """Return the matrix, not a copy."""
        return self.values


@dataclass(frozen=True, eq=False)
class Factored(Hessian):
    """`rows'rows + ridge I`, rows (time, asset)."""

    rows: Floats
    ridge: float
    factor: float = 1.0

    @property
    def least_eigenvalue(self) -> float:
        """Return the ridge."""
        return self.ridge

    @property
    def n_assets(self) -> int:
        """Number of assets."""
        return int(self.rows.shape[1])

    def block(self, places: Places) -> Floats:
        """Rows and columns at `places`."""
        columns = self.rows[:, places]
        product = columns.T @ columns
        product.flat[:: len(places) + 1] += self.ridge
        return product

    def solved(self, places: Places, right: Floats) -> Floats:
        """Solve by way of the rows where they are fewer (Woodbury), with one refinement."""
        columns = self.rows[:, places]
        n_rows = len(columns)
        if len(places) <= n_rows or self.ridge < SAFE_RIDGE:
            return super().solved(places, right)
        inner = columns @ columns.T
        inner.flat[:: n_rows + 1] += self.ridge

        def once(vectors: Floats) -> Floats:
            inside = np.linalg.solve(inner, columns @ vectors)
            return np.asarray((vectors - columns.T @ inside) / self.ridge)

        answer = once(right)
        return answer + once(right - columns.T @ (columns @ answer) - self.ridge * answer)

    def times(self, weights: Floats) -> Floats:
        """`H w`, by way of the weights that are not 0."""
        held = np.flatnonzero(weights)
        if 4 * len(held) > len(weights):  # cutting columns out costs more than multiplying them
            portfolio = self.rows @ weights
        else:
            portfolio = self.rows[:, held] @ weights[held]
        return np.asarray(portfolio @ self.rows + self.ridge * weights)

    def matrix(self) -> Floats:
        """Form the matrix."""
        return self.block(np.arange(self.n_assets))


@dataclass(frozen=True, eq=False)
class WithCash(Hessian):
    """The assets of `risky`, and after them cash, which has no risk."""

    risky: Hessian

    @property
    def factor(self) -> float:  # type: ignore[override] # a dataclass field elsewhere
        """What the covariance was multiplied by."""
        return self.risky.factor

    @property
    def n_assets(self) -> int:
        """Number of assets and cash."""
        return self.risky.n_assets + 1

    def block(self, places: Places) -> Floats:
        """Rows and columns at `places`."""
        block = np.diag(np.full(len(places), RIDGE))
        risky = np.flatnonzero(places < self.risky.n_assets)
        block[risky[:, None], risky] = self.risky.block(places[risky])
        return block

    def times(self, weights: Floats) -> Floats:
        """`H w`."""
        return np.append(self.risky.times(weights[:-1]), RIDGE * weights[-1])

    def matrix(self) -> Floats:
        """Form the matrix."""
        return self.block(np.arange(self.n_assets))


def whole(covariance: Floats) -> Whole:
    """`covariance` (asset, asset) with mean diagonal 1 and a ridge of 1e-11."""
    mean = float(np.trace(covariance)) / len(covariance)
    factor = 1.0 / mean if mean > 0 else 1.0
    matrix = covariance * factor
    matrix.flat[:: len(covariance) + 1] += RIDGE
    return Whole(matrix, factor)


def hessian_of(returns: Floats, estimator: Estimator) -> Hessian:
    """Covariance of `returns` (time, asset) by that estimator, in the cheaper form."""
    if estimator == "ledoit_wolf" and returns.shape[1] > returns.shape[0]:
        return ledoit_wolf_hessian(returns)
    return whole(covariance_matrix(returns, estimator=estimator))


def ledoit_wolf_hessian(returns: Floats) -> Factored:
    """Ledoit-Wolf covariance of `returns` (time, asset) from the products of rows (time, time).

    The same shrinkage as `quant.moments.covariance.ledoit_wolf`: the norm of the covariance is that
    of the matrix of row products. Ledoit & Wolf (2004), with mean diagonal 1 and a ridge of 1e-11.
    """
    n_rows, n_assets = returns.shape
    centred = returns - returns.mean(axis=0)
    products = centred @ centred.T
    norms = np.diag(products)
    total = float(norms.sum())
    mean_variance = total / n_rows / n_assets
    squared = float(np.vdot(products, products)) / n_rows**2
    error = (float(norms @ norms) / n_rows - squared) / (n_assets * n_rows)
    distance = squared / n_assets - mean_variance * mean_variance
    shrinkage = min(error, distance) / distance if min(error, distance) > 0 else 0.0
    factor = 1.0 / mean_variance if mean_variance > 0 else 1.0
    centred *= np.sqrt((1.0 - shrinkage) * factor / n_rows)
    return Factored(centred, shrinkage * mean_variance * factor + RIDGE, factor)
