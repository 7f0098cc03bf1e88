"""The stage of a strategy: its windows one after the other.

A window's decisions are made from as many earlier bars as they remember (`history`), its account
goes on from the state of the window before. Walked window by window, or backtested at once, a
strategy has the same trades and the same equity, to the last bit. A strategy that decides bar by
bar is plain Python, whose memory nobody can carry on safely: its run is replayed from the start,
and the window is the end of it.

Two things differ from one run over everything. Which symbols there are is known only as they are
listed, so that sizes of one n-th count the symbols listed so far; a file that lists its universe
has all of them from the start. And funding that is due at the very close at which the last bar of
a window ended a trade is in the account, but no longer in that trade's row, which is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import pandas as pd

from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_positions import StrategyPositions
from quant_assets.contracts.strategy_signals import StrategySignals
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.core.context import StrategyContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import instant
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.simulation.execution.trade_log import log_trades
from quant_assets.quant.simulation.strategy_windows.carrying import (
    Standing,
    carried_of,
    last_known,
    moved,
    state_frame,
    with_earlier,
)
from quant_assets.quant.simulation.strategy_windows.frames import WindowFrames, signals_frame
from quant_assets.quant.simulation.strategy_windows.history import Place, memory_of, place_of
from quant_assets.quant.simulation.strategy_windows.reading import (
    bars_of,
    decides_at_once,
    detail_of,
    execution_of,
    funding_of,
    start_of,
    strategy_of,
    with_members,
)
from quant_assets.quant.simulation.strategy_windows.recording import Recorded
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.config import LoadedStrategy
from quant_assets.quant.strategies.plan import Plan

Frames = dict[str, pd.DataFrame]
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
    universe: pd.DataFrame | None = None,
    before: Standing | None = None,
    **carried: pd.DataFrame,
) -> Frames:
    """One window of a strategy's run.

    Parameters
    ----------
    bars, funding
        Rows up to this window's end: as many as `enough_history` asks for, or all from the venue's
        first window on.
    universe
        Rows of `Universe` of these windows, where the file says `from: venue`.
    before
        Where the window stands, in mode `independent` with fewer rows than all.
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
        A strategy or execution that these bars do not serve, an earlier state that does not fit, or
        a strategy that decides otherwise when its run is repeated.
    """
    loaded = strategy_of(context.strategy)
    name = loaded.settings.strategy
    state = carried[f"{name}_state"]
    state = state if context.mode == "carry" else state.iloc[:0]
    standing = Standing.of(state) if before is None else before
    work = _work_of(context, loaded, (bars, funding, universe), standing)
    if work is None:
        return _named(name, {"state": moved(state, context.window.start)})
    at_once = decides_at_once(loaded.strategy)
    run = _at_once if at_once else _bar_by_bar
    result, decided, plan = run(context, loaded, work, state, telemetry)
    place, panel = work.place, work.place.bars
    made = WindowFrames(name, result, 0 if at_once else place.traded)
    trades, positions = made.trades()
    decided_from = max(place.traded, loaded.strategy.warm_up - place.skipped)
    reached = Standing(
        symbols=panel.symbols,
        timeframes=place.timeframes_after(),
        funding=last_known(work.funding, panel.available_at[-1]),
    )
    frames = {
        "state": state_frame(result, name, reached, skipped=place.skipped),
        "signals": signals_frame(name, panel, (decided, plan), min(decided_from, len(panel))),
        "orders": made.orders(),
        "fills": made.fills(),
        "trades": trades,
        "positions": positions,
        "equity": made.equity(),
    }
    _tell(telemetry, name, result, frames, read_rows=len(bars))
    log_trades(name, trades)
    return _named(name, frames)


@dataclass(frozen=True)
class _Work:
    """Bars, settlements and the finer bars that the execution follows, of a window."""

    place: Place
    funding: pd.DataFrame | None
    detail: BarPanel | None


def _work_of(
    context: StrategyContext,
    loaded: LoadedStrategy,
    rows: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None],
    standing: Standing,
) -> _Work | None:
    """What the window works on; None: nothing is traded in it. rows : bars, funding, universe."""
    bars, funding, universe = rows
    settlements = funding_of(funding, context.market)
    if settlements is not None and len(standing.funding):
        settlements = with_earlier(settlements, standing.funding)
    read: dict[str, Any] = {"symbols": standing.symbols, "end": window_end(context, bars)}
    panel = bars_of(bars, context.market, loaded.settings, funding=settlements, **read)
    panel = with_members(panel, universe, loaded.settings)
    if panel is None:
        return None
    place = place_of(panel, context.window.start, standing, memory_of(loaded, context))
    if place is None:
        return None
    start = start_of(loaded.settings.backtest)
    place = replace(place, begin=None if start is None else instant(start))
    if place.traded == len(place.bars):
        return None
    return _Work(place, settlements, detail_of(bars, context.market, loaded, **read))


def window_end(context: StrategyContext, bars: pd.DataFrame) -> datetime:
    """Until when bars are known: the window's end, or that of the last bar of a partial one."""
    if not context.partial or bars.empty:
        return context.window.end
    last: datetime = bars["ts"].iloc[-1].to_pydatetime() + context.market.bar_length
    return min(last, context.window.end)


Decided = tuple[BacktestResult, dict[str, Any], Plan]


def _options(context: StrategyContext, loaded: LoadedStrategy, work: _Work) -> dict[str, Any]:
    return {
        "initial_capital": loaded.settings.backtest.initial_capital,
        "periods_per_year": context.market.bars_per_year,
        "funding": work.funding,
        "detail": work.detail,
    }


def _begin(context: StrategyContext, loaded: LoadedStrategy) -> datetime:
    """The moment from which on the window is traded."""
    start, own = start_of(loaded.settings.backtest), context.window.start
    return own if start is None else max(start, own)


def _at_once(
    context: StrategyContext,
    loaded: LoadedStrategy,
    work: _Work,
    state: pd.DataFrame,
    telemetry: Telemetry,
) -> Decided:
    """The window of a strategy with an array form: its account goes on."""
    place, strategy = work.place, loaded.strategy
    carried = None if state.empty else carried_of(state, place.skipped + place.first)
    result = backtest(
        strategy,
        place.bars,
        execution_of(loaded, context.market),
        form="vector",
        start=_begin(context, loaded),
        carried=carried,
        progress=telemetry.log_progress,
        **_options(context, loaded, work),
    )
    signals, plan = strategy.decide(place.bars)
    return result, {name: getattr(signals, name) for name in signals.__dataclass_fields__}, plan


def _bar_by_bar(
    context: StrategyContext,
    loaded: LoadedStrategy,
    work: _Work,
    state: pd.DataFrame,
    telemetry: Telemetry,
) -> Decided:
    """The window of a strategy in plain Python: the end of its whole run.

    In mode `independent` the run is the window; else it begins on the file's first day. The
    replayed account must be the one that was carried: else the strategy depends on something else
    than bars and account.
    """
    bars, first = work.place.bars, work.place.first
    start = start_of(loaded.settings.backtest)
    strategy = cast("BarStrategy", loaded.strategy)
    recorded = Recorded(name=strategy.name, strategy=strategy)
    result = backtest(
        recorded,
        bars,
        execution_of(loaded, context.market),
        form="bar",
        start=_begin(context, loaded) if context.mode == "independent" else start,
        progress=telemetry.log_progress,
        **_options(context, loaded, work),
    )
    if not state.empty:
        known = carried_of(state, first).equity
        again = float(result.equity["equity"].iloc[first - 1 - result.first_bar])
        if again != known:
            raise DataError(
                f"{strategy.name}: its run was repeated up to {context.window.key}, and the "
                f"account is {again!r} in place of {known!r}. A strategy must decide from the "
                "window and the account it is shown, and from what it remembers of them, alone"
            )
    return result, dict(recorded.signals(bars.close.shape)), strategy.plan(bars)


def _named(strategy: str, frames: Mapping[str, pd.DataFrame]) -> Frames:
    """All frames of a window by asset name; those that are not given are empty."""
    return {
        f"{strategy}_{part}": frames[part] if part in frames else contract.empty()
        for part, contract in WINDOW_FRAMES.items()
    }


def _tell(
    telemetry: Telemetry, name: str, result: BacktestResult, frames: Frames, *, read_rows: int
) -> None:
    bars = result.preparation.bars
    counted = {f"{part}_rows": float(len(frames[part])) for part in WINDOW_FRAMES}
    telemetry.log_metrics(
        f"strategy/{name}",
        {
            "read_rows": float(read_rows),
            "history_bars": float(len(bars)),
            "symbols": float(len(bars.symbols)),
            "refused": float(len(result.vetoes)),
            "equity": result.final_equity,
            **counted,
        },
    )
