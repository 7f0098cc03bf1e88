"""Correlation distances and hierarchical clusters with stable labels."""

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import MIN_PAIRS

Labels = npt.NDArray[np.int64]
_EQUAL = 1e-9

__all__ = [
    "correlation_distance",
    "hierarchical_labels",
    "pairwise_correlation",
    "shrinkage_intensity",
    "shrunk_correlation",
    "silhouette",
]


def correlation_distance(corr: Floats) -> Floats:
    """`sqrt((1 - corr) / 2)`, in [0, 1], diagonal 0 (Lopez de Prado 2016). Shape (n, n)."""
    distance = np.sqrt(np.clip(0.5 * (1.0 - corr), 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance)


def pairwise_correlation(returns: Floats) -> Floats:
    """Pearson correlation over each pair's common rows, shape (symbol, symbol), diagonal 1.

    returns : (time, symbol), NaN = missing. A pair with fewer than 3 common rows, or with a
    series constant on them, counts as uncorrelated (0), because nothing is known about it.
    """
    present = ~np.isnan(returns)
    z = _standardised(returns)
    mask = present.astype(np.float64)
    n = mask.T @ mask
    count = np.maximum(n, 1.0)
    sums = z.T @ mask
    squares = (z * z).T @ mask
    covariance = z.T @ z - sums * sums.T / count
    variance = np.maximum(squares - sums * sums / count, 0.0)
    scale = np.sqrt(variance * variance.T)
    known = (n >= MIN_PAIRS) & (variance > _EQUAL) & (variance.T > _EQUAL)
    corr = np.where(known, covariance / np.where(known, scale, 1.0), 0.0)
    corr = np.clip((corr + corr.T) / 2.0, -1.0, 1.0)
    np.fill_diagonal(corr, 1.0)
    return np.asarray(corr)


def _standardised(returns: Floats) -> Floats:
    """Columns at mean 0 and standard deviation 1 (ddof 0) over their own rows; missing = 0."""
    present = ~np.isnan(returns)
    count = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, returns, 0.0)
    centred = np.where(present, filled - filled.sum(axis=0) / count, 0.0)
    largest = np.abs(centred).max(axis=0, initial=0.0)
    varies = largest > np.finfo(np.float64).eps * np.abs(filled).max(axis=0, initial=0.0)
    unit = centred / np.where(varies, largest, 1.0)
    deviation = np.sqrt((unit * unit).sum(axis=0) / count)
    return np.asarray(np.where(varies, unit / np.where(varies, deviation, 1.0), 0.0))


def shrinkage_intensity(standardised: Floats) -> float:
    """Ledoit & Wolf (2004) shrinkage towards the scaled identity, in [0, 1].

    standardised : (time, symbol), mean 0. With S = Z'Z / T and mu = tr(S) / n:
    `min(b^2, d^2) / d^2`, `d^2 = ||S - mu I||^2`, `b^2 = (1/T^2) sum_t ||z_t z_t' - S||^2`.
    0 when S is already a multiple of the identity.
    """
    n_rows, n_symbols = standardised.shape
    if n_rows == 0 or n_symbols <= 1:
        return 0.0
    sample = standardised.T @ standardised / n_rows
    energy = float((sample * sample).sum())
    spread = energy - float(np.trace(sample)) ** 2 / n_symbols
    lengths = (standardised * standardised).sum(axis=1)
    noise = (float((lengths * lengths).sum()) / n_rows - energy) / n_rows
    if spread <= 0.0:
        return 0.0
    return float(np.clip(noise / spread, 0.0, 1.0))


def shrunk_correlation(returns: Floats) -> tuple[Floats, float]:
    """Pairwise correlation shrunk towards the identity, and the intensity used.

    returns : (time, symbol), NaN = missing (at its mean for the intensity alone).
    """
    intensity = shrinkage_intensity(_standardised(returns))
    corr = (1.0 - intensity) * pairwise_correlation(returns)
    np.fill_diagonal(corr, 1.0)
    return corr, intensity


def silhouette(distance: Floats, labels: Labels) -> float:
    """Mean silhouette (Rousseeuw 1987) of `labels` under `distance` (n, n); 0 for members alone."""
    members = labels[:, None] == np.unique(labels)[None, :]
    sizes = members.sum(axis=0)
    totals = distance @ members.astype(np.float64)
    own = np.argmax(members, axis=1)
    rows = np.arange(len(labels))
    inside = totals[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = totals / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    largest = np.maximum(inside, outside)
    scores = np.where(largest > 0, (outside - inside) / np.where(largest > 0, largest, 1.0), 0.0)
    return float(np.where(sizes[own] > 1, scores, 0.0).mean())


def hierarchical_labels(
    corr: Floats, max_clusters: int, *, min_correlation: float = -1.0
) -> Labels:
    """Average-linkage clusters under `correlation_distance`, labels 1.. by first member.

    The number of clusters maximises the silhouette over 2..max_clusters (and below n); ties
    take the smaller number. One cluster when all pairs are equally far apart, when n < 3, or
    when no split has a positive silhouette. Merges beyond the distance of `min_correlation`
    are undone as far as `max_clusters` allows. Labels follow the order of the rows.
    """
    distance = correlation_distance(_checked(corr))
    n = len(distance)
    pairs = distance[np.triu_indices(n, 1)]
    most = min(max_clusters, n - 1)
    if most <= 1 or np.ptp(pairs) < _EQUAL:
        return np.ones(n, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(pairs, method="average")
    furthest = float(np.sqrt(0.5 * (1.0 - min_correlation))) + _EQUAL
    fewest = min(most, 1 + int((tree[:, 2] > furthest).sum()))
    best, best_score = _ordered(fcluster(tree, fewest, "maxclust")), 0.0
    for count in range(max(2, fewest), most + 1):
        labels = _ordered(fcluster(tree, count, "maxclust"))
        score = silhouette(distance, labels) if labels.max() > 1 else 0.0
        if score > best_score + _EQUAL:
            best, best_score = labels, score
    return best


def _checked(corr: Floats) -> Floats:
    square = corr.shape == (len(corr), len(corr))
    if not square or not np.all(np.isfinite(corr)):
        raise DataError(
            f"correlation of shape {corr.shape} with {int((~np.isfinite(corr)).sum())} values that "
            "are not finite: pass a square matrix, unknown pairs as 0"
        )
    return corr


def _ordered(labels: npt.ArrayLike) -> Labels:
    """Rename clusters to 1.. in the order of their first member."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse] + 1, dtype=np.int64)
