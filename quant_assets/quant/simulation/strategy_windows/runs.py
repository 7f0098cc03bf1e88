"""The runs that a strategy's windows make up, with what makes them repeatable."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.core.context import StrategyContext
from quant_assets.core.hashing import canonical_json
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.table import performance_table
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.panel_doubts import panel_doubts
from quant_assets.quant.simulation.strategy_windows.reading import (
    bars_of,
    bars_per_year_of,
    execution_of,
    first_traded,
    strategy_of,
    with_members,
)
from quant_assets.quant.strategies.config import Backtest, LoadedStrategy

RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "quant_assets/strategy_runs")


def run_id(context: StrategyContext, loaded: LoadedStrategy, run_type: str) -> str:
    """Identity of a run on a venue: it follows from strategy, hashes and mode."""
    hashes = [loaded.strategy_hash, loaded.param_hash]
    known = [loaded.settings.strategy, run_type, context.venue, context.mode, *hashes]
    return str(uuid.uuid5(RUNS, canonical_json(known)))


def strategy_runs_venue(
    context: StrategyContext, telemetry: Telemetry, **inputs: pd.DataFrame
) -> pd.DataFrame:
    """`StrategyRuns`: the backtest that the venue's windows make up, and the walk-forward.

    Parameters
    ----------
    inputs
        `<strategy>_equity`, `<strategy>_trades` and `<strategy>_positions` of all windows,
        `<strategy>_leaks`, `bars`, `universe` where the file asks for it, and those of the
        walk-forward where there is one.
    """
    loaded = strategy_of(context.strategy)
    panel = bars_of(inputs["bars"], context.market, loaded.settings)
    panel = with_members(panel, inputs.get("universe"), loaded.settings)
    doubts = () if panel is None else _doubts(panel, loaded)
    symbols = () if panel is None else panel.symbols
    said = [*execution_of(loaded, context.market).assumptions(symbols), *doubts]
    found = [_run(context, telemetry, loaded, inputs, "backtest", said)]
    if f"{loaded.settings.strategy}_walk_equity" in inputs:
        walked = _run(context, telemetry, loaded, inputs, "walk_forward", said)
        found.append(walked | {"parent_run_id": found[0]["id"]})
    rows = sorted(found, key=lambda row: row["id"])
    frame = pd.DataFrame({key: [row[key] for row in rows] for key in rows[0]})
    texts = [key for key, value in rows[0].items() if isinstance(value, str)]
    times = ["start_date", "end_date"]
    return frame.astype(dict.fromkeys(texts, "str") | dict.fromkeys(times, "datetime64[us, UTC]"))


def _run(  # what a row is made of
    context: StrategyContext,
    telemetry: Telemetry,
    loaded: LoadedStrategy,
    inputs: Mapping[str, pd.DataFrame],
    run_type: str,
    said: list[str],
) -> dict[str, Any]:
    """One row; said : what must stand beside its figures."""
    settings = loaded.settings
    name = settings.strategy
    of = f"{name}_walk" if run_type == "walk_forward" else name
    equity, trades = inputs[f"{of}_equity"], inputs[f"{of}_trades"]
    positions, leaks = inputs[f"{of}_positions"], inputs[f"{name}_leaks"]
    verdict = leaks[(leaks["finding"] == 0).to_numpy()]
    trusted = bool(len(verdict)) and bool(verdict["trusted"].iloc[0])
    span = (context.window.start, context.window.end) if equity.empty else _span(equity)
    bars_per_year = bars_per_year_of(settings, context.market, equity)
    facts = {
        "venue": context.venue,
        "mode": context.mode,
        "leak_check": str(verdict["text"].iloc[0]) if len(verdict) else "not run",
        "assumptions": said,
        "simulated": context.market.simulated,
        "bars_per_year": bars_per_year,
        "figures": _figures(equity, bars_per_year),
    }
    telemetry.log_metrics(f"strategy/{of}", {"trades": float(len(trades)), "trusted": trusted})
    return {
        "id": run_id(context, loaded, run_type),
        "strategy_name": name,
        "strategy_version": settings.version,
        "strategy_hash": loaded.strategy_hash,
        "param_hash": loaded.param_hash,
        "param_yaml": loaded.param_yaml,
        "run_type": run_type,
        "parent_run_id": "",
        "universe_name": _universe(settings.backtest, context.venue),
        "start_date": pd.Timestamp(span[0]),
        "end_date": pd.Timestamp(span[1]),
        "initial_capital": settings.backtest.initial_capital,
        "status": "no_bars" if equity.empty else "completed",
        "symbols_processed": len({*trades["symbol"], *positions["symbol"]}),
        "trades_count": len(trades),
        "error_message": "",
        "trusted": trusted,
        "metadata": canonical_json(facts),
    }


def _doubts(panel: BarPanel, loaded: LoadedStrategy) -> tuple[str, ...]:
    """What `panel_doubts` says of the run, which begins on the file's first day."""
    first = first_traded(panel, loaded.settings.backtest)
    return panel_doubts(panel, loaded.strategy.warm_up, first)


def _span(equity: pd.DataFrame) -> tuple[Any, Any]:
    return equity["ts"].iloc[0], equity["ts"].iloc[-1]


def _universe(backtest: Backtest, venue: str) -> str:
    universe = backtest.universe
    if isinstance(universe, list):
        return json.dumps(universe)
    return f"members of {venue}" if backtest.members is not None else str(universe or venue)


def _figures(equity: pd.DataFrame, bars_per_year: float) -> dict[str, float | None]:
    """Figures of the returns, those that are not finite as None."""
    if equity.empty:
        return {}
    returns = equity["returns"].to_numpy(dtype=np.float64)
    table = performance_table(returns, periods_per_year=bars_per_year).iloc[0]
    found = {str(key): float(value) for key, value in table.items()}
    return {key: value if np.isfinite(value) else None for key, value in found.items()}
