"""What searches over parameters tried on a venue: counted with the trials of its entrants.

A sweep, the training windows of a walk-forward and a notebook's search leave their trials below the
data root. Each of them is a look at the same history, whether it was kept or thrown away; each
counts once, by its hash, from the moment at which it was known, and never leaves.
"""

from datetime import datetime

import pandas as pd

from quant_assets.contracts.search_trials import SearchTrials
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry

KEY = ["family", "trial"]
WALK = "_walk"


def search_trials_venue(
    context: ReportingContext,
    telemetry: Telemetry,
    *,
    search_trials: pd.DataFrame,
    stored: pd.DataFrame,
    **walks: pd.DataFrame,
) -> pd.DataFrame:
    """Add stored trials to `search_trials` (the version before), a `SearchTrials` frame.

    stored : trials as they lie below the data root; of those that are there twice, and of those
    that the version before has, the first known one stays. walks : walk-forwards whose trials are
    among them.
    """
    del context, walks
    parts = [frame for frame in (search_trials, stored.sort_values("available_at")) if len(frame)]
    if not parts:
        return SearchTrials.empty()
    every = pd.concat(parts, ignore_index=True).drop_duplicates(KEY)
    counts = {"trials": float(len(every)), "new": float(len(every) - len(search_trials))}
    telemetry.log_metrics("search_trials", counts)
    return every.sort_values(KEY, ignore_index=True)


def known_trials(search_trials: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The trials that were known at a moment."""
    return search_trials[(search_trials["available_at"] <= pd.Timestamp(moment)).to_numpy()]


def family_of(entrant: str) -> str:
    """The family of an entrant: its name; a walk-forward is of the family of its strategy."""
    return entrant.removesuffix(WALK)
