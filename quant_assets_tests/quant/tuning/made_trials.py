"""Trials whose returns and values are made up, for the tests of what judges them."""

import numpy as np

from quant_assets.quant.tuning.bench import Outcome
from quant_assets.quant.tuning.objectives.sharpe import Sharpe
from quant_assets.quant.tuning.space import Space
from quant_assets.quant.tuning.study import Trial, Trials


def made(returns, points=None, values=None, space=None):
    """Trials of the columns of `returns` (time, trial)."""
    returns = np.asarray(returns)
    n = returns.shape[1]
    points = points or [{"a": i} for i in range(n)]
    space = space or Space.of({name: sorted({p[name] for p in points}) for name in points[0]})
    if values is None:
        values = returns.mean(axis=0) / returns.std(axis=0, ddof=1) * np.sqrt(252.0)
    items = [
        Trial(i + 1, points[i], Outcome("done", "", returns[:, i], {}), float(values[i]))
        for i in range(n)
    ]
    clock = np.datetime64("2020-01-01", "us") + np.arange(len(returns)) * np.timedelta64(1, "D")
    return Trials(
        items=tuple(items), objective=Sharpe(), clock=clock, periods_per_year=252.0, space=space
    )
