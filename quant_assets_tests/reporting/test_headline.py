import pandas as pd
import pytest

from quant_assets.contracts.tournament import Tournament
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.reporting.assumptions import assumption_facts, ranking_note
from quant_assets.reporting.headline import headlines, verdict
from quant_assets.reporting.performance import measure_performance
from quant_assets_tests.reporting.samples import sample_venue


@pytest.fixture
def tournament() -> pd.DataFrame:
    entrants = {
        "rank": [0, 1],
        "entrant": ["SPX", "champion"],
        "n_bars": [2520, 2520],
        "n_windows": [120, 120],
        "cagr_net": [0.0712, 0.1034],
        "cagr_gross": [0.0712, 0.1100],
        "annual_volatility": [0.18, 0.1525],
        "sharpe_ratio": [0.45, 0.735],
        "sharpe_ratio_gross": [0.45, 0.78],
        "max_drawdown": [-0.55, -0.3333],
        "calmar_ratio": [0.13, 0.31],
        "annual_turnover": [0.0, 2.341],
        "costs": [0.0, 123456.7],
        "information_ratio": [float("nan"), 0.4],
        "break_even_bps": [float("nan"), 13.62],
    }
    return pd.DataFrame(entrants).astype({"entrant": "str"})


def test_headlines_stand_beside_the_benchmark(tournament: pd.DataFrame) -> None:
    cards = headlines(tournament, "champion", bars_per_year=252, currency="USD")
    assert [(card.label, card.value, card.versus) for card in cards] == [
        ("CAGR, net", "10.34%", "7.12%"),
        ("Volatility", "15.25%", "18.00%"),
        ("Sharpe ratio", "0.73", "0.45"),
        ("Max drawdown", "−33.3%", "−55.0%"),
        ("Turnover", "234%", "0%"),
        ("Cost drag", "0.66%", "0.00%"),
        ("Costs paid", "123,457 USD", "0 USD"),
        ("Information ratio", "0.40", ""),
    ]
    assert [card.note for card in cards[:3]] == ["252 bars / yr"] * 3
    assert cards[-1].note == "break-even 13.6 bps"


def test_headlines_without_benchmark_have_no_comparison(tournament: pd.DataFrame) -> None:
    cards = headlines(tournament.iloc[1:], "champion", bars_per_year=252, currency="USD")
    assert {card.versus for card in cards} == {""}


def test_headlines_of_unranked_entrant_are_none(tournament: pd.DataFrame) -> None:
    assert headlines(tournament, "hrp", bars_per_year=252, currency="USD") == []
    assert headlines(Tournament.empty(), "hrp", bars_per_year=252, currency="USD") == []


def test_verdict_says_who_is_ahead(
    tournament: pd.DataFrame, frames: dict[str, pd.DataFrame]
) -> None:
    performance = measure_performance(frames["equity"], frames["reference_returns"], tournament)
    assert verdict(tournament, performance) == (
        "The house portfolio grew 10.3% a year after costs over 120 whole windows, with 15.2% "
        "volatility and a worst drawdown of 33.3%: 3.2 points a year ahead of the benchmark."
    )
    worse = tournament.assign(cagr_net=[0.12, 0.10])
    assert verdict(worse, performance).endswith("2.0 points a year behind the benchmark.")
    assert verdict(tournament.iloc[1:], performance).endswith("drawdown of 33.3%.")
    assert verdict(tournament, None) == ""


def test_ranking_note_names_the_short_window(frames: dict[str, pd.DataFrame]) -> None:
    metrics = frames["window_metrics"]
    n_whole = metrics.loc[~metrics["partial"], "ts"].nunique()
    last = metrics["ts"].max()
    assert ranking_note(metrics) == (
        f"{n_whole} whole windows are ranked. The short last window ({last:%Y-%m-%d}) is shown but "
        "not ranked."
    )
    assert ranking_note(metrics.loc[~metrics["partial"]]) == f"{n_whole} whole windows are ranked."
    assert ranking_note(WindowMetrics.empty()) == "—"


def test_assumptions_say_what_the_venue_says(frames: dict[str, pd.DataFrame]) -> None:
    venue = sample_venue(
        simulation={"fill": "next_close", "fee_bps": 2.5, "slippage_bps": 7, "initial_equity": 5e5},
        optimization={"max_weight": 0.15, "max_turnover": None},
    )
    performance = measure_performance(
        frames["equity"], frames["reference_returns"], frames["tournament"]
    )
    assert performance is not None
    facts = dict(assumption_facts(venue, "carry", performance, frames["reference_returns"]))
    assert facts["Initial equity"] == "500,000 USD"
    assert facts["Fees"] == "2.5 bps per side"
    assert facts["Slippage"] == "7.0 bps per side"
    assert facts["Fills"] == "close of the first bar at or after the decision"
    assert facts["Weight limits"] == "0% to 15% a name"
    assert facts["Turnover limit"] == "none"
    assert facts["Mode"].startswith("carry")
    assert facts["Universe"].startswith("survivors only")
    share = performance.assumed.mean()
    assert facts["Risk-free"].startswith(f"RF; {share * 100:.1f}% of bars assumed (first 20")
    assert facts["Annualised with"] == "252 bars a year"


def test_assumptions_without_references() -> None:
    venue = sample_venue(reference={})
    facts = dict(assumption_facts(venue, "independent", None, pd.DataFrame()))
    assert facts["Benchmark"] == "none"
    assert facts["Risk-free"] == "none, taken as 0"
    assert "starts flat" in facts["Mode"]
