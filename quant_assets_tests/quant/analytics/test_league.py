import numpy as np
import pandas as pd

from quant_assets.contracts.league import League
from quant_assets.contracts.tournament import Tournament
from quant_assets.quant.analytics.league import league_table


def board(rows):
    """A Tournament frame of (rank, entrant, net CAGR, Sharpe)."""
    ranks, names, cagrs, sharpes = zip(*rows, strict=True)
    count = len(rows)
    frame = pd.DataFrame(
        {
            "rank": np.array(ranks, dtype="int64"),
            "entrant": pd.Series(names, dtype="str"),
            "n_bars": np.full(count, 252, dtype="int64"),
            "n_windows": np.full(count, 12, dtype="int64"),
            "cagr_net": cagrs,
            "cagr_gross": cagrs,
            "annual_volatility": np.full(count, 0.1),
            "sharpe_ratio": sharpes,
            "sharpe_ratio_gross": sharpes,
            "max_drawdown": np.full(count, -0.2),
            "calmar_ratio": np.full(count, 1.0),
            "annual_turnover": np.full(count, 1.0),
            "costs": np.full(count, 10.0),
            "information_ratio": np.full(count, 0.5),
            "break_even_bps": np.full(count, 50.0),
            "trusted": np.full(count, fill_value=True),
        }
    )
    return Tournament.check_frame(frame, where="test")


REAL = board([(0, "index", 0.05, 0.4), (1, "a", 0.09, 1.0), (2, "b", 0.07, 0.8)])
OTHER = board([(1, "a", 0.20, 0.9), (2, "c", 0.01, np.nan)])
MADE = board([(0, "btc", 0.50, 0.3), (1, "a", 0.90, 3.0)])


def test_league_orders_by_sharpe_and_puts_simulated_venues_last():
    table = league_table({"x": REAL, "y": OTHER, "made": MADE}, {"made"})
    League.check_frame(table, where="test")
    assert list(zip(table["venue"], table["entrant"], strict=True)) == [
        ("x", "a"), ("y", "a"), ("x", "b"), ("y", "c"), ("made", "a"),
    ]  # fmt: skip
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["simulated"].tolist() == [False] * 4 + [True]


def test_league_excess_is_over_the_venues_own_benchmark():
    table = league_table({"x": REAL, "y": OTHER, "made": MADE}, {"made"})
    np.testing.assert_allclose(table["excess_cagr"], [0.04, np.nan, 0.02, np.nan, 0.40], atol=1e-15)


def test_league_of_nothing_is_empty():
    assert league_table({}, set()).equals(League.empty())
