"""The correlations of the candidates, kept per decision: a matrix as long rows, and back."""

import numpy as np
import pandas as pd

from quant_assets.contracts.correlations import Correlations
from quant_assets.core.context import SynthesisContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.moments.clustering import shrunk_correlation
from quant_assets.quant.synthesis.history import (
    candidate_symbols,
    panels_of,
    refuse_future,
    stamps,
)


def correlations_window(
    context: SynthesisContext,
    telemetry: Telemetry,
    *,
    candidate_pool: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Correlation of each pair of candidates over the training rows, a `Correlations` frame.

    It is the shrunk correlation that `candidate_clusters` groups by, made positive semidefinite by
    `semidefinite`; a pair without common rows counts as uncorrelated. The lower triangle is not
    stored, so that the matrix is symmetric by construction.
    """
    symbols = candidate_symbols(candidate_pool, context.decided_at)
    if not symbols:
        return Correlations.empty()
    refuse_future(returns_matrix, context.decided_at, name="returns_matrix")
    returns = panels_of(returns_matrix, ["returns"], symbols)["returns"].values
    shrunk, shrinkage = shrunk_correlation(returns)
    correlation, mixed = semidefinite(shrunk)
    present = (~np.isnan(returns)).astype(np.float64)
    telemetry.log_metrics(
        "correlations",
        {
            "symbols": float(len(symbols)),
            "rows": float(len(returns)),
            "shrinkage": shrinkage,
            "mixed": mixed,
        },
    )
    first, second = np.triu_indices(len(symbols))
    names = np.array(symbols, dtype=object)
    return pd.DataFrame(
        {
            "decided_at": stamps(context.decided_at, len(first)),
            "symbol": pd.Series(names[first], dtype="str"),
            "other": pd.Series(names[second], dtype="str"),
            "correlation": pd.Series(correlation[first, second]),
            "n_rows": pd.Series((present.T @ present)[first, second]).astype("int64"),
        }
    )


def semidefinite(correlation: Floats) -> tuple[Floats, float]:
    """`(1 - t) C + t I` with the smallest t in [0, 1] that leaves no negative eigenvalue, and t.

    correlation : symmetric (n, n), diagonal 1. With the smallest eigenvalue l < 0 of C,
    `t = -l / (1 - l)`. Correlations over common rows need it where rows are missing; t is 0 on
    complete rows. Unlike the nearest correlation matrix it keeps the order of the pairs.
    """
    lowest = min(0.0, float(np.linalg.eigvalsh(correlation)[0]))
    mixed = -lowest / (1.0 - lowest)
    moved = (1.0 - mixed) * correlation
    np.fill_diagonal(moved, 1.0)
    return moved, mixed


def correlation_matrix(correlations: pd.DataFrame) -> pd.DataFrame:
    """The symmetric matrix of one decision's `Correlations` rows, symbols in order on both sides.

    A pair that is there twice is a `ValueError`: choose one decision with `at_decision` first.
    """
    upper = correlations.pivot(  # noqa: PD010 - pivot_table would average the decisions
        index="symbol", columns="other", values="correlation"
    )
    return upper.fillna(upper.T)
