"""The honest trial counter: every return stream that a venue's entrants ever had.

What was tried and thrown away decides how much the best of the rest proves (Bailey & Lopez de
Prado 2014). So the ledger only grows: a changed parameter, a new entrant or revised data make new
trials; a longer history continues the old ones.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.trial_ledger import TrialLedger
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instants, to_column
from quant_assets.quant.market.panel import Floats

DAY = np.timedelta64(1, "D")
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Stream:
    """Daily net returns of an entrant, on its days."""

    entrant: str
    days: Days
    returns: Floats

    def continues(self, other: "Stream") -> bool:
        """Whether one of the two is the beginning of the other, bit for bit."""
        n = min(len(self.days), len(other.days))
        return (
            self.entrant == other.entrant
            and np.array_equal(self.days[:n], other.days[:n])
            and np.array_equal(self.returns[:n], other.returns[:n])
        )


def trial_ledger_venue(
    context: ReportingContext,
    telemetry: Telemetry,
    *,
    equity: pd.DataFrame,
    trial_ledger: pd.DataFrame,
) -> pd.DataFrame:
    """Add the streams of `equity` to `trial_ledger` (the version before), a `TrialLedger` frame."""
    trials = streams(trial_ledger, "trial")
    known = len(trials)
    current = daily_streams(equity, context.market.bar_length)
    for stream in current:
        place = next((i for i, trial in enumerate(trials) if stream.continues(trial)), None)
        if place is None:
            trials.append(stream)
        elif len(stream.days) > len(trials[place].days):
            trials[place] = stream
    counts = {"trials": float(len(trials)), "new": float(len(trials) - known)}
    telemetry.log_metrics("trial_ledger", counts)
    if not trials:
        return TrialLedger.empty()
    lengths = [len(trial.days) for trial in trials]
    return pd.DataFrame(
        {
            "trial": pd.Series(np.repeat(np.arange(1, len(trials) + 1), lengths)),
            "ts": to_column(np.concatenate([trial.days for trial in trials])),
            "entrant": pd.Series(np.repeat([t.entrant for t in trials], lengths), dtype="str"),
            "returns": pd.Series(np.concatenate([trial.returns for trial in trials])),
        }
    )


def streams(frame: pd.DataFrame, by: str) -> list[Stream]:
    """One stream for each value of the column `by`, whose rows are together and in time."""
    labels = frame[by].to_numpy()
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    bounds = [0, *changes.tolist(), len(labels)] if len(labels) else []
    days, returns = instants(frame["ts"]), frame["returns"].to_numpy(dtype=np.float64)
    entrants = frame["entrant"].tolist()
    return [
        Stream(str(entrants[first]), days[first:last], returns[first:last])
        for first, last in pairwise(bounds)
    ]


def daily_streams(equity: pd.DataFrame, bar_length: timedelta) -> list[Stream]:
    """Net returns of `Equity` compounded within UTC days, by entrant, sorted by name.

    The last day of bars that are shorter than a day is left out: it may not have ended.
    """
    rows = equity.sort_values(["entrant", "ts"], kind="stable").reset_index(drop=True)
    days = instants(rows["ts"]).astype("datetime64[D]").astype("datetime64[us]")
    entrants = rows["entrant"].to_numpy()
    if len(rows) == 0:
        return []
    new_day = np.r_[True, (days[1:] != days[:-1]) | (entrants[1:] != entrants[:-1])]
    begins = np.flatnonzero(new_day)
    returns = rows["returns"].to_numpy(dtype=np.float64)
    compounded = np.multiply.reduceat(1.0 + returns, begins) - 1.0
    single = np.diff(np.r_[begins, len(rows)]) == 1  # and then not rounded by 1 + r - 1
    daily = pd.DataFrame(
        {
            "entrant": entrants[begins],
            "ts": to_column(days[begins]),
            "returns": np.where(single, returns[begins], compounded),
        }
    )
    if bar_length < timedelta(days=1):
        last = daily["entrant"].ne(daily["entrant"].shift(-1))
        daily = daily[~last].reset_index(drop=True)
    return streams(daily, "entrant")
