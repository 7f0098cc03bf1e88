"""The whole performance table of ten thousand strategies, against blocks of numpy and vectorbt.

The ways do not compute the same number of figures, so that they are compared by the time of one
figure of one strategy; the figures that they share must agree.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets.quant.analytics.table import performance_table
from quant_assets.quant.market.panel import Floats

TITLE = "Performance figures of ten thousand strategies, 2,520 days, one thread"
TARGET = "at most 0.2 of numpy in blocks, and 0.1 of vectorbt, for one figure of one strategy"
SIZE, QUICK_SIZE = (10_000, 2_520), (40, 300)  # strategies, days
VECTORBT_SHARE = 5  # vectorbt gets every fifth strategy: it holds all figures in memory
BLOCK, YEAR = 500, 252.0
Figures = Mapping[str, Floats]
# vectorbt's equity starts after the first return, so that a loss on the first day is none
OTHERWISE_DEFINED = {("vectorbt", "max_drawdown"), ("vectorbt", "calmar_ratio")}


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    returns, market = _strategies(*(QUICK_SIZE if quick else SIZE))
    by_strategy = np.asfortranarray(returns)
    ways: dict[str, Callable[[], Figures]] = {
        "ours, rows in time": lambda: _ours(returns, market),
        "ours, rows by strategy": lambda: _ours(by_strategy, market),
        "numpy, 500 strategies at a time": lambda: _numpy_blocks(by_strategy, market),
    }
    vectorbt, reason = _vectorbt()
    part = np.ascontiguousarray(returns[:, ::VECTORBT_SHARE])
    if vectorbt is not None:
        ways["vectorbt, every fifth strategy"] = lambda: _with_vectorbt(part, market)
    found = {name: way() for name, way in ways.items()}
    for name, figures in found.items():
        _require_equal(found["ours, rows in time"], figures, name)
    cells = {name: len(figures) * len(figures["cagr"]) for name, figures in found.items()}
    timings = timed(ways, 1 if quick else 5)
    each = {name: timing.typical / cells[name] for name, timing in timings.items()}
    rivals = {name.partition(",")[0]: value for name, value in each.items() if "ours" not in name}
    return [
        {
            "way": name,
            "figures": len(found[name]),
            "strategies": len(found[name]["cagr"]),
            "best s": min(timing.wall),
            "median CPU s": timing.typical,
            "ns a figure": each[name] * 1e9,
            "extra peak MB": timing.megabytes,
            "times numpy": each[name] / rivals["numpy"],
            "times vectorbt": each[name] / rivals["vectorbt"] if "vectorbt" in rivals else reason,
        }
        for name, timing in timings.items()
    ]


def _strategies(count: int, days: int) -> tuple[Floats, Floats]:
    """Returns `(time, strategy)` that follow a market more or less, and the market's."""
    rng = np.random.default_rng(0)
    market = 3e-4 + 0.01 * rng.standard_normal(days)
    own = rng.standard_normal((days, count)) * rng.uniform(0.003, 0.02, count)
    return market[:, None] * rng.uniform(0.2, 1.2, count) + own + 2e-4, market


def _ours(returns: Floats, market: Floats) -> Figures:
    table = performance_table(returns, periods_per_year=YEAR, benchmark=market)
    return {str(name): table[name].to_numpy() for name in table}


def _require_equal(ours: Figures, theirs: Figures, way: str) -> None:
    """Raise when a way did not compute the same: then its time means nothing."""
    for name, values in theirs.items():
        if (way.partition(",")[0], name) in OTHERWISE_DEFINED:
            continue
        mine = ours[name] if len(values) == len(ours[name]) else ours[name][::VECTORBT_SHARE]
        if not np.allclose(values, mine, rtol=1e-8, atol=1e-14):
            worst = float(np.nanmax(np.abs(values - mine)))
            raise RuntimeError(f"{way}: {name} differs from ours by up to {worst:.1e}")


def _numpy_blocks(returns: Floats, market: Floats) -> Figures:
    """A user's own array code: 38 figures of blocks of strategies that fit the memory."""
    parts = [
        _numpy_figures(returns[:, first : first + BLOCK].T, market)
        for first in range(0, returns.shape[1], BLOCK)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _numpy_figures(x: Floats, market: Floats) -> dict[str, Floats]:
    n, root = x.shape[1], np.sqrt(YEAR)
    mean, deviation = x.mean(1), x.std(1, ddof=1)
    up, down = np.maximum(x, 0.0), np.minimum(x, 0.0)
    gains, losses = up.sum(1), -down.sum(1)
    wins, falls = (x > 0.0).sum(1), (x < 0.0).sum(1)
    downside = np.sqrt((down**2).mean(1))
    found = {
        "mean_return": mean,
        "annual_mean": mean * YEAR,
        "annual_volatility": deviation * root,
        "sharpe_ratio": mean / deviation * root,
        "sortino_ratio": mean / downside * root,
        "downside_deviation": downside * root,
        "omega_ratio": gains / losses,
        "profit_factor": gains / losses,
        "gain_to_pain_ratio": (gains - losses) / losses,
        "hit_rate": wins / (wins + falls),
        "average_win": gains / wins,
        "average_loss": -losses / falls,
        "payoff_ratio": gains / wins / (losses / falls),
        "exposure": (x != 0.0).mean(1),
    }
    z = x - mean[:, None]
    m2, m3, m4 = (z**2).mean(1), (z**3).mean(1), (z**4).mean(1)
    found |= {"skewness": m3 / m2**1.5, "kurtosis": m4 / m2**2 - 3.0}
    found["autocorrelation"] = (z[:, 1:] * z[:, :-1]).sum(1) / (n * m2)
    return found | _numpy_paths(x) | _numpy_tails(x) | _numpy_beside(x, z, market)


def _numpy_paths(x: Floats) -> dict[str, Floats]:
    n, equity = x.shape[1], np.cumprod(1.0 + x, axis=1)
    losses = equity / np.maximum(np.maximum.accumulate(equity, axis=1), 1.0) - 1.0
    losses[losses > -1e-12] = 0.0
    growth, deepest = equity[:, -1] ** (YEAR / n) - 1.0, losses.min(1)
    return {
        "total_return": equity[:, -1] - 1.0,
        "cagr": growth,
        "max_drawdown": deepest,
        "calmar_ratio": growth / -deepest,
        "pain_index": -losses.mean(1),
        "ulcer_index": np.sqrt((losses**2).mean(1)),
        "time_under_water": (losses < 0.0).mean(1),
        "drawdown_duration": _longest(losses < 0.0),
        "longest_winning_run": _longest(x > 0.0),
        "longest_losing_run": _longest(x < 0.0),
    }


def _longest(flags: Any) -> Floats:
    counts = np.cumsum(flags, axis=1)
    return (counts - np.maximum.accumulate(np.where(flags, 0, counts), axis=1)).max(1).astype(float)


def _numpy_tails(x: Floats) -> dict[str, Floats]:
    ordered = np.sort(x, axis=1)
    low, high = np.quantile(ordered, [0.05, 0.95], axis=1)
    below = x <= low[:, None]
    return {
        "best_return": ordered[:, -1],
        "worst_return": ordered[:, 0],
        "value_at_risk": low,
        "conditional_value_at_risk": np.where(below, x, 0.0).sum(1) / below.sum(1),
        "tail_ratio": np.abs(high) / np.abs(low),
    }


def _numpy_beside(x: Floats, z: Floats, market: Floats) -> dict[str, Floats]:
    centred, n = market - market.mean(), x.shape[1]
    slope = z @ centred / (centred @ centred)
    active = x - market
    rise, growth = market > 0.0, np.log1p(x)
    captured = np.expm1(growth[:, rise].mean(1) * YEAR)
    return {
        "beta": slope,
        "jensen_alpha": (x.mean(1) - slope * market.mean()) * YEAR,
        "correlation": slope * np.sqrt(centred @ centred / n / (z**2).mean(1)),
        "tracking_error": active.std(1, ddof=1) * np.sqrt(YEAR),
        "information_ratio": active.mean(1) / active.std(1, ddof=1) * np.sqrt(YEAR),
        "up_capture": captured / np.expm1(np.log1p(market[rise]).mean() * YEAR),
        "batting_average": (active > 0.0).mean(1),
    }


def _vectorbt() -> tuple[Any, str]:
    """The module and ''; or None and why there is no comparison."""
    try:
        return importlib.import_module("vectorbt"), ""
    except ImportError:
        return None, "skipped: vectorbt is not installed (pip install vectorbt)"


def _with_vectorbt(returns: Floats, market: Floats) -> Figures:
    index = pd.date_range("2010-01-01", periods=len(returns), freq="D")
    found = pd.DataFrame(returns, index).vbt.returns(freq="1D", year_freq="252D")
    beside = pd.Series(market, index)
    return {
        "total_return": found.total().to_numpy(),
        "cagr": found.annualized().to_numpy(),
        "annual_volatility": found.annualized_volatility().to_numpy(),
        "sharpe_ratio": found.sharpe_ratio().to_numpy(),
        "sortino_ratio": found.sortino_ratio().to_numpy(),
        "downside_deviation": found.downside_risk().to_numpy(),
        "max_drawdown": found.max_drawdown().to_numpy(),
        "calmar_ratio": found.calmar_ratio().to_numpy(),
        "omega_ratio": found.omega_ratio().to_numpy(),
        "value_at_risk": found.value_at_risk().to_numpy(),
        "conditional_value_at_risk": found.cond_value_at_risk().to_numpy(),
        "tail_ratio": found.tail_ratio().to_numpy(),
        "beta": found.beta(beside).to_numpy(),
        "up_capture": found.up_capture(beside).to_numpy(),
        "down_capture": found.down_capture(beside).to_numpy(),
    }
