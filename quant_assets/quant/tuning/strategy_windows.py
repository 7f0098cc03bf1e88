"""A walk-forward as a stage: each window is traded with what was best on the windows before it.

A window reads back to the first of its training windows, and before that as far as any variant
remembers that its search will propose. A search that learns proposes what nobody foresees: its
windows read the whole history, as do those of variants that remember everything.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar, cast

import pandas as pd

from quant_assets.contracts.optimization_trials import OptimizationTrials
from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_positions import StrategyPositions
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.contracts.walkforward_results import WalkforwardResults
from quant_assets.core.context import StrategyContext, WalkForwardContext
from quant_assets.core.errors import ConfigError, QuantAssetsError
from quant_assets.core.executor import SerialExecutor
from quant_assets.core.hashing import canonical_json
from quant_assets.core.parameters import plug_in
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.windows import Cadence, Grid, Window
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.bars import first_row
from quant_assets.quant.market.memory import Memory, joined
from quant_assets.quant.simulation.strategy_windows.carrying import (
    Standing,
    carried_of,
    last_known,
    moved,
    state_frame,
    with_earlier,
)
from quant_assets.quant.simulation.strategy_windows.frames import WindowFrames
from quant_assets.quant.simulation.strategy_windows.history import (
    BEFORE,
    place_of,
    reads_enough,
    with_execution,
)
from quant_assets.quant.simulation.strategy_windows.reading import (
    FileVariants,
    bar_length_of,
    bars_of,
    decides_at_once,
    detail_of,
    execution_of,
    funding_of,
    start_of,
    strategy_of,
    with_members,
)
from quant_assets.quant.simulation.strategy_windows.runs import run_id
from quant_assets.quant.simulation.strategy_windows.stage import window_end
from quant_assets.quant.strategies.config import WalkForwardSection
from quant_assets.quant.tuning.out_of_sample import Span, WalkForwardResult, walk_forward
from quant_assets.quant.tuning.robustness import overfitting_scores
from quant_assets.quant.tuning.searches.base import SEARCHES, Search
from quant_assets.quant.tuning.space import Space
from quant_assets.quant.tuning.study import TrialStore

Frames = dict[str, pd.DataFrame]
WALK_FRAMES = {
    "walk_state": StrategyState,
    "walk_forward": WalkforwardResults,
    "walk_equity": StrategyEquity,
    "walk_orders": StrategyOrders,
    "walk_fills": StrategyFills,
    "walk_trades": StrategyTrades,
    "walk_positions": StrategyPositions,
    "trials": OptimizationTrials,
}
A = TypeVar("A")
B = TypeVar("B")
LONGEST: tuple[tuple[int, Cadence], ...] = ((7, "weekly"), (31, "monthly"), (92, "quarterly"))


def walk_forward_window(  # noqa: PLR0913  # what its windows read
    context: WalkForwardContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    universe: pd.DataFrame | None = None,
    store: TrialStore | None = None,
    before: Standing | None = None,
    **carried: pd.DataFrame,
) -> Frames:
    """One window of a walk-forward: a search on the training windows, then the window itself.

    bars, funding, universe : rows from the first window to this one; the universe where the file
    asks for it. carried : `<strategy>_walk_state`
    of the window before. store : keeps the trials, so that a search that was killed goes on, and
    every combination that was ever tried is counted. Frames by asset name, `<strategy>_` and a name
    of `WALK_FRAMES`; all are empty until there are enough training windows.
    """
    loaded = strategy_of(context.strategy)
    section, backtest = loaded.settings.walk_forward, loaded.settings.backtest
    if section is None:
        raise ConfigError(f"{loaded.settings.strategy} has no section walk_forward")
    name = loaded.settings.strategy
    state = carried[f"{name}_walk_state"]
    standing = Standing.of(state) if before is None else before
    settlements = funding_of(funding, context.market)
    if settlements is not None and len(standing.funding):
        settlements = with_earlier(settlements, standing.funding)
    read: dict[str, Any] = {"symbols": standing.symbols, "end": window_end(context, bars)}
    panel = bars_of(bars, context.market, loaded.settings, funding=settlements, **read)
    panel = with_members(panel, universe, loaded.settings)
    place = None
    if panel is not None:
        memory = _needed(context, panel)
        place = place_of(panel, context.window.start, standing, memory)
    span = None if place is None else _span(context, place.bars, _training_windows(context))
    if place is None or span is None:
        return _named(name, {"walk_state": moved(state, context.window.start)})
    inputs = {"funding": settlements, "detail": detail_of(bars, context.market, loaded, **read)}
    resumes = context.mode == "carry" and not state.empty
    walked = walk_forward(
        FileVariants(context.strategy),
        section.parameters,
        place.bars,
        [span],
        execution_of(loaded, context.market),
        search=section.search,
        objective=section.objective,
        initial_capital=backtest.initial_capital,
        store=store,
        executor=_told(telemetry, section),
        carried=carried_of(state, place.skipped + span.test_first) if resumes else None,
        inputs={name: given for name, given in inputs.items() if given is not None},
    )
    (window,) = walked.windows
    parent = run_id(context, loaded, "walk_forward")
    telemetry.log_metrics(
        f"walk_forward/{name}",
        {"trials": float(len(window.trials)), "is": window.is_value, "oos": window.oos_value},
    )
    telemetry.log_progress(1.0)
    made = WindowFrames(name, window.result)
    trades, positions = made.trades()
    reached = Standing(
        symbols=place.bars.symbols,
        timeframes=place.timeframes_after(),
        funding=last_known(settlements, place.bars.available_at[-1]),
    )
    frames = {
        "walk_state": state_frame(window.result, name, reached, skipped=place.skipped),
        "walk_forward": _results(walked, parent),
        "walk_equity": made.equity(),
        "walk_orders": made.orders(),
        "walk_fills": made.fills(),
        "walk_trades": trades,
        "walk_positions": positions,
        "trials": _trials(walked, parent),
    }
    return _named(name, frames)


def enough_training(
    context: WalkForwardContext, known: Mapping[str, Any]
) -> Callable[[Mapping[str, pd.DataFrame]], bool] | None:
    """Tells whether rows of bars suffice for a window; None: all are needed. See `CellSpec.enough`.

    known : the state that the window goes on from, and in mode `independent` where it stands.
    """
    loaded = strategy_of(context.strategy)
    start = start_of(loaded.settings.backtest)
    if start is not None and _oldest(context, _training_windows(context)).end <= start:
        return lambda _read: True  # there is nothing to train on
    standing = known.get(BEFORE) or Standing.of(known[f"{loaded.settings.strategy}_walk_state"])
    if standing.bar == 0 or memory_of_search(context) is None:
        return None
    return reads_enough(
        context, loaded, standing, lambda bars: cast("Memory", _needed(context, bars))
    )


def memory_of_search(context: StrategyContext) -> Memory | None:
    """What any variant remembers that a walk-forward may propose; None: everything.

    `rows` are at least those that warm the variants up, and one.
    """
    loaded = strategy_of(context.strategy)
    length = bar_length_of(loaded.settings, context.market)
    found = _variants(canonical_json(dict(context.strategy)), length)
    if found is None:
        return None
    own, warm_up = found
    return with_execution(own, max(1, warm_up), loaded, context)


@lru_cache(maxsize=256)
def _variants(text: str, bar_length: timedelta) -> tuple[Memory, int] | None:
    """Memory and warm-up of all variants of a file's values, as JSON."""
    values = json.loads(text)
    section = strategy_of(values).settings.walk_forward
    if section is None:
        return None
    method: Search = plug_in(SEARCHES, Search, section.search)
    points = method.foreseen(Space.of(section.parameters))
    made = FileVariants(values)
    memories, warm_up = [], 0
    for point in points or ():
        try:
            strategy = made(**point)
        except QuantAssetsError:  # its trial says so
            continue
        if not decides_at_once(strategy):
            return None
        memories.append(strategy.memory(bar_length))
        warm_up = max(warm_up, strategy.warm_up)
    own = joined(memories)
    return None if points is None or own is None else (own, warm_up)


def _needed(context: WalkForwardContext, bars: BarPanel) -> Memory | None:
    """What a window remembers of these bars: back to its training windows, and what warms up."""
    memory = memory_of_search(context)
    if memory is None:
        return None
    begin, test = (
        first_row(bars.ts, moment)
        for moment in (_oldest(context, _training_windows(context)).start, context.window.start)
    )
    return memory.longer(test - begin)


def _training_windows(context: WalkForwardContext) -> int:
    section = strategy_of(context.strategy).settings.walk_forward
    own = section.training_windows if section is not None else None
    return own or context.training_windows or 1


def _oldest(context: WalkForwardContext, n_windows: int) -> Window:
    """The first training window."""
    window = context.window
    grid = Grid(start=date.fromisoformat(window.key), cadence=_cadence(window))
    return grid.window(grid.shift(window.key, -n_windows))


@dataclass
class _Told(SerialExecutor):
    """Maps one after the other, and tells how much of a search is done."""

    telemetry: Telemetry
    planned: int
    done: int = 0

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """See the base class."""
        for result in super().map(function, items):
            self.done += 1
            self.telemetry.log_progress(min(self.done / self.planned, 1.0))
            yield result


def _told(telemetry: Telemetry, section: WalkForwardSection) -> SerialExecutor:
    """An executor that tells of its progress, where it is known how much there is to do."""
    method: Search = plug_in(SEARCHES, Search, section.search)
    planned = method.count(Space.of(section.parameters))
    return _Told(telemetry, planned) if planned else SerialExecutor()


def _named(strategy: str, frames: Frames) -> Frames:
    return {
        f"{strategy}_{part}": frames[part] if part in frames else contract.empty()
        for part, contract in WALK_FRAMES.items()
    }


def _span(context: WalkForwardContext, panel: BarPanel, n_windows: int) -> Span | None:
    """Rows of training and test; None while a training window, or the tested one, has no bars.

    Nor has a training window bars before the file's first day, which only warm up. One in which
    nobody is a member of the universe has none to choose by.
    """
    oldest = _oldest(context, n_windows)
    begin, full, test = (
        first_row(panel.ts, moment)
        for moment in (_first_day(context, oldest), oldest.end, context.window.start)
    )
    if begin >= full or test == len(panel) or not panel.members[begin:full].any():
        return None
    return Span(begin, test, test, len(panel))


def _first_day(context: StrategyContext, oldest: Window) -> datetime:
    """Where training begins: with the first training window, on the file's first day or later."""
    start = start_of(strategy_of(context.strategy).settings.backtest)
    return oldest.start if start is None else max(start, oldest.start)


def _cadence(window: Window) -> Cadence:
    """Cadence of the grid that has this window."""
    days = (window.end - window.start).days
    return next(cadence for most, cadence in LONGEST if days <= most)


def _results(walked: WalkForwardResult, parent: str) -> pd.DataFrame:
    """`WalkforwardResults`."""
    return _typed(walked.frame().assign(parent_run_id=parent), WalkforwardResults)


def _trials(walked: WalkForwardResult, run: str) -> pd.DataFrame:
    """`OptimizationTrials`: all combinations that were tried on the training windows."""
    (window,) = walked.windows
    scores = overfitting_scores(window.trials).frame["overfitting_score"]
    frame = window.trials.frame().assign(run_id=run, overfitting_score=scores.to_numpy())
    return _typed(frame, OptimizationTrials)


def _typed(
    frame: pd.DataFrame, contract: type[WalkforwardResults] | type[OptimizationTrials]
) -> pd.DataFrame:
    """The columns of a contract, with their dtypes."""
    kinds = {name: column.dtype.type for name, column in contract.to_schema().columns.items()}
    return frame[list(kinds)].astype(kinds).reset_index(drop=True)
