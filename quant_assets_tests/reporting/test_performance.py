import numpy as np
import pandas as pd

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.contracts.tournament import Tournament
from quant_assets.reporting.performance import (
    Performance,
    choose_focus,
    growth,
    measure_performance,
)


def _performance(ts: pd.DatetimeIndex) -> Performance:
    zeros = np.zeros(len(ts))
    assumed = np.zeros(len(ts), dtype=bool)
    return Performance(ts, ("a",), "a", zeros[:, None], zeros, zeros, assumed)


def test_empty_equity_has_no_performance() -> None:
    assert measure_performance(Equity.empty(), ReferenceReturns.empty(), Tournament.empty()) is None


def test_focus_is_champion_then_best_ranked_then_first() -> None:
    ranked = pd.DataFrame({"rank": [0, 2, 1], "entrant": ["SPX", "b", "zz"]})
    assert choose_focus(("a", "champion"), ranked) == "champion"
    assert choose_focus(("a", "b"), ranked) == "b"
    assert choose_focus(("a", "zz", "b"), ranked) == "zz"
    assert choose_focus(("c", "d"), ranked) == "c"


def test_benchmark_and_risk_free_are_aligned_by_ts(frames: dict[str, pd.DataFrame]) -> None:
    references = frames["reference_returns"].copy()
    days = frames["equity"]["ts"].drop_duplicates().reset_index(drop=True)
    gone = (references["ts"] == days[3]) & (references["role"] == "benchmark")
    result = measure_performance(frames["equity"], references[~gone], frames["tournament"])
    assert result is not None
    assert result.missing_benchmark == 1
    assert np.isnan(result.benchmark[3])
    assert result.benchmark_returns[3] == 0.0
    expected = references.loc[
        (references["ts"] == days[5]) & (references["role"] == "benchmark"), "returns"
    ]
    assert result.benchmark[5] == expected.item()
    assert 0.2 < result.assumed.mean() < 0.3


def test_missing_risk_free_series_counts_as_assumed_zero(frames: dict[str, pd.DataFrame]) -> None:
    none = ReferenceReturns.empty()
    result = measure_performance(frames["equity"], none, frames["tournament"])
    assert result is not None
    assert not result.has_benchmark
    assert result.assumed.all()
    assert (result.risk_free == 0).all()


def test_growth_leaves_unknown_bars_flat() -> None:
    assert growth(np.array([0.1, np.nan, -0.5])).tolist() == [1.1, 1.1, 0.55]


def test_daily_points_are_last_bars_of_utc_days() -> None:
    ts = pd.DatetimeIndex(
        ["2024-01-01 00:00", "2024-01-01 23:55", "2024-01-02 00:00", "2024-01-04 12:00"], tz="UTC"
    )
    assert _performance(ts).daily().tolist() == [1, 2, 3]


def test_weekly_points_are_last_bars_of_weeks_that_start_on_monday() -> None:
    ts = pd.date_range("2024-01-01", periods=15, freq="D", tz="UTC")  # a Monday
    assert ts[_performance(ts).weekly()].strftime("%m-%d").tolist() == ["01-07", "01-14", "01-15"]
