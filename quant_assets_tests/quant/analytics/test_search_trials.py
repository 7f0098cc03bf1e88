"""Trials of searches are counted once, from when they were known, and never leave."""

import numpy as np
import pandas as pd

from quant_assets.contracts.search_trials import SearchTrials
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.analytics.search_trials import (
    family_of,
    known_trials,
    search_trials_venue,
)
from quant_assets_tests.quant.analytics.accounts import context, days


def trials(*names: str, day: int = 0, family: str = "dip") -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {
            "family": pd.array([family] * n, dtype="str"),
            "trial": pd.array(list(names), dtype="str"),
            "available_at": days(day + n)[day:],
            "status": pd.array(["done"] * n, dtype="str"),
            "n_years": np.ones(n),
            "annual_sharpe_ratio": np.full(n, 0.5),
        }
    )


def counted(before: pd.DataFrame, stored: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    telemetry = RecordingTelemetry()
    found = search_trials_venue(context(), telemetry, search_trials=before, stored=stored)
    values = {name: row[name] for row in telemetry.rows for name in ("trials", "new")}
    return SearchTrials.check_frame(found, where="search_trials"), values


def test_every_trial_counts_once_and_stays_as_it_was_first_known():
    first, told = counted(SearchTrials.empty(), trials("b", "a"))
    assert told == {"trials": 2.0, "new": 2.0}
    later = pd.concat([trials("a", "c", day=5), trials("a", family="cross")], ignore_index=True)
    second, told = counted(first, later)
    assert told == {"trials": 4.0, "new": 2.0}
    assert list(zip(second["family"], second["trial"], strict=True)) == [
        ("cross", "a"),
        ("dip", "a"),
        ("dip", "b"),
        ("dip", "c"),
    ]
    kept = second[second["family"] == "dip"].set_index("trial")["available_at"]
    assert kept["a"] == days(2)[1]


def test_trials_that_are_gone_from_the_disk_stay_counted():
    first, _ = counted(SearchTrials.empty(), trials("a", "b"))
    again, told = counted(first, SearchTrials.empty())
    pd.testing.assert_frame_equal(first, again)
    assert told["new"] == 0.0
    assert len(counted(SearchTrials.empty(), SearchTrials.empty())[0]) == 0


def test_known_trials_are_those_of_a_moment():
    frame, _ = counted(SearchTrials.empty(), trials("a", "b", "c"))
    assert known_trials(frame, days(2)[1])["trial"].tolist() == ["a", "b"]
    assert known_trials(frame, days(1)[0] - pd.Timedelta(seconds=1)).empty


def test_family_of_a_walk_forward_is_its_strategy():
    assert [family_of(name) for name in ("dip", "dip_walk")] == ["dip", "dip"]
