"""The partitioning stage: which candidates move together."""

import numpy as np
import pandas as pd

from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.core.context import SynthesisContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.moments.clustering import (
    Labels,
    hierarchical_labels,
    shrunk_correlation,
)
from quant_assets.quant.synthesis.history import (
    candidate_symbols,
    panels_of,
    refuse_future,
    stamps,
)


def candidate_clusters_window(
    context: SynthesisContext,
    telemetry: Telemetry,
    *,
    candidate_pool: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Cluster of each candidate by the correlation of its returns, a `CandidateClusters` frame.

    The correlation is shrunk towards the identity; a pair without common rows counts as
    uncorrelated. `mean_correlation` is the symbol's mean shrunk correlation with the others of
    its cluster, NaN for a symbol alone.
    """
    symbols = candidate_symbols(candidate_pool, context.decided_at)
    if not symbols:
        return CandidateClusters.empty()
    refuse_future(returns_matrix, context.decided_at, name="returns_matrix")
    returns = panels_of(returns_matrix, ["returns"], symbols)["returns"].values
    correlation, shrinkage = shrunk_correlation(returns)
    labels = hierarchical_labels(
        correlation,
        context.synthesis.max_clusters,
        min_correlation=context.synthesis.min_cluster_correlation,
    )
    telemetry.log_metrics(
        "candidate_clusters",
        {"clusters": float(labels.max()), "rows": float(len(returns)), "shrinkage": shrinkage},
    )
    return pd.DataFrame(
        {
            "decided_at": stamps(context.decided_at, len(symbols)),
            "symbol": pd.Series(symbols, dtype="str"),
            "cluster": pd.Series(labels).astype("int64"),
            "mean_correlation": pd.Series(mean_correlation_within(correlation, labels)),
        }
    )


def mean_correlation_within(correlation: Floats, labels: Labels) -> Floats:
    """Mean correlation of each member with the others of its cluster; NaN for a member alone."""
    together = labels[:, None] == labels[None, :]
    np.fill_diagonal(together, val=False)
    others = together.sum(axis=1)
    total = np.where(together, correlation, 0.0).sum(axis=1)
    mean = np.clip(total / np.maximum(others, 1), -1.0, 1.0)
    return np.asarray(np.where(others > 0, mean, np.nan))
