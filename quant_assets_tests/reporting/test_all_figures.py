"""The table of every figure."""

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.table import metric_definitions
from quant_assets.reporting.all_figures import figures_table
from quant_assets.reporting.performance import Performance

N = 400
RNG = np.random.default_rng(0)
MARKET = RNG.normal(5e-4, 0.01, N)
NET = 0.8 * MARKET + RNG.normal(2e-4, 0.005, N)


def performance(net=NET, market=MARKET):
    ts = pd.date_range("2024-01-01", periods=N, freq="D", tz="UTC", unit="us")
    zeros = np.zeros(N)
    return Performance(ts, ("champion",), "champion", net[:, None], market, zeros, zeros > 0)


def texts(table):
    return {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}


def test_every_figure_stands_beside_the_benchmark_with_its_formula():
    table = figures_table(performance(), 365)
    assert [c.title for c in table.columns] == ["Figure", "champion", "Benchmark", "Formula"]
    assert len(table.rows) == len(metric_definitions())
    shown = texts(table)
    growth = np.prod(1 + NET) ** (365 / N) - 1
    assert shown["cagr"][0] == f"{growth * 100:.2f}%"
    assert shown["n rows"] == ["400", "400", "n"]
    slope = np.cov(NET, MARKET)[0, 1] / MARKET.var(ddof=1)
    assert shown["beta"][:2] == [f"{slope:.2f}", "—"]
    assert all(len(row.cells) == 4 for row in table.rows)


def test_without_a_benchmark_its_column_and_figures_are_left_out():
    table = figures_table(performance(market=np.full(N, np.nan)), 365)
    assert [column.title for column in table.columns] == ["Figure", "champion", "Formula"]
    assert "beta" not in texts(table)
    assert "cagr" in texts(table)


def test_an_entrant_without_losses_has_an_infinite_profit_factor():
    shown = texts(figures_table(performance(net=np.abs(NET) + 1e-3), 365))
    assert shown["profit factor"][0] == "∞"
    assert shown["omega ratio"][0] == "—"


def test_no_returns_give_no_table():
    assert figures_table(None, 365).rows == ()
