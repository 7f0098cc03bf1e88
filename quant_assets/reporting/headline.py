"""The first screen: a sentence, and a handful of numbers beside the benchmark's."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from quant_assets.reporting.formats import MISSING, basis_points, money, percent, ratio
from quant_assets.reporting.performance import Performance

_BENCHMARK_RANK = 0


@dataclass(frozen=True)
class Headline:
    """One number of the first screen; `versus` is the benchmark's, `note` the unit or basis."""

    label: str
    value: str
    versus: str
    note: str


def _entry(tournament: pd.DataFrame, focus: str) -> dict[str, Any] | None:
    rows = tournament.loc[(tournament["rank"] > _BENCHMARK_RANK) & (tournament["entrant"] == focus)]
    return None if rows.empty else dict(rows.iloc[0])


def _benchmark(tournament: pd.DataFrame) -> dict[str, Any]:
    rows = tournament.loc[tournament["rank"] == _BENCHMARK_RANK]
    return {} if rows.empty else dict(rows.iloc[0])


def headlines(
    tournament: pd.DataFrame, focus: str, *, bars_per_year: int, currency: str
) -> list[Headline]:
    """The focus entrant's row of the tournament against the benchmark's; empty when not ranked."""
    entry, index = _entry(tournament, focus), _benchmark(tournament)
    if entry is None:
        return []
    basis = f"{bars_per_year:,} bars / yr"
    drag = entry["cagr_gross"] - entry["cagr_net"]

    def versus(name: str, digits: int) -> str:
        return percent(index.get(name), digits)

    return [
        Headline("CAGR, net", percent(entry["cagr_net"], 2), versus("cagr_net", 2), basis),
        Headline(
            "Volatility", percent(entry["annual_volatility"], 2), versus("annual_volatility", 2), basis
        ),
        Headline(
            "Sharpe ratio", ratio(entry["sharpe_ratio"]), ratio(index.get("sharpe_ratio")), basis
        ),
        Headline("Max drawdown", percent(entry["max_drawdown"]), versus("max_drawdown", 1), "from peak"),
        Headline(
            "Turnover", percent(entry["annual_turnover"], 0), versus("annual_turnover", 0), "two-way, a year"
        ),
        Headline(
            "Cost drag", percent(drag, 2), MISSING if not index else percent(0.0, 2), "of CAGR, gross to net"
        ),
        Headline("Costs paid", money(entry["costs"], currency), money(index.get("costs"), currency), "in all"),
        Headline(
            "Information ratio",
            ratio(entry["information_ratio"]),
            "",
            f"break-even {basis_points(entry['break_even_bps'])}",
        ),
    ]


def verdict(tournament: pd.DataFrame, performance: Performance | None) -> str:
    """One sentence that a reader can repeat; empty when the focus entrant is not ranked."""
    entry = None if performance is None else _entry(tournament, performance.focus)
    if entry is None or performance is None:
        return ""
    name = "The house portfolio" if performance.focus == "champion" else performance.focus
    text = (
        f"{name} grew {percent(entry['cagr_net'])} a year after costs over "
        f"{entry['n_windows']:,} whole windows, with {percent(entry['annual_volatility'])} volatility "
        f"and a worst drawdown of {percent(abs(entry['max_drawdown']))}"
    )
    index = _benchmark(tournament)
    if not index:
        return f"{text}."
    gap = entry["cagr_net"] - index["cagr_net"]
    side = "ahead of" if gap >= 0 else "behind"
    points = ratio(abs(gap) * 100, 1)
    return f"{text}: {points} points a year {side} the benchmark."
