"""The runs of a strategy with what might have been: Monte Carlo as a run of its own."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.context import StrategyContext
from quant_assets.core.hashing import canonical_json
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.simulation.strategy_windows.reading import strategy_of
from quant_assets.quant.simulation.strategy_windows.runs import run_id, strategy_runs_venue
from quant_assets.quant.tuning.resampling import MonteCarloRun, bootstrap_returns

N_PATHS, SEED, LEVEL = 1_000, 0, 0.9


def strategy_runs_and_paths(
    context: StrategyContext, telemetry: Telemetry, **inputs: pd.DataFrame
) -> pd.DataFrame:
    """`StrategyRuns` of `strategy_runs_venue`, and `monte_carlo` where a backtest has 3 days.

    1,000 histories of the backtest's own daily returns, drawn in blocks with a fixed seed. Its
    `metadata` has bands that hold 90 % of each figure; its parent is the backtest.
    """
    runs = strategy_runs_venue(context, telemetry, **inputs)
    loaded = strategy_of(context.strategy)
    equity = inputs[f"{loaded.settings.strategy}_equity"]
    returns = daily_returns(equity)
    if len(returns) < 3:
        return runs
    rng = np.random.default_rng(SEED)
    own = runs[runs["run_type"] == "backtest"].iloc[0]
    facts = json.loads(own["metadata"])
    per_year = facts["bars_per_year"] * len(returns) / len(equity)
    drawn = bootstrap_returns(returns, per_year, n_paths=N_PATHS, rng=rng)
    changed: dict[str, Any] = {
        "id": run_id(context, loaded, "monte_carlo"),
        "run_type": "monte_carlo",
        "parent_run_id": own["id"],
        "metadata": canonical_json(facts | _bands(drawn) | {"days_per_year": per_year}),
    }
    row = runs[runs["run_type"] == "backtest"].assign(**changed).astype(runs.dtypes)
    return pd.concat([runs, row]).sort_values("id", ignore_index=True)


def daily_returns(equity: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Returns of UTC days, which those of their bars compound to; the first is on the capital."""
    growth = 1.0 + equity["returns"].fillna(0.0)
    by_day = growth.groupby(equity["ts"].dt.floor("D")).prod()
    return np.asarray(by_day.to_numpy(dtype=np.float64) - 1.0)


def _bands(drawn: MonteCarloRun) -> dict[str, Any]:
    """Figures by name with `observed`, `lower`, `median` and `upper`; not finite ones are None."""
    table = drawn.bands(LEVEL)
    figures = {
        str(name): {
            str(column): float(value) if np.isfinite(value) else None
            for column, value in row.items()
        }
        for name, row in table.iterrows()
    }
    return {"figures": figures, "n_paths": N_PATHS, "seed": SEED, "level": LEVEL}
