"""What a model is asked to foretell: returns that lie wholly after the row they belong to."""

import numpy as np

from quant_assets.quant.market.panel import Floats

__all__ = ["forward_returns"]


def forward_returns(returns: Floats, horizon_bars: int) -> Floats:
    """Compounded return of the next `horizon_bars` bars: row t covers returns t+1 .. t+horizon.

    returns : (time, symbol), simple, > -1. Same shape back; NaN in the last `horizon_bars` rows,
    whose labels end after the history, and wherever one of the compounded returns is NaN.
    """
    labels = np.full(returns.shape, np.nan)
    n_rows = len(returns)
    if n_rows <= horizon_bars:
        return labels
    missing = np.isnan(returns)
    growth = np.cumsum(np.log1p(np.where(missing, 0.0, returns)), axis=0)
    gaps = np.cumsum(missing, axis=0)
    log_return = growth[horizon_bars:] - growth[:-horizon_bars]
    complete = gaps[horizon_bars:] == gaps[:-horizon_bars]
    labels[: n_rows - horizon_bars] = np.where(complete, np.expm1(log_return), np.nan)
    return labels
