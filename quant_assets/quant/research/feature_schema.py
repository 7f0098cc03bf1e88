"""Feature tables whose columns are named once and do not say the same thing twice.

Features are `(time, symbol, feature)`, NaN where unknown. Everything here compares symbols within
one row, so a row knows nothing of later ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import cross_sectional_ic

__all__ = [
    "CorrelationReport",
    "FeatureSchema",
    "correlation_report",
    "orthogonalise",
    "residualise",
]

# A residual below this share of its feature is rounding: the feature adds nothing.
_NOTHING = 1e-10


@dataclass(frozen=True)
class FeatureSchema:
    """Names of features in their order; each one once, also when case is ignored."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse empty and repeated names."""
        seen: dict[str, str] = {}
        for name in self.names:
            if not name or name.strip() != name:
                raise ConfigError(f"feature name {name!r} is empty or has blanks at an end")
            if name.casefold() in seen:
                raise ConfigError(f"feature {name!r} is there twice: {seen[name.casefold()]!r}")
            seen[name.casefold()] = name

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The schema's columns of `frame`, in its order; each must be there exactly once."""
        wrong = {n: int((frame.columns == n).sum()) for n in self.names}
        wrong = {name: count for name, count in wrong.items() if count != 1}
        if wrong:
            raise DataError(f"columns that are not there exactly once, with their count: {wrong}")
        return frame[list(self.names)]


@dataclass(frozen=True)
class CorrelationReport:
    """How alike features rank symbols.

    rank_correlation : (feature, feature), mean over rows of Spearman's rho across symbols, 1 on the
        diagonal; NaN where no row has 3 symbols with both
    clusters : (feature,), features linked by |rho| >= threshold, directly or through others, have
        one number; numbered by first appearance
    duplicates : frame of `first`, `second`, `rho`, the linked pairs, most alike first
    kept : the first feature of each cluster
    """

    names: tuple[str, ...]
    rank_correlation: Floats
    clusters: npt.NDArray[np.int64]
    duplicates: pd.DataFrame
    kept: tuple[str, ...]


def correlation_report(
    features: npt.ArrayLike, schema: FeatureSchema, *, threshold: float = 0.9
) -> CorrelationReport:
    """Rank correlations between features, and which of them repeat one another.

    features : (time, symbol, feature), infinite values are a `DataError`. A symbol is left out of a
    row's correlation where one of the two is NaN, a row with fewer than 3 symbols or a constant
    side out of the mean. To compare over all rows at once, pass them as symbols of one row. The
    order of the names decides which of a cluster is kept.
    """
    values = _checked(features, len(schema.names))
    if not 0.0 < threshold <= 1.0:
        raise ConfigError(f"threshold {threshold} must be in (0, 1]")
    columns = np.ascontiguousarray(np.moveaxis(values, 2, 0))
    k = len(columns)
    rho = np.eye(k)
    for i in range(k):
        for j in range(i + 1, k):
            rho[i, j] = rho[j, i] = _mean(cross_sectional_ic(columns[i], columns[j]))
    linked = np.argwhere(np.triu(np.abs(rho) >= threshold - _NOTHING, 1))
    found = [(schema.names[i], schema.names[j], rho[i, j]) for i, j in linked]
    duplicates = pd.DataFrame(found, columns=["first", "second", "rho"])
    clusters = _components(k, linked)
    first = np.unique(clusters, return_index=True)[1]
    return CorrelationReport(
        names=schema.names,
        rank_correlation=rho,
        clusters=clusters,
        duplicates=duplicates.sort_values(
            "rho", key=lambda column: -column.abs(), kind="stable", ignore_index=True
        ),
        kept=tuple(schema.names[at] for at in first),
    )


def orthogonalise(features: npt.ArrayLike) -> Floats:
    """Each feature less what those before it say about it, row by row: Gram-Schmidt.

    features : (time, symbol, feature), in the order in which they are to be believed. Returns the
    same shape: the first feature less its mean, every other one the residual of its regression on
    a constant and all before it, in its own unit; 0 where nothing is left. A symbol with a NaN in
    one feature has NaN in all, and is left out of its row. Twice-iterated modified Gram-Schmidt
    [Björck 1967].
    """
    values = _checked(features, None)
    return _swept(values, np.empty((*values.shape[:2], 0)))


def residualise(features: npt.ArrayLike, factors: npt.ArrayLike) -> Floats:
    """Each feature less what the given factors say about it, row by row.

    features : (time, symbol, feature); factors : (time, symbol, factor), known at the same row.
    Residuals of a regression across symbols on a constant and the factors, in the feature's unit;
    0 where nothing is left. A symbol with a NaN in the feature or a factor has NaN. Collinear
    factors do no harm.
    """
    values, given = _checked(features, None), _checked(factors, None)
    if values.shape[:2] != given.shape[:2]:
        raise DataError(f"features {values.shape} and factors {given.shape}: other rows or symbols")
    if values.shape[2] == 0:
        return values.copy()
    single = [_swept(values[:, :, [j]], given) for j in range(values.shape[2])]
    return np.concatenate(single, axis=2)


def _swept(values: Floats, factors: Floats) -> Floats:
    """Residuals of `values` after the factors and one another, in order."""
    stacked = np.concatenate([factors, values], axis=2)
    known = ~np.isnan(stacked).any(axis=2)
    n = np.maximum(known.sum(axis=1), 1)[:, None]
    done: list[Floats] = []
    directions: list[Floats] = []
    for column in np.moveaxis(stacked, 2, 0):
        filled = np.where(known, column, 0.0)
        # Scaled first, so that squares neither overflow nor vanish.
        scale = np.abs(filled).max(axis=1, keepdims=True, initial=0.0)
        unit = filled / np.where(scale > 0.0, scale, 1.0)
        rest = unit.copy()
        for _ in range(2):
            rest = np.where(known, rest - rest.sum(axis=1, keepdims=True) / n, 0.0)
            for direction in directions:
                rest = rest - np.sum(direction * rest, axis=1, keepdims=True) * direction
        length = np.sqrt(np.sum(rest * rest, axis=1, keepdims=True))
        left = length > _NOTHING * np.sqrt(np.sum(unit * unit, axis=1, keepdims=True))
        directions.append(np.where(left, rest / np.where(left, length, 1.0), 0.0))
        done.append(np.where(known, np.where(left, rest * scale, 0.0), np.nan))
    return np.stack(done[factors.shape[2] :], axis=2) if done else stacked


def _checked(features: npt.ArrayLike, n_features: int | None) -> Floats:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 3 or (n_features is not None and values.shape[2] != n_features):
        raise DataError(
            f"features have shape {values.shape}: expected (time, symbol, feature)"
            + ("" if n_features is None else f" with {n_features} features")
        )
    if np.isinf(values).any():
        time, symbol, feature = np.argwhere(np.isinf(values))[0]
        raise DataError(f"feature {feature} of symbol {symbol} is infinite in row {time}")
    return values


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _components(size: int, links: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Number of the connected part that each node lies in, by first appearance."""
    part = np.arange(size, dtype=np.int64)
    for i, j in links:
        part[part == max(part[i], part[j])] = min(part[i], part[j])
    return np.asarray(np.unique(part, return_inverse=True)[1], dtype=np.int64)
