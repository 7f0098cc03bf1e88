"""The candidate pool: every instrument of the universe against every screen."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.core.context import DiscoveryContext
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.discovery.base import Bools, Screen, ScreenInputs
from quant_assets.quant.market.bars import instant, to_column
from quant_assets.quant.market.panel import Floats, Panel, to_panels

SCREENS_PACKAGE = "quant_assets.quant.discovery"


@dataclass(frozen=True)
class Verdict:
    """What one screen found: `measured` and `passed` have shape (symbol,)."""

    measured: Floats
    limit: float
    passed: Bools


def candidate_pool_window(
    context: DiscoveryContext,
    telemetry: Telemetry,
    *,
    universe: pd.DataFrame,
    bars: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """One row per instrument of the universe and rule, a `CandidatePool` frame.

    universe : the one decided now. bars, returns_matrix : the windows before. An instrument is a
    candidate when it passes every rule; each exclusion shows its rule, value and limit.
    """
    if len(universe) == 0:
        return CandidatePool.empty()
    verdicts = judge(screen_inputs(context, universe, bars, returns_matrix))
    passed = np.stack([verdict.passed for verdict in verdicts.values()], axis=1)
    is_candidate = passed.all(axis=1)
    excluded = {f"excluded_by_{n}": float((~v.passed).sum()) for n, v in verdicts.items()}
    telemetry.log_metrics(
        "candidate_pool",
        {"symbols": float(len(universe)), "candidates": float(is_candidate.sum())} | excluded,
    )
    n_symbols, n_rules = passed.shape
    values = np.stack([verdict.measured for verdict in verdicts.values()], axis=1)
    limits = np.array([verdict.limit for verdict in verdicts.values()], dtype=np.float64)
    moments = np.full(n_symbols * n_rules, instant(context.decided_at))
    symbols = np.repeat(universe["symbol"].to_numpy(dtype=object), n_rules)
    return pd.DataFrame(
        {
            "decided_at": to_column(moments),
            "symbol": pd.Series(symbols, dtype="str"),
            "rule": pd.Series(list(verdicts) * n_symbols, dtype="str"),
            "value": pd.Series(values.ravel()),
            "limit": pd.Series(np.tile(limits, n_symbols)),
            "passed": pd.Series(passed.ravel()),
            "is_candidate": pd.Series(np.repeat(is_candidate, n_rules)),
        }
    )


def judge(inputs: ScreenInputs) -> dict[str, Verdict]:
    """Verdict of every discovered screen, by name, sorted; relative screens run last."""
    screens = {name: screen() for name, screen in discover(SCREENS_PACKAGE, Screen).items()}
    verdicts: dict[str, Verdict] = {}
    for name in sorted(screens, key=lambda name: (screens[name].relative, name)):
        if screens[name].relative:
            others = [v.passed for n, v in verdicts.items() if not screens[n].relative]
            inputs = replace(inputs, eligible=np.logical_and.reduce([inputs.listed, *others]))
        limit = screens[name].limit(inputs.parameters)
        values = screens[name].measure(inputs)
        verdicts[name] = Verdict(values, limit, screens[name].passes(values, limit))
    return dict(sorted(verdicts.items()))


def screen_inputs(
    context: DiscoveryContext,
    universe: pd.DataFrame,
    bars: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> ScreenInputs:
    """Put bars and returns on the grid of the bars and on the universe's symbols."""
    symbols = tuple(str(symbol) for symbol in universe["symbol"])
    panels = to_panels(bars, ["close", "volume"])
    ts = panels["close"].ts
    returns = to_panels(returns_matrix, ["returns"])["returns"]
    listed = universe["is_listed"].to_numpy(dtype=bool)
    return ScreenInputs(
        close=on_axes(panels["close"], ts, symbols),
        returns=on_axes(returns, ts, symbols),
        volume=on_axes(panels["volume"], ts, symbols),
        listed=listed,
        eligible=listed,
        has_volume="volume" in context.market.price_fields,
        bars_per_year=context.market.bars_per_year,
        parameters=context.discovery,
    )


def on_axes(panel: Panel, ts: pd.DatetimeIndex, symbols: tuple[str, ...]) -> Panel:
    """Put a panel on other axes: NaN where it has no such cell, cells beyond them left out."""
    if panel.symbols == symbols and panel.ts.equals(ts):
        return panel
    rows, columns = panel.ts.get_indexer(ts), pd.Index(panel.symbols).get_indexer(pd.Index(symbols))
    values = np.full((len(ts), len(symbols)), np.nan)
    here = np.ix_(rows >= 0, columns >= 0)
    values[here] = panel.values[np.ix_(rows[rows >= 0], columns[columns >= 0])]
    return Panel(values, ts, symbols)
