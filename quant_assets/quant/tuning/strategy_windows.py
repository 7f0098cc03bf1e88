"""A walk-forward as a stage: each window is traded with what was best on the windows before it.

A window reads the whole history: a choice sees its training rows, and each of its many variants
would remember another number of bars before them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from quant_assets.contracts.optimization_trials import OptimizationTrials
from quant_assets.contracts.strategy_equity import StrategyEquity
from quant_assets.contracts.strategy_fills import StrategyFills
from quant_assets.contracts.strategy_orders import StrategyOrders
from quant_assets.contracts.strategy_positions import StrategyPositions
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.contracts.walkforward_results import WalkforwardResults
from quant_assets.core.context import WalkForwardContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.executor import SerialExecutor
from quant_assets.core.parameters import plug_in
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.windows import Cadence, Grid, Window
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.strategy_windows.carrying import (
    Standing,
    carried_of,
    moved,
    state_frame,
)
from quant_assets.quant.simulation.strategy_windows.frames import WindowFrames
from quant_assets.quant.simulation.strategy_windows.reading import (
    FileVariants,
    bars_of,
    detail_of,
    execution_of,
    funding_of,
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


def walk_forward_window(
    context: WalkForwardContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    universe: pd.DataFrame | None = None,
    store: TrialStore | None = None,
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
    standing = Standing.of(state)
    settlements = funding_of(funding, context.market)
    read: dict[str, Any] = {"symbols": standing.symbols, "end": window_end(context, bars)}
    panel = bars_of(bars, context.market, loaded.settings, funding=settlements, **read)
    panel = with_members(panel, universe, loaded.settings)
    span = _span(context, panel, section.training_windows or context.training_windows or 1)
    if panel is None or span is None:
        return _named(name, {"walk_state": moved(state, context.window.start)})
    inputs = {"funding": settlements, "detail": detail_of(bars, context.market, loaded, **read)}
    resumes = context.mode == "carry" and not state.empty
    walked = walk_forward(
        FileVariants(context.strategy),
        section.parameters,
        panel,
        [span],
        execution_of(loaded, context.market),
        search=section.search,
        objective=section.objective,
        initial_capital=backtest.initial_capital,
        store=store,
        executor=_told(telemetry, section),
        carried=carried_of(state, span.test_first) if resumes else None,
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
    frames = {
        "walk_state": state_frame(window.result, name, Standing(symbols=panel.symbols)),
        "walk_forward": _results(walked, parent),
        "walk_equity": made.equity(),
        "walk_orders": made.orders(),
        "walk_fills": made.fills(),
        "walk_trades": trades,
        "walk_positions": positions,
        "trials": _trials(walked, parent),
    }
    return _named(name, frames)


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


def _span(context: WalkForwardContext, panel: BarPanel | None, n_windows: int) -> Span | None:
    """Rows of training and test; None while a training window, or the tested one, has no bars.

    A training window in which nobody is a member of the universe has none to choose by.
    """
    if panel is None:
        return None
    window = context.window
    grid = Grid(start=date.fromisoformat(window.key), cadence=_cadence(window))
    oldest = grid.window(grid.shift(window.key, -n_windows))
    begin, full, test = (
        int(np.searchsorted(panel.ts, np.datetime64(moment.astimezone(UTC).replace(tzinfo=None))))
        for moment in (oldest.start, oldest.end, window.start)
    )
    if begin == full or test == len(panel) or not panel.members[begin:full].any():
        return None
    return Span(begin, test, test, len(panel))


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
