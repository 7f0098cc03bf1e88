"""Walk-forward: choose parameters on training rows, trade the rows after them, and go on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.executor import Executor
from quant_assets.core.hashing import canonical_json, digest
from quant_assets.core.parameters import plug_in
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.simulation.execution.carried import Carried
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import (
    backtest,
    first_bar_of,
    observed_periods_per_year,
)
from quant_assets.quant.tuning.bench import (
    Bench,
    Execution,
    Factory,
    execution_model,
    moment,
)
from quant_assets.quant.tuning.objectives.base import OBJECTIVES, Objective
from quant_assets.quant.tuning.space import Point, Space
from quant_assets.quant.tuning.study import (
    ObjectiveSpelling,
    Progress,
    SearchSpelling,
    Trials,
    TrialStore,
    search_over,
)

__all__ = ["Span", "WalkForwardResult", "WalkedWindow", "spans_of", "walk_forward"]

Floats = npt.NDArray[np.float64]


class Span(NamedTuple):
    """Row numbers of a window: training `[train_first, train_last)`, test `[test_first, …)`."""

    train_first: int
    train_last: int
    test_first: int
    test_last: int


@dataclass(frozen=True, kw_only=True)
class WalkedWindow:
    """One window: what was tried on its training rows, what was chosen, how the test went.

    is_value, oos_value : the objective on the training and on the test rows, of returns per bar.
    """

    span: Span
    params: Point
    is_value: float
    oos_value: float
    trials: Trials
    result: BacktestResult

    @property
    def degradation(self) -> float:
        """(IS - OOS) / IS; NaN where IS is not above 0."""
        if not self.is_value > 0.0:
            return float("nan")
        return (self.is_value - self.oos_value) / self.is_value


@dataclass(frozen=True, kw_only=True)
class WalkForwardResult:
    """Windows in time order; the account goes through all of their test rows."""

    windows: tuple[WalkedWindow, ...]
    bars: BarPanel
    objective: Objective
    initial_capital: float

    @property
    def carried(self) -> Carried:
        """The account at the end of the last window, for the windows to come."""
        return self.windows[-1].result.carried()

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Rows of the test spans, as `BacktestResult.equity` has them; `window` from 0 on.

        `drawdown` counts from the highest equity of all windows.
        """
        parts = [
            window.result.equity.assign(window=number) for number, window in enumerate(self.windows)
        ]
        found = pd.concat(parts)
        peaks = np.maximum.accumulate(np.maximum(found["equity"], self.initial_capital))
        return found.assign(drawdown=1.0 - found["equity"] / peaks)

    @property
    def returns(self) -> Floats:
        """Simple returns per bar over all test rows, `(time,)`."""
        return self.equity["returns"].to_numpy()

    @property
    def oos_value(self) -> float:
        """The objective over all test rows."""
        rows = slice(self.windows[0].span.test_first, self.windows[-1].span.test_last)
        return self.objective.measure(self.returns, observed_periods_per_year(self.bars.rows(rows)))

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Closed trades of all windows and those that are open at the end; `window` of the exit."""
        parts = []
        for number, window in enumerate(self.windows):
            trades = window.result.trades
            if number < len(self.windows) - 1:
                trades = trades[trades["exit_reason"] != "open"]
            parts.append(trades.assign(window=number))
        return pd.concat([one for one in parts if len(one)] or parts[:1], ignore_index=True)

    @property
    def n_trials(self) -> int:
        """Combinations that were tried on all training spans."""
        return sum(len(window.trials) for window in self.windows)

    def frame(self) -> pd.DataFrame:
        """One row per window, with the columns of `walkforward_results` that this knows.

        Times open the first bar of a span; ends are those of its last bar, exclusive.
        `trades_count`: trades that ended in the window.
        """
        return pd.DataFrame([self._row(window) for window in self.windows])

    def _row(self, window: WalkedWindow) -> dict[str, Any]:
        span, ts, length = window.span, self.bars.ts, np.timedelta64(self.bars.bar_length)

        def begin(row: int) -> pd.Timestamp:
            return pd.Timestamp(ts[row], tz="UTC")

        def end(row: int) -> pd.Timestamp:
            return pd.Timestamp(ts[row - 1] + length, tz="UTC")

        return {
            "window_start": begin(span.train_first),
            "window_end": end(span.test_last),
            "train_start": begin(span.train_first),
            "train_end": end(span.train_last),
            "test_start": begin(span.test_first),
            "test_end": end(span.test_last),
            "optimal_params": canonical_json(window.params),
            "objective": self.objective.name,
            "is_metrics": window.is_value,
            "oos_metrics": window.oos_value,
            "degradation_pct": 100.0 * window.degradation,
            "trades_count": window.result.n_trades,
            "trials": len(window.trials),
        }

    def hash(self) -> str:
        """SHA-256 of parameters, trials and runs of all windows."""
        return digest(
            [[one.span, one.params, one.trials.hash(), one.result.hash()] for one in self.windows]
        )


def spans_of(
    splitter: WalkForward, bars: BarPanel, *, start: datetime | None = None
) -> tuple[Span, ...]:
    """Spans of a splitter over the rows of the bars; purge and embargo shorten the training.

    start : the first training span begins with the first bar at or after it; those before warm up.
    """
    first = first_bar_of(bars, start)
    return tuple(
        Span(*(first + int(row) for row in (train[0], train[-1] + 1, test[0], test[-1] + 1)))
        for train, test in splitter.split(bars.ts[first:])
    )


def walk_forward(  # noqa: PLR0913  # a door: what a notebook may want to say
    strategy: Factory,
    space: Space | Mapping[str, Any],
    bars: BarPanel,
    spans: WalkForward | Iterable[Span | Sequence[int]],
    execution: Execution = None,
    *,
    search: SearchSpelling = "grid",
    objective: ObjectiveSpelling = "sharpe",
    initial_capital: float = 100_000.0,
    carried: Carried | None = None,
    flat: bool = False,
    store: TrialStore | None = None,
    executor: Executor | None = None,
    budget_mb: float = 1024.0,
    progress: Progress | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> WalkForwardResult:
    """Choose parameters on each training span, trade its test span, carry the account on.

    New parameters decide from the close of the first test bar on. Positions and orders of the
    window before are carried with their stops; what closes them are the new parameters' exits.
    Windows that are walked one call at a time, each with `carried` of the one before, give what one
    call gives.

    Parameters
    ----------
    strategy, space, execution, search, objective, store, executor, inputs : as `tune` takes them.
    spans : a `WalkForward` splitter, or `Span`s; test spans follow each other without a gap, and
        end before the bars do. A choice sees its training rows and the `warm_up` bars before them.
    carried : the account that the first window goes on with (`WalkForwardResult.carried`), in
        place of `initial_capital`. flat : each window begins without positions, with the equity
        that the one before ended with.
    progress : told the number of windows that are done, after each.

    Raises
    ------
    ConfigError
        Spans that overlap, leave gaps or train on test rows.
    DataError
        No combination has an objective value on a training span.
    """
    wanted = tuple(
        spans_of(spans, bars) if isinstance(spans, WalkForward) else (Span(*one) for one in spans)
    )
    _check(wanted, len(bars))
    aim: Objective = plug_in(OBJECTIVES, Objective, objective)
    model = None if execution is None else execution_model(execution)
    windows: list[WalkedWindow] = []
    capital = initial_capital
    for number, span in enumerate(wanted, 1):
        bench = Bench(
            factory=strategy,
            bars=bars,
            execution=model,
            initial_capital=initial_capital,
            first=span.train_first,
            last=span.train_last,
            per="bar",
            inputs=inputs or {},
        )
        trials = search_over(
            bench,
            space,
            search=search,
            objective=aim,
            store=store,
            executor=executor,
            budget_mb=budget_mb,
        )
        best = trials.best
        chosen = strategy(**best.params)
        result = backtest(
            chosen,
            bars.rows(slice(0, span.test_last)),
            execution_model(model, chosen),
            initial_capital=capital,
            start=moment(bars.ts[span.test_first]),
            carried=carried,
            **(inputs or {}),
        )
        returns = result.equity["returns"].to_numpy()
        per_year = observed_periods_per_year(bars.rows(slice(span.train_first, span.test_last)))
        windows.append(
            WalkedWindow(
                span=span,
                params=best.params,
                is_value=best.value,
                oos_value=aim.measure(returns, per_year),
                trials=trials,
                result=result,
            )
        )
        capital, carried = result.final_equity, None if flat else result.carried()
        if progress is not None:
            progress(number, len(wanted))
    first = windows[0].result.initial_capital
    return WalkForwardResult(
        windows=tuple(windows), bars=bars, objective=aim, initial_capital=first
    )


def _check(spans: tuple[Span, ...], n_bars: int) -> None:
    if not spans:
        raise ConfigError("a walk-forward needs at least one span of training and test rows")
    for span in spans:
        if not 0 <= span.train_first < span.train_last <= span.test_first < span.test_last:
            raise ConfigError(f"{span}: training rows come first, then test rows; none is empty")
        if span.test_last > n_bars:
            raise DataError(f"{span} ends after the {n_bars} bars")
    for before, after in pairwise(spans):
        if after.test_first != before.test_last:
            raise ConfigError(
                f"the test rows of {after} must begin with row {before.test_last}, where those of "
                "the span before end"
            )
