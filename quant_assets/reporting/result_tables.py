"""Tables of what happened: leaderboard, costs, drawdowns, signals."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.drawdown import drawdown_table
from quant_assets.quant.statistics.per_period import sharpe
from quant_assets.reporting.charts import sparkline
from quant_assets.reporting.formats import (
    MISSING,
    basis_points,
    count,
    day,
    money,
    percent,
    ratio,
)
from quant_assets.reporting.performance import CHAMPION, Performance
from quant_assets.reporting.tables import Cell, Column, Row, Table, number, records, word

UNTRUSTED = " (not trusted)"
_GROWTH = Column("Growth", numeric=False, hint="Log growth net of costs, all bars")
_LEADERBOARD = (
    Column("#", hint="Rank by the tournament's rule; the benchmark has none"),
    Column("Entrant", numeric=False),
    Column("vs benchmark", numeric=False, hint="Log growth over the benchmark's, all bars"),
    Column("CAGR net", hint="Compound annual growth after fees and slippage"),
    Column("CAGR gross", hint="The same before fees and slippage"),
    Column("Volatility", hint="Annual standard deviation of net returns"),
    Column("Sharpe net", hint="Annual Sharpe ratio of net returns over the risk-free rate"),
    Column("Sharpe gross", hint="The same before fees and slippage"),
    Column("Max drawdown", hint="Deepest loss from a peak"),
    Column("Calmar", hint="CAGR over the deepest drawdown"),
    Column("Turnover / yr", hint="Two-way turnover a year, as a fraction of equity"),
    Column("Costs paid", hint="Fees and slippage in all, in venue currency"),
    Column("Info ratio", hint="Annual information ratio against the benchmark"),
    Column("Break-even", hint="One-way cost at which the excess over the benchmark vanishes"),
)


def leaderboard_table(tournament: pd.DataFrame, performance: Performance | None) -> Table:
    """Every entrant and the benchmark, in the order of Tournament rows."""
    focus = performance.focus if performance else CHAMPION
    rows = []
    for entry in records(tournament):
        is_benchmark = entry["rank"] == 0
        kind = "benchmark" if is_benchmark else "focus" if entry["entrant"] == focus else ""
        rank = Cell(MISSING if is_benchmark else count(entry["rank"]), float(entry["rank"]))
        shown = f"{entry['entrant']}{'' if entry['trusted'] else UNTRUSTED}"
        name, spark = word(shown, "name"), _spark(performance, entry)
        rows.append(Row((rank, name, spark, *_leader_numbers(entry)), kind))
    has_benchmark = performance is not None and performance.has_benchmark
    columns = _LEADERBOARD if has_benchmark else (*_LEADERBOARD[:2], _GROWTH, *_LEADERBOARD[3:])
    return Table(columns, tuple(rows), sortable=True, kind="leaderboard")


def _leader_numbers(entry: Mapping[str, float]) -> list[Cell]:
    rates = ("cagr_net", "cagr_gross", "annual_volatility")
    return [
        *(number(entry[name], percent(entry[name], 2)) for name in rates),
        number(entry["sharpe_ratio"], ratio(entry["sharpe_ratio"])),
        number(entry["sharpe_ratio_gross"], ratio(entry["sharpe_ratio_gross"])),
        number(entry["max_drawdown"], percent(entry["max_drawdown"], 1)),
        number(entry["calmar_ratio"], ratio(entry["calmar_ratio"])),
        number(entry["annual_turnover"], percent(entry["annual_turnover"], 0)),
        number(entry["costs"], count(entry["costs"])),
        number(entry["information_ratio"], ratio(entry["information_ratio"])),
        number(entry["break_even_bps"], basis_points(entry["break_even_bps"])),
    ]


def _spark(performance: Performance | None, entry: Mapping[str, object]) -> Cell:
    if performance is None or entry["rank"] == 0 or entry["entrant"] not in performance.entrants:
        return Cell("")
    column = performance.net[:, performance.entrants.index(str(entry["entrant"]))]
    return Cell("", tone="spark", spark=sparkline(column, performance.benchmark_returns))


_WINDOWS = (
    Column("", numeric=False),
    Column("Mean per window"),
    Column("Median"),
    Column("Largest"),
    Column("All windows"),
)


def costs_table(windows: pd.DataFrame, currency: str) -> Table:
    """Turnover, costs and drift of one entrant's WindowMetrics."""
    costs = (windows["gross_return"] - windows["net_return"]) * 1e4
    paid = [("Fees", windows["fees"]), ("Slippage", windows["slippage"])]
    paid += [("Funding received", windows["funding"])] if windows["funding"].any() else []
    rows = [
        _spread_row("Turnover, two-way", windows["turnover"], lambda v: percent(v, 1)),
        _spread_row("Costs, share of equity", costs, basis_points),
        *(_spread_row(name, values, lambda v: money(v, currency)) for name, values in paid),
    ]
    drift = _spread_row(
        "Drift gap to actual holdings", windows["drift_gap"], lambda v: percent(v, 2)
    )
    rows.append(Row((*drift.cells[:-1], word(MISSING))))
    return Table(_WINDOWS, tuple(rows))


def _spread_row(name: str, values: pd.Series, text: Callable[[float], str]) -> Row:
    numbers = (values.mean(), values.median(), values.max(), values.sum())
    return Row((word(name, "name"), *(number(float(v), text(float(v))) for v in numbers)))


_DRAWDOWNS = (
    Column("#"),
    Column("Depth"),
    Column("First bar under water"),
    Column("Trough"),
    Column("Recovery", hint="First bar back at the peak"),
    Column("Bars under water"),
    Column("Benchmark", hint="The benchmark's return from the first bar to the trough"),
)


def drawdowns_table(performance: Performance | None, top: int = 5) -> Table:
    """List the focus entrant's deepest drawdowns, and what the benchmark did on the way down."""
    if performance is None:
        return Table(_DRAWDOWNS)
    worst = drawdown_table(performance.focus_returns, performance.ts, top)
    rows = []
    for place, entry in enumerate(records(worst), start=1):
        span = (performance.ts >= entry["start"]) & (performance.ts <= entry["trough"])
        meanwhile = float(np.prod(1.0 + performance.benchmark[span]) - 1.0)
        recovery = "not yet" if pd.isna(entry["recovery"]) else day(entry["recovery"])
        cells = (
            number(place, count(place)),
            number(entry["depth"], percent(entry["depth"])),
            word(day(entry["start"])),
            word(day(entry["trough"])),
            word(recovery),
            number(entry["length"], count(entry["length"])),
            number(meanwhile, percent(meanwhile)),
        )
        rows.append(Row(cells))
    return Table(_DRAWDOWNS, tuple(rows), sortable=True)


_SIGNALS = (
    Column("Signal", numeric=False),
    Column("Windows", hint="Windows with a rank IC"),
    Column("Mean IC"),
    Column("Std IC", hint="Standard deviation, ddof 1"),
    Column("t-stat", hint="Mean over its standard error; windows do not overlap"),
    Column("IC > 0", hint="Share of windows with a positive IC"),
    Column("Newest IC"),
    Column("Symbols", hint="Mean number of symbols ranked"),
)


def signals_table(signal_metrics: pd.DataFrame) -> Table:
    """Mean, spread and t-statistic `mean / (std / sqrt(n))` of each signal's rank IC."""
    rows = []
    for name, group in signal_metrics.groupby("signal", sort=True):
        known = group.loc[group["rank_ic"].notna()]
        values = known["rank_ic"].to_numpy(dtype="float64")
        if not len(values):
            continue
        spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        t_value = float(sharpe(values)) * float(np.sqrt(len(values)))
        share = float((values > 0).mean())
        cells = (
            word(str(name), "name"),
            number(len(values), count(len(values))),
            number(float(values.mean()), ratio(float(values.mean()), 3, sign=True)),
            number(spread, ratio(spread, 3)),
            number(t_value, ratio(t_value, 2, sign=True)),
            number(share, percent(share, 0)),
            number(float(values[-1]), ratio(float(values[-1]), 3, sign=True)),
            number(float(known["n_symbols"].mean()), ratio(float(known["n_symbols"].mean()), 1)),
        )
        rows.append(Row(cells, "focus" if name == "alpha" else ""))
    return Table(_SIGNALS, tuple(rows), sortable=True)
