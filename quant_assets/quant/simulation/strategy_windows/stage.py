"""The stages of a strategy: its windows one after the other, and the run that they make up.

A window's decisions are made from all bars since the venue's first (or the file's start date), so
that averages without end are as in one run over everything; its account goes on from the state of
the window before. Walked window by window, or backtested at once, a strategy has the same trades
and the same equity, to the last bit. The price is that a window's work grows with its history.

Two things differ from one run over everything. Which symbols there are is known only as they are
listed, so that sizes of one n-th count the symbols listed so far; a file that lists its universe
has all of them from the start. And funding that is due at the very close at which the last bar of
a window ended a trade is in the account, but no longer in that trade's row, which is stored.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_positions import StrategyPositions
from quant_assets.contracts.strategy_signals import StrategySignals
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.core.context import StrategyContext
from quant_assets.core.hashing import canonical_json
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.table import performance_table
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.simulation.strategy_windows.carrying import carried_of, moved, state_frame
from quant_assets.quant.simulation.strategy_windows.frames import WindowFrames, signals_frame
from quant_assets.quant.simulation.strategy_windows.reading import (
    bars_of,
    execution_of,
    funding_of,
    strategy_of,
)
from quant_assets.quant.strategies.config import LoadedStrategy

Frames = dict[str, pd.DataFrame]
RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "quant_assets/strategy_runs")
WINDOW_FRAMES = {
    "state": StrategyState,
    "signals": StrategySignals,
    "orders": StrategyOrders,
    "fills": StrategyFills,
    "trades": StrategyTrades,
    "positions": StrategyPositions,
    "equity": StrategyEquity,
}


def strategy_window(
    context: StrategyContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    **carried: pd.DataFrame,
) -> Frames:
    """One window of a strategy's run.

    Parameters
    ----------
    bars, funding
        Rows from the venue's first window to this one.
    carried
        `<strategy>_state` of the window before, or empty; mode `independent` starts every window
        with the initial capital.

    Returns
    -------
    dict
        Frames by asset name, `<strategy>_` and a name of `WINDOW_FRAMES`.

    Raises
    ------
    ConfigError, DataError
        A strategy or execution that these bars do not serve, an earlier state that does not fit.
    """
    loaded = strategy_of(context.strategy)
    name, backtest_settings = loaded.settings.strategy, loaded.settings.backtest
    state = carried[f"{name}_state"]
    panel = bars_of(bars, context.market, backtest_settings)
    start = np.datetime64(context.window.start.astimezone(UTC).replace(tzinfo=None), "us")
    first = 0 if panel is None else int(np.searchsorted(panel.ts, start))
    if panel is None or first == len(panel):
        return _named(name, {"state": moved(state, context.window.start)})
    strategy: Any = loaded.strategy
    resumes = context.mode == "carry" and not state.empty
    result = backtest(
        strategy,
        panel,
        execution_of(loaded, context.market),
        initial_capital=backtest_settings.initial_capital,
        form="vector",
        periods_per_year=context.market.bars_per_year,
        funding=funding_of(funding, context.market),
        start=context.window.start,
        carried=carried_of(state, first) if resumes else None,
    )
    made = WindowFrames(name, result)
    trades, positions = made.trades()
    decided_from = max(first, min(strategy.warm_up, len(panel)))
    frames = {
        "state": state_frame(result, name),
        "signals": signals_frame(name, panel, strategy.decide(panel), decided_from),
        "orders": made.orders(),
        "fills": made.fills(),
        "trades": trades,
        "positions": positions,
        "equity": made.equity(),
    }
    _tell(telemetry, name, result, frames)
    return _named(name, frames)


def _named(strategy: str, frames: Mapping[str, pd.DataFrame]) -> Frames:
    """All frames of a window by asset name; those that are not given are empty."""
    return {
        f"{strategy}_{part}": frames[part] if part in frames else contract.empty()
        for part, contract in WINDOW_FRAMES.items()
    }


def _tell(telemetry: Telemetry, name: str, result: BacktestResult, frames: Frames) -> None:
    bars = result.preparation.bars
    counted = {f"{part}_rows": float(len(frames[part])) for part in WINDOW_FRAMES}
    telemetry.log_metrics(
        f"strategy/{name}",
        {
            "history_bars": float(len(bars)),
            "symbols": float(len(bars.symbols)),
            "refused": float(len(result.vetoes)),
            "equity": result.final_equity,
            **counted,
        },
    )


def run_id(context: StrategyContext, loaded: LoadedStrategy, run_type: str) -> str:
    """Identity of a run on a venue: it follows from strategy, hashes and mode."""
    hashes = [loaded.strategy_hash, loaded.param_hash]
    known = [loaded.settings.strategy, run_type, context.venue, context.mode, *hashes]
    return str(uuid.uuid5(RUNS, canonical_json(known)))


def strategy_runs_venue(
    context: StrategyContext, telemetry: Telemetry, **inputs: pd.DataFrame
) -> pd.DataFrame:
    """One row of `StrategyRuns`: what the venue's windows make up.

    Parameters
    ----------
    inputs
        `<strategy>_equity`, `<strategy>_trades` and `<strategy>_positions` of all windows, and
        `<strategy>_leaks`.
    """
    loaded = strategy_of(context.strategy)
    settings = loaded.settings
    name = settings.strategy
    equity, trades = inputs[f"{name}_equity"], inputs[f"{name}_trades"]
    positions, leaks = inputs[f"{name}_positions"], inputs[f"{name}_leaks"]
    verdict = leaks[(leaks["finding"] == 0).to_numpy()]
    trusted = bool(len(verdict)) and bool(verdict["trusted"].iloc[0])
    span = (context.window.start, context.window.end) if equity.empty else _span(equity)
    facts = {
        "venue": context.venue,
        "mode": context.mode,
        "leak_check": str(verdict["text"].iloc[0]) if len(verdict) else "not run",
        "assumptions": list(execution_of(loaded, context.market).assumptions()),
        "simulated": context.market.simulated,
        "figures": _figures(equity, context.market.bars_per_year),
    }
    telemetry.log_metrics(f"strategy/{name}", {"trades": float(len(trades)), "trusted": trusted})
    row: dict[str, Any] = {
        "id": run_id(context, loaded, "backtest"),
        "strategy_name": name,
        "strategy_version": settings.version,
        "strategy_hash": loaded.strategy_hash,
        "param_hash": loaded.param_hash,
        "param_yaml": loaded.param_yaml,
        "run_type": "backtest",
        "parent_run_id": "",
        "universe_name": _universe(settings.backtest.universe, context.venue),
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
    frame = pd.DataFrame({key: [value] for key, value in row.items()})
    texts = [key for key, value in row.items() if isinstance(value, str)]
    times = ["start_date", "end_date"]
    return frame.astype(dict.fromkeys(texts, "str") | dict.fromkeys(times, "datetime64[us, UTC]"))


def _span(equity: pd.DataFrame) -> tuple[Any, Any]:
    return equity["ts"].iloc[0], equity["ts"].iloc[-1]


def _universe(universe: str | list[str] | None, venue: str) -> str:
    return json.dumps(universe) if isinstance(universe, list) else universe or venue


def _figures(equity: pd.DataFrame, bars_per_year: float) -> dict[str, float | None]:
    """Figures of the returns, those that are not finite as None."""
    if equity.empty:
        return {}
    returns = equity["returns"].to_numpy(dtype=np.float64)
    table = performance_table(returns, periods_per_year=bars_per_year).iloc[0]
    found = {str(key): float(value) for key, value in table.items()}
    return {key: value if np.isfinite(value) else None for key, value in found.items()}
