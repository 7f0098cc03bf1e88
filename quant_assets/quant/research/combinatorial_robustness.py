"""How a choice among variants does out of sample along every path of a combinatorial split."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.model_selection.combinatorial_purged_kfold import CombinatorialPurgedKFold
from quant_assets.quant.statistics.per_period import sharpe

__all__ = ["CombinatorialRobustness", "best_sharpe", "robustness_over_paths"]

Policy = Callable[[Floats], npt.ArrayLike]
Metric = Callable[[Floats], float]


@dataclass(frozen=True)
class CombinatorialRobustness:
    """Out-of-sample histories and their figures.

    path_returns : (path, time), every row of every path earned by a choice made without it
    path_metrics : (path,); NaN where the metric is not defined
    weights : (split, variant), what the policy chose on each split's training rows
    """

    path_returns: Floats
    path_metrics: Floats
    weights: Floats

    @property
    def n_paths(self) -> int:
        """C(n, k) k / n."""
        return len(self.path_metrics)

    @property
    def share_positive(self) -> float:
        """Share of all paths whose metric is above 0; one without a metric is not."""
        return float(np.mean(self.path_metrics > 0.0))

    def quantile(self, share: float) -> float:
        """Quantile of the paths' metrics, linear between neighbours; NaN if one is NaN."""
        return float(np.quantile(self.path_metrics, share))


def best_sharpe(train: Floats) -> Floats:
    """Weight 1 on the variant with the highest Sharpe ratio, the first one of equals.

    train : (time, variant). All weights 0 where no variant has one.
    """
    ratios = sharpe(train)
    weights = np.zeros(train.shape[1])
    if not np.isnan(ratios).all():
        weights[np.nanargmax(ratios)] = 1.0
    return weights


def robustness_over_paths(
    returns: npt.ArrayLike,
    cv: CombinatorialPurgedKFold,
    *,
    policy: Policy = best_sharpe,
    metric: Metric | None = None,
) -> CombinatorialRobustness:
    """Choose on the training rows of each split, earn on its test rows, join them to paths.

    A single edge without anything to choose has the same path C(n, k) k / n times: pass the
    variants that were, or could have been, tried. Lopez de Prado (2018), 12.4.

    Parameters
    ----------
    returns : shape (time, variant), finite
        What each variant earned per row; 0 where it held nothing.
    cv : CombinatorialPurgedKFold
        `purge` at least the horizon, in rows.
    policy : (train_time, variant) -> (variant,)
        Weights of the variants; default `best_sharpe`.
    metric : (time,) -> float, optional
        Figure of a path; None: the Sharpe ratio per row.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0 or not np.isfinite(values).all():
        raise DataError(f"returns of shape {values.shape} must be (time, variant) and finite")
    weights, earned = [], []
    for split, (train, test) in enumerate(cv.split(values)):
        if len(train) == 0:
            raise DataError(f"split {split} has no training rows: fewer folds, or less purging")
        chosen = np.asarray(policy(values[train]), dtype=np.float64)
        if chosen.shape != values.shape[1:] or not np.isfinite(chosen).all():
            raise DataError(
                f"split {split}: the policy gave weights {chosen} of shape {chosen.shape} for "
                f"{values.shape[1]} variants"
            )
        weights.append(chosen)
        earned.append(values[test] @ chosen)
    paths = cv.paths(earned, values)
    figures = sharpe(paths.T) if metric is None else np.array([metric(path) for path in paths])
    return CombinatorialRobustness(paths, np.asarray(figures, dtype=np.float64), np.array(weights))
