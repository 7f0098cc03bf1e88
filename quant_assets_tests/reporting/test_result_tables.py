import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.reporting.performance import Performance, measure_performance
from quant_assets.reporting.result_tables import (
    costs_table,
    drawdowns_table,
    leaderboard_table,
    signals_table,
)
from quant_assets.reporting.tables import Row, Table, number


def _texts(row: Row) -> list[str]:
    return [cell.text for cell in row.cells]


def _row(table: Table, name: str) -> Row:
    return next(row for row in table.rows if name in _texts(row))


def _performance(returns: list[float], benchmark: list[float]) -> Performance:
    ts = pd.date_range("2024-01-01", periods=len(returns), freq="D", tz="UTC", unit="us")
    zeros = np.zeros(len(returns))
    net = np.array(returns)[:, None]
    return Performance(
        ts, ("champion",), "champion", net, np.array(benchmark), zeros, zeros.astype(bool)
    )


def test_number_sorts_by_full_precision_and_nan_by_nothing() -> None:
    assert number(0.123456789, "12.3%").sort == 0.123456789
    assert number(-0.1, "x").tone == "minus"
    assert number(math.nan, "—").sort == ""


def test_leaderboard_shows_every_entrant_with_the_benchmark_apart(
    frames: dict[str, pd.DataFrame],
) -> None:
    performance = measure_performance(
        frames["equity"], frames["reference_returns"], frames["tournament"]
    )
    table = leaderboard_table(frames["tournament"], performance)
    assert [row.kind for row in table.rows].count("benchmark") == 1
    assert table.rows[0].kind == "benchmark"
    assert table.rows[0].cells[0].text == "—"
    assert _row(table, "champion").kind == "focus"
    assert _row(table, "champion").cells[2].spark
    entry = frames["tournament"].set_index("entrant").loc["hrp"]
    shown = _row(table, "hrp")
    assert shown.cells[3].text == f"{entry['cagr_net'] * 100:.2f}%".replace("-", "−")
    assert shown.cells[3].sort == entry["cagr_net"]
    assert shown.cells[6].text == f"{entry['sharpe_ratio']:.2f}".replace("-", "−")
    assert shown.cells[11].text == f"{entry['costs']:,.0f}"
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_leaderboard_without_equity_still_ranks(frames: dict[str, pd.DataFrame]) -> None:
    frames["tournament"]["trusted"] = frames["tournament"]["entrant"] != "hrp"
    table = leaderboard_table(frames["tournament"], None)
    told = [row.cells[1].text for row in table.rows if "not trusted" in row.cells[1].text]
    assert told == ["hrp (not trusted)"]
    assert len(table.rows) == len(frames["tournament"])
    assert table.columns[2].title == "Growth"


def test_costs_table_of_two_windows() -> None:
    windows = pd.DataFrame(
        {
            "gross_return": [0.011, 0.02],
            "net_return": [0.010, 0.02],
            "turnover": [1.0, 0.5],
            "fees": [100.0, 50.0],
            "slippage": [500.0, 250.0],
            "funding": [0.0, 0.0],
            "drift_gap": [0.002, 0.004],
        }
    )
    table = costs_table(windows, "USD")
    assert [_texts(row) for row in table.rows] == [
        ["Turnover, two-way", "75.0%", "75.0%", "100.0%", "150.0%"],
        ["Costs, share of equity", "5.0 bps", "5.0 bps", "10.0 bps", "10.0 bps"],
        ["Fees", "75 USD", "75 USD", "100 USD", "150 USD"],
        ["Slippage", "375 USD", "375 USD", "500 USD", "750 USD"],
        ["Drift gap to actual holdings", "0.30%", "0.30%", "0.40%", "—"],
    ]


def test_costs_table_names_funding_only_where_there_is_some() -> None:
    names = ["gross_return", "net_return", "turnover", "fees", "slippage", "drift_gap"]
    windows = pd.DataFrame([[0.0] * len(names)], columns=names).assign(funding=-12.0)
    assert _row(costs_table(windows, "USDT"), "Funding received").cells[1].text == "−12 USDT"


def test_drawdowns_by_hand_with_the_benchmark_on_the_way_down() -> None:
    performance = _performance([-0.1, -0.1, 0.5, -0.2], [0.01, -0.06, 0.0, 0.02])
    rows = [_texts(row) for row in drawdowns_table(performance).rows]
    assert rows == [
        ["1", "−20.0%", "2024-01-04", "2024-01-04", "not yet", "1", "2.0%"],
        ["2", "−19.0%", "2024-01-01", "2024-01-02", "2024-01-03", "2", "−5.1%"],
    ]


def test_drawdowns_of_gains_only_are_none() -> None:
    assert drawdowns_table(_performance([0.1, 0.1], [0.0, 0.0])).rows == ()
    assert drawdowns_table(None).rows == ()


def test_signals_t_statistic_agrees_with_scipy(frames: dict[str, pd.DataFrame]) -> None:
    metrics = frames["signal_metrics"]
    table = signals_table(metrics)
    for name, group in metrics.groupby("signal"):
        expected = stats.ttest_1samp(group["rank_ic"], 0.0).statistic
        assert _row(table, str(name)).cells[4].sort == pytest.approx(expected, rel=1e-12)


def test_signals_leave_out_unknown_windows_and_silent_signals() -> None:
    metrics = pd.DataFrame(
        {
            "signal": ["alpha"] * 3 + ["mute"],
            "rank_ic": [0.1, np.nan, 0.3, np.nan],
            "n_symbols": [10, 2, 20, 0],
        }
    )
    (row,) = signals_table(metrics).rows
    assert _texts(row) == ["alpha", "2", "+0.200", "0.141", "+2.00", "100%", "+0.300", "15.0"]


def test_signal_with_one_window_has_no_t_statistic() -> None:
    metrics = pd.DataFrame({"signal": ["alpha"], "rank_ic": [0.1], "n_symbols": [10]})
    (row,) = signals_table(metrics).rows
    assert [row.cells[3].text, row.cells[4].text] == ["—", "—"]
