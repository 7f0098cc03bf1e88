"""How much the entrants' records prove, given every trial that was ever made."""

import numpy as np
import pandas as pd

from quant_assets.contracts.overfitting import Overfitting
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.trial_ledger import Days, Stream, daily_streams, streams
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.model_selection.effective_trials import effective_trials_by_eigenvalues
from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics.per_period import sharpe
from quant_assets.quant.statistics.sharpe_inference import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

MAX_SPLITS = 16
MIN_BLOCK = 10  # days: a Sharpe ratio of fewer is noise
LEAST = 3  # trials and days that correlations are made of
SHORTEST = 0.5  # a trial must have this share of the longest one's days to be compared with it


def overfitting_venue(
    context: ReportingContext,
    telemetry: Telemetry,
    *,
    equity: pd.DataFrame,
    trial_ledger: pd.DataFrame,
) -> pd.DataFrame:
    """Judge each entrant of `equity` against all trials of the ledger, an `Overfitting` frame.

    The trials' Sharpe ratios vary by luck and by skill; both count as luck, which errs on the safe
    side. Correlated trials are counted once for each (`n_trials`) in the deflation;
    `effective_trials` says how many independent ones they are worth.
    """
    trials = streams(trial_ledger, "trial")
    entrants = daily_streams(equity, context.market.bar_length)
    if not entrants:
        return Overfitting.empty()
    ratios = np.array([float(sharpe(trial.returns)) for trial in trials])
    ratios = ratios[np.isfinite(ratios)]
    variance = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 0.0
    luck = {"n_trials": len(trials), "trial_variance": variance}
    panel = common_days(trials)
    pbo = overfitting_probability(panel)
    shared = {
        "n_trials": len(trials),
        "effective_trials": effective_number(panel),
        "expected_maximum": float(expected_maximum_sharpe(**luck)),
        "pbo": pbo,
        "pbo_trials": panel.shape[1],
        "pbo_days": len(panel),
    }
    telemetry.log_metrics("overfitting", {name: float(value) for name, value in shared.items()})
    rows = [
        {
            "entrant": stream.entrant,
            "n_days": len(stream.days),
            "sharpe_ratio": float(sharpe(stream.returns)),
            "psr": float(probabilistic_sharpe_ratio(stream.returns)),
            "dsr": float(deflated_sharpe_ratio(stream.returns, **luck)),
            "minimum_days": _finite(minimum_track_record_length(stream.returns)),
            **shared,
        }
        for stream in entrants
    ]
    frame = pd.DataFrame(rows)
    return frame.astype({"entrant": "str"})


def _finite(value: Floats) -> float:
    """NaN for a record that no length makes convincing."""
    return float(value) if np.isfinite(value) else float("nan")


def common_days(trials: list[Stream]) -> Floats:
    """Returns (day, trial) of the trials that are long enough, on the days that they share."""
    longest = max((len(trial.days) for trial in trials), default=0)
    long = [trial for trial in trials if len(trial.days) >= SHORTEST * longest]
    if not long:
        return np.empty((0, 0))
    days: Days = long[0].days
    for trial in long[1:]:
        days = np.intersect1d(days, trial.days, assume_unique=True)
    columns = [trial.returns[np.searchsorted(trial.days, days)] for trial in long]
    return np.stack(columns, axis=1)


def overfitting_probability(returns: Floats) -> float:
    """PBO of `returns` (day, trial) over at most 16 blocks of at least 10 days; NaN: too few."""
    n_splits = min(MAX_SPLITS, len(returns) // MIN_BLOCK) // 2 * 2
    if n_splits < 4 or returns.shape[1] < 2:
        return float("nan")
    return probability_of_backtest_overfitting(returns, n_splits).probability


def effective_number(returns: Floats) -> float:
    """Number of independent trials that `returns` (day, trial) are worth, in [1, n].

    Trials that never move are left out; fewer than 3 of the others, or 3 days, count as one.
    """
    moving = returns[:, returns.std(axis=0) > 0.0] if returns.size else returns
    if min(moving.shape) < LEAST:
        return 1.0
    return effective_trials_by_eigenvalues(moving)
