"""How many independent trials a set of correlated strategies amounts to.

`returns` are (time, strategy), finite. By clusters: `cluster_trials`, for the deflated Sharpe
ratio. By eigenvalues: `effective_trials_by_eigenvalues`, a number without a choice of clusters.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.moments.clustering import correlation_distance, pairwise_correlation
from quant_assets.quant.statistics.per_period import sharpe

__all__ = ["EffectiveTrials", "cluster_trials", "effective_trials_by_eigenvalues"]

Labels = npt.NDArray[np.int64]
_STARTS = 10
_SAME = 6  # digits to which distances of copies agree
_LEAST_SPREAD = 1e-3  # of silhouettes: copies of one strategy have none


@dataclass(frozen=True)
class EffectiveTrials:
    """Clusters of trials; `n_trials` and `trial_variance` go into `deflated_sharpe_ratio`.

    labels : (strategy,), cluster of each, numbered by first appearance
    cluster_sharpes : (cluster,), per-period Sharpe ratio of each cluster's portfolio, which
        weighs its strategies by their inverse variance
    quality : (cluster,), mean over standard deviation of its silhouettes
    """

    labels: Labels
    cluster_sharpes: Floats
    quality: Floats

    @property
    def n_trials(self) -> int:
        """Number of clusters."""
        return len(self.cluster_sharpes)

    @property
    def trial_variance(self) -> float:
        """Variance of the clusters' Sharpe ratios, ddof 1."""
        return float(np.var(self.cluster_sharpes, ddof=1))


class _Clustering(NamedTuple):
    labels: Labels
    quality: Floats  # per cluster


def cluster_trials(
    returns: npt.ArrayLike, *, max_clusters: int, rng: np.random.Generator
) -> EffectiveTrials:
    """Cluster strategies by correlation; at least 2 clusters, because silhouettes need them.

    k-means on the rows of the distance `sqrt((1 - correlation) / 2)` for every k up to
    `max_clusters`, the one with the highest mean over standard deviation of the silhouettes; then
    clusters of less than average quality are clustered again, and kept so if the average
    quality of all rises. The ONC algorithm of Lopez de Prado & Lewis (2019), 10 starts for each k.
    Trials that are not correlated form no clusters: few are found although all of them count, so
    compare with `effective_trials_by_eigenvalues` and deflate by the larger number.
    """
    values = _checked(returns)
    if max_clusters < 2:
        raise ConfigError(f"max_clusters {max_clusters} must be >= 2")

    import sklearn.cluster  # noqa: F401 - before its threads can be limited, they must be loaded
    from threadpoolctl import threadpool_limits

    distance = correlation_distance(pairwise_correlation(values))
    with threadpool_limits(1):  # the matrices are small: threads would only wait for each other
        labels, quality = _improved(distance, max_clusters, rng)
    _, first = np.unique(labels, return_index=True)
    order = np.argsort(np.argsort(first))
    renumbered = order[labels]
    portfolios = np.stack(
        [_portfolio(values[:, renumbered == label]) for label in range(len(first))], axis=1
    )
    return EffectiveTrials(renumbered, sharpe(portfolios), quality[np.argsort(first)])


def effective_trials_by_eigenvalues(returns: npt.ArrayLike) -> float:
    """`(sum of l)^2 / sum of l^2` over the eigenvalues l of the correlation matrix.

    N for uncorrelated strategies, 1 for copies of one. With fewer rows than strategies it is
    bounded by the number of rows. Known as the participation ratio.
    """
    correlation = pairwise_correlation(_checked(returns))
    return float(np.trace(correlation) ** 2 / np.sum(correlation * correlation))


def _checked(returns: npt.ArrayLike) -> Floats:
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 3 or len(values) < 3:
        raise DataError(f"returns have shape {values.shape}: expected >= 3 rows of >= 3 strategies")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(f"row {row} of strategy {column} is not finite")
    return values


def _improved(distance: Floats, max_clusters: int, rng: np.random.Generator) -> _Clustering:
    """Cluster, and cluster those of less than average quality again."""
    top = _clustered(distance, max_clusters, rng)
    weak = np.flatnonzero(top.quality < top.quality.mean())
    if len(weak) <= 1:
        return top
    members = np.flatnonzero(np.isin(top.labels, weak))
    again = _improved(distance[np.ix_(members, members)], max_clusters, rng)
    strong = np.setdiff1d(np.arange(len(top.quality)), weak)
    labels = np.searchsorted(strong, top.labels)
    labels[members] = len(strong) + again.labels
    joined = _Clustering(labels, _quality(distance, labels))
    return joined if joined.quality.mean() > top.quality.mean() else top


def _clustered(distance: Floats, max_clusters: int, rng: np.random.Generator) -> _Clustering:
    """The best k-means of the rows of `distance`; one cluster where there is nothing to split."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(distance.round(_SAME), axis=0))
    best = _Clustering(np.zeros(len(distance), dtype=np.int64), np.zeros(1))
    best_score = -np.inf
    for k in range(2, min(max_clusters, len(distance) - 1, distinct) + 1):
        means = KMeans(k, n_init=_STARTS, random_state=int(rng.integers(2**31)))
        labels = np.asarray(means.fit_predict(distance), dtype=np.int64)
        score = _score(_silhouettes(distance, labels))
        if score > best_score:
            best, best_score = _Clustering(labels, _quality(distance, labels)), score
    return best


def _quality(distance: Floats, labels: Labels) -> Floats:
    silhouettes = _silhouettes(distance, labels)
    return np.array([_score(silhouettes[labels == label]) for label in np.unique(labels)])


def _silhouettes(distance: Floats, labels: Labels) -> Floats:
    from sklearn.metrics import silhouette_samples

    return np.asarray(silhouette_samples(distance, labels), dtype=np.float64)


def _score(silhouettes: Floats) -> float:
    return float(silhouettes.mean() / max(float(silhouettes.std()), _LEAST_SPREAD))


def _portfolio(returns: Floats) -> Floats:
    """Inverse-variance weighted return, shape (time,); strategies that never move are left out."""
    variance = returns.var(axis=0)
    weight = np.where(variance > 0.0, 1.0 / np.where(variance > 0.0, variance, 1.0), 0.0)
    return np.asarray(returns @ weight / max(float(weight.sum()), np.finfo(np.float64).tiny))
