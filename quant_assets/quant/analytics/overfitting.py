"""How much the entrants' records prove, given every trial that was ever made."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.overfitting import Overfitting
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.monte_carlo import bars_in_a_day
from quant_assets.quant.analytics.search_trials import family_of
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
    search_trials: pd.DataFrame,
) -> pd.DataFrame:
    """Judge each entrant of `equity` against all trials of the venue, an `Overfitting` frame.

    Trials are those of the ledger and those of searches. Their Sharpe ratios vary by luck and by
    skill; both count as luck, which errs on the safe side. A search on a span that is shorter than
    half of the longest record counts in number, not in variance: its ratios vary by its length.
    Correlated trials are counted once for each (`n_trials`) in the deflation; `effective_trials`
    says how many independent ones those of the ledger are worth.
    """
    trials = streams(trial_ledger, "trial")
    entrants = daily_streams(equity, context.market.bar_length)
    if not entrants:
        return Overfitting.empty()
    counted = _Counted.of(trials, search_trials, _days_per_year(context, equity))
    luck = counted.luck()
    panel = common_days(trials)
    pbo = overfitting_probability(panel)
    shared = {
        "searched_trials": len(search_trials),
        "n_trials": luck["n_trials"],
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
            **counted.of_family(stream),
            **shared,
        }
        for stream in entrants
    ]
    frame = pd.DataFrame(rows)
    return frame.astype({"entrant": "str", "family": "str"})


class _Counted(NamedTuple):
    """Trials by family: Sharpe ratio a day (trial,), NaN of those that have none to compare."""

    families: npt.NDArray[np.object_]
    ratios: Floats

    @classmethod
    def of(cls, trials: list[Stream], searches: pd.DataFrame, days_per_year: float) -> "_Counted":
        """Trials of the ledger, then those of searches."""
        longest = max((len(trial.days) for trial in trials), default=0)
        own = [float(sharpe(trial.returns)) for trial in trials]
        searched = searches["annual_sharpe_ratio"].to_numpy(dtype=np.float64)
        years = searches["n_years"].to_numpy(dtype=np.float64)
        long = years * days_per_year >= SHORTEST * longest
        daily = np.where(long, searched / np.sqrt(days_per_year), np.nan)
        names = [family_of(trial.entrant) for trial in trials] + searches["family"].tolist()
        return cls(np.array(names, dtype=object), np.r_[own, daily])

    def luck(self, family: str | None = None) -> dict[str, Any]:
        """Number of trials and variance of their ratios: of all, or of a family."""
        own = self.ratios if family is None else self.ratios[self.families == family]
        known = own[np.isfinite(own)]
        variance = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
        return {"n_trials": len(own), "trial_variance": variance}

    def of_family(self, stream: Stream) -> dict[str, Any]:
        """What the entrant's own family says of its record."""
        family = family_of(stream.entrant)
        luck = self.luck(family)
        dsr = float(deflated_sharpe_ratio(stream.returns, **luck))
        return {"family": family, "family_trials": luck["n_trials"], "family_dsr": dsr}


def _days_per_year(context: ReportingContext, equity: pd.DataFrame) -> float:
    return context.market.bars_per_year / bars_in_a_day(equity)


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
