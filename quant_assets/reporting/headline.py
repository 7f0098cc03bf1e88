"""The first screen: a sentence, and a handful of numbers beside the benchmark's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quant_assets.reporting.formats import basis_points, money, percent, ratio
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
    """Put the focus entrant's tournament row beside the benchmark's; empty when not ranked."""
    entry, index = _entry(tournament, focus), _benchmark(tournament)
    if entry is None:
        return []
    basis = f"{bars_per_year:,} bars / yr"
    entry["drag"] = entry["cagr_gross"] - entry["cagr_net"]
    index |= {"drag": 0.0} if index else {}
    shown: list[tuple[str, str, Callable[[float], str], str]] = [
        ("CAGR, net", "cagr_net", lambda v: percent(v, 2), basis),
        ("Volatility", "annual_volatility", lambda v: percent(v, 2), basis),
        ("Sharpe ratio", "sharpe_ratio", ratio, basis),
        ("Max drawdown", "max_drawdown", percent, "from peak"),
        ("Turnover", "annual_turnover", lambda v: percent(v, 0), "two-way, a year"),
        ("Cost drag", "drag", lambda v: percent(v, 2), "of CAGR, gross to net"),
        ("Costs paid", "costs", lambda v: money(v, currency), "fees and slippage in all"),
    ]
    cards = [
        Headline(label, text(entry[name]), text(index[name]) if index else "", note)
        for label, name, text, note in shown
    ]
    even = f"break-even {basis_points(entry['break_even_bps'])}"
    return [*cards, Headline("Information ratio", ratio(entry["information_ratio"]), "", even)]


def verdict(tournament: pd.DataFrame, performance: Performance | None) -> str:
    """One sentence that a reader can repeat; empty when the focus entrant is not ranked."""
    entry = None if performance is None else _entry(tournament, performance.focus)
    if entry is None or performance is None:
        return ""
    name = "The house portfolio" if performance.focus == "champion" else performance.focus
    text = (
        f"{name} grew {percent(entry['cagr_net'])} a year after costs over "
        f"{entry['n_windows']:,} whole windows, with {percent(entry['annual_volatility'])} "
        "volatility "
        f"and a worst drawdown of {percent(abs(entry['max_drawdown']))}"
    )
    index = _benchmark(tournament)
    if not index:
        return f"{text}."
    gap = entry["cagr_net"] - index["cagr_net"]
    side = "ahead of" if gap >= 0 else "behind"
    points = ratio(abs(gap) * 100, 1)
    return f"{text}: {points} points a year {side} the benchmark."
