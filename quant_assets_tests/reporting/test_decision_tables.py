import math

import pandas as pd
import pytest

from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.reporting.decision_tables import (
    SHOWN_HOLDINGS,
    cluster_cards,
    counted,
    holdings_table,
    newest,
    provenance_table,
    solvers_table,
)
from quant_assets.reporting.inputs import AssetProvenance, Provenance
from quant_assets.reporting.tables import Row


def _texts(row: Row) -> list[str]:
    return [cell.text for cell in row.cells]


def _decision(day: str, rows: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Champion rows: symbol to (weight, previous weight)."""
    return pd.DataFrame(
        {
            "decided_at": pd.Timestamp(day, tz="UTC"),
            "entrant": "champion",
            "symbol": list(rows),
            "weight": [new for new, _ in rows.values()],
            "previous_weight": [old for _, old in rows.values()],
            "target_weight": [new for new, _ in rows.values()],
            "follows": "hrp",
            "binding": "",
        }
    )


def test_solvers_are_counted_once_per_solve(frames: dict[str, pd.DataFrame]) -> None:
    table = solvers_table(frames["target_weights"], frames["portfolio_weights"])
    n_windows = frames["target_weights"]["decided_at"].nunique()
    by_name = {row.cells[0].text: row for row in table.rows}
    assert set(by_name) == {"equal_risk", "hrp", "min_variance"}
    assert by_name["hrp"].cells[2].sort == n_windows
    assert by_name["hrp"].cells[3].text == f"optimal {n_windows - 1}, infeasible 1"
    assert by_name["hrp"].cells[3].tone == "warn"
    assert by_name["hrp"].cells[4].text == "previous_weights 1"
    assert by_name["equal_risk"].cells[4].text == "—"
    assert by_name["equal_risk"].cells[4].tone == ""
    assert sum(int(row.cells[8].text) for row in table.rows) == n_windows


def test_solvers_of_nothing_are_none() -> None:
    assert solvers_table(TargetWeights.empty(), PortfolioWeights.empty()).rows == ()


def test_binding_limits_are_counted_one_by_one() -> None:
    weights = pd.concat(
        [_decision("2024-01-01", {"A": (1, 0)}), _decision("2024-02-01", {"A": (1, 1)})]
    )
    weights = weights.assign(entrant="hrp", binding=["box;turnover", "box"])
    targets = weights.assign(solver="x", status="optimal", fallback="", residual=0.0, iterations=3)
    (row,) = solvers_table(targets, weights).rows
    assert row.cells[7].text == "box 2, turnover 1"


def test_counted_orders_by_count_then_name_and_cuts() -> None:
    assert counted(pd.Series(["b", "a", "", "b"], dtype="str")) == "b 2, a 1"
    assert counted(pd.Series([""], dtype="str")) == "—"
    assert counted(pd.Series(list("abcdef"), dtype="str")) == "a 1, b 1, c 1, d 1, others 2"
    long = counted(pd.Series(["x" * 300], dtype="str"))
    assert len(long) < 90
    assert "…" in long


def test_holdings_show_the_newest_decision_largest_first() -> None:
    weights = pd.concat(
        [
            _decision("2024-01-01", {"OLD": (1.0, 0.0)}),
            _decision(
                "2024-02-01", {"A": (0.2, 0.25), "B": (-0.5, 0.0), "C": (0.0, 0.0), "D": (0.0, 0.1)}
            ),
        ]
    )
    clusters = pd.DataFrame(
        {"decided_at": pd.Timestamp("2024-02-01", tz="UTC"), "symbol": ["A"], "cluster": [3]}
    )
    rows = [_texts(row) for row in holdings_table(weights, clusters, None).rows]
    assert rows == [
        ["B", "−50.00%", "0.00%", "−50.00%", "−50.00%", "—"],
        ["A", "20.00%", "25.00%", "−5.00%", "20.00%", "3"],
        ["D", "0.00%", "10.00%", "−10.00%", "0.00%", "—"],
    ]


def test_holdings_are_capped() -> None:
    weights = _decision("2024-01-01", {f"S{n}": (0.01, 0.0) for n in range(SHOWN_HOLDINGS + 9)})
    assert len(holdings_table(weights, CandidateClusters.empty(), None).rows) == SHOWN_HOLDINGS


def test_holdings_show_alpha_where_streams_are_given() -> None:
    weights = _decision("2024-01-01", {"A": (0.5, 0.0), "B": (0.5, 0.0)})
    streams = pd.DataFrame(
        {
            "decided_at": pd.Timestamp("2024-01-01", tz="UTC"),
            "symbol": ["A", "A"],
            "side": [1, -1],
            "alpha": [0.4, -0.4],
        }
    )
    rows = holdings_table(weights, CandidateClusters.empty(), streams).rows
    assert [row.cells[6].text for row in rows] == ["+0.40", "—"]


def test_clusters_hold_what_the_newest_portfolio_holds() -> None:
    clusters = pd.DataFrame(
        {
            "decided_at": pd.Timestamp("2024-01-01", tz="UTC"),
            "symbol": ["A", "B", "C"],
            "cluster": [1, 1, 2],
            "mean_correlation": [0.85, 0.35, math.nan],
        }
    )
    weights = _decision("2024-01-01", {"A": (0.1, 0.0), "B": (0.4, 0.0), "C": (0.5, 0.0)})
    first, second = cluster_cards(clusters, weights)
    assert [member.symbol for member in first.members] == ["B", "A"]
    assert [member.level for member in first.members] == [1, 4]
    assert (first.weight, first.correlation, first.share) == ("50.0%", "0.60", pytest.approx(0.5))
    assert (second.correlation, second.members[0].level) == ("—", 0)


def test_clusters_without_portfolio_hold_nothing(frames: dict[str, pd.DataFrame]) -> None:
    cards = cluster_cards(frames["candidate_clusters"], PortfolioWeights.empty())
    assert {card.weight for card in cards} == {"0.0%"}


def test_newest_of_nothing_is_nothing() -> None:
    assert newest(PortfolioWeights.empty()).empty


def test_provenance_leaves_out_unknown_code() -> None:
    known = Provenance((AssetProvenance("equity", "ab", 12, "cd"), AssetProvenance("fills", "ef")))
    assert [_texts(row) for row in provenance_table(known).rows] == [
        ["equity", "12", "ab", "cd"],
        ["fills", "—", "ef", ""],
    ]
    assert len(provenance_table(Provenance((AssetProvenance("x", "y"),))).columns) == 3
