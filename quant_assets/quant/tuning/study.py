"""A search over the parameters of a strategy: every trial is kept and counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.executor import Executor, SerialExecutor
from quant_assets.core.hashing import canonical_json, digest
from quant_assets.core.parameters import plug_in
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.runs import first_bar_of
from quant_assets.quant.tuning.bench import (
    DONE,
    FIGURES,
    Bench,
    Execution,
    Factory,
    Outcome,
    execution_model,
)
from quant_assets.quant.tuning.objectives.base import OBJECTIVES, Objective
from quant_assets.quant.tuning.searches.base import SEARCHES, Search
from quant_assets.quant.tuning.space import Point, Space

__all__ = ["Progress", "StoredTrial", "Trial", "TrialStore", "Trials", "search_over", "tune"]

Floats = npt.NDArray[np.float64]
ObjectiveSpelling = Objective | str | Mapping[str, Any]
SearchSpelling = Search | str | Mapping[str, Any]


class StoredTrial(NamedTuple):
    """A finished trial as a store keeps it: its key (`Bench.key`), parameters and outcome.

    periods_per_year : of the outcome's returns; NaN where it is not known.
    """

    key: str
    params: Point
    outcome: Outcome
    periods_per_year: float = float("nan")


class TrialStore(Protocol):
    """Where finished trials are kept, so that a search that was killed goes on."""

    def load(self) -> Iterable[StoredTrial]:
        """All trials that were appended and survived."""
        ...

    def append(self, trials: Sequence[StoredTrial]) -> None:
        """Keep some trials: all of them or, when killed meanwhile, none."""
        ...


class Progress(Protocol):
    """Told how far a search is."""

    def __call__(self, finished: int, planned: int | None) -> None:
        """Trials that are finished, and planned where that is known."""
        ...


@dataclass(frozen=True)
class Trial:
    """One combination: its number from 1 on, parameters, outcome and objective value."""

    number: int
    params: Point
    outcome: Outcome
    value: float

    def __repr__(self) -> str:
        return f"Trial({self.number}, {self.params}, {self.outcome.status}, {self.value:g})"

    @property
    def param_hash(self) -> str:
        """SHA-256 of the parameters."""
        return digest(self.params)


@dataclass(frozen=True, kw_only=True)
class Trials:
    """All trials of a search, in the order in which they were proposed.

    clock : times of the returns. reused : trials that a store had already.
    """

    items: tuple[Trial, ...]
    objective: Objective
    clock: npt.NDArray[np.datetime64]
    periods_per_year: float
    space: Space
    reused: int = 0

    def __len__(self) -> int:
        """Number of trials, refused and failed ones included."""
        return len(self.items)

    @property
    def done(self) -> tuple[Trial, ...]:
        """Trials that were simulated to the end."""
        return tuple(one for one in self.items if one.outcome.status == DONE)

    @property
    def best(self) -> Trial:
        """The largest objective value, of equal ones the first; a `DataError` without any."""
        values = np.array([one.value for one in self.items])
        if not np.isfinite(values).any():
            told = sorted({one.outcome.error for one in self.items if one.outcome.error})
            raise DataError(
                f"none of {len(self)} trials has a {self.objective.name}: "
                f"{told[0] if told else 'their returns do not vary; did they trade?'}"
            )
        return self.items[int(np.nanargmax(np.where(np.isfinite(values), values, np.nan)))]

    @cached_property
    def returns(self) -> Floats:
        """Returns `(time, trial)` of the trials that were done."""
        done = self.done
        if not done:
            return np.empty((len(self.clock), 0))
        return np.stack([one.outcome.returns for one in done], axis=1)

    def frame(self) -> pd.DataFrame:
        """One row per trial: number, parameters as JSON and as columns, status, value, figures.

        Columns of parameters are `param_<name>`. Refused and failed trials have NaN as figures.
        """
        params = [one.params for one in self.items]
        columns: dict[str, Any] = {
            "trial_number": [one.number for one in self.items],
            "params": [canonical_json(one) for one in params],
            "param_hash": [one.param_hash for one in self.items],
            "status": [one.outcome.status for one in self.items],
            "objective": [self.objective.name] * len(self),
            "objective_value": [one.value for one in self.items],
            **{f"param_{name}": [one.get(name) for one in params] for name in self.space.names},
            **{
                name: [one.outcome.figures.get(name, np.nan) for one in self.items]
                for name in FIGURES
            },
            "metrics": [canonical_json(one.outcome.figures) for one in self.items],
            "error": [one.outcome.error for one in self.items],
        }
        return pd.DataFrame(columns)

    def hash(self) -> str:
        """SHA-256 of all trials: the same search gives the same text, resumed or in processes."""
        rows = [
            [one.params, one.outcome.status, repr(one.value), one.outcome.returns.tolist()]
            for one in self.items
        ]
        return digest([self.objective.name, rows])


class _Memory:
    """The store of a search that keeps nothing."""

    def load(self) -> Iterable[StoredTrial]:
        return ()

    def append(self, trials: Sequence[StoredTrial]) -> None:
        del trials


@dataclass
class _Ledger:
    """Trials so far, by key; asks the bench for those that are not there yet."""

    bench: Bench
    objective: Objective
    store: TrialStore
    executor: Executor
    budget_mb: float
    items: list[Trial] = field(default_factory=list)
    reused: int = 0
    _known: dict[str, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # a store may hold trials of other bars: those of another length are none of ours
        sizes = {0, len(self.bench.clock)}
        kept = (one for one in self.store.load() if len(one.outcome.returns) in sizes)
        self._known = {one.key: one.outcome for one in kept}
        self._stored = set(self._known)

    def answer(self, points: Sequence[Point]) -> list[float]:
        """Objective values of a batch; new trials are kept before the next batch is asked for."""
        # without a store a trial is known by its parameters: nothing else differs
        kept = not isinstance(self.store, _Memory)
        keys = [self.bench.key(point) if kept else digest(point) for point in points]
        new = {
            key: point for key, point in zip(keys, points, strict=True) if key not in self._known
        }
        outcomes = self.executor.map(self.bench, list(new.values()))
        found = [
            StoredTrial(key, point, outcome, self.bench.periods_per_year)
            for (key, point), outcome in zip(new.items(), outcomes, strict=True)
        ]
        if found:
            self.store.append(found)
        self._known.update((one.key, one.outcome) for one in found)
        values = []
        for key, point in zip(keys, points, strict=True):
            outcome = self._known[key]
            value = measured(self.objective, outcome, self.bench.periods_per_year)
            self.items.append(Trial(len(self.items) + 1, dict(point), outcome, value))
            self.reused += key in self._stored
            values.append(value)
        self._check_budget()
        return values

    def _check_budget(self) -> None:
        held = {id(one.outcome.returns): one.outcome.returns.nbytes for one in self.items}
        used = sum(held.values()) / 2**20
        if used > self.budget_mb:
            raise ConfigError(
                f"the returns of {len(self.items)} trials take {used:.0f} MB of the budget of "
                f"{self.budget_mb:g} MB: take returns per 'day', fewer trials, or a larger budget"
            )


def measured(objective: Objective, outcome: Outcome, periods_per_year: float) -> float:
    """Objective value of an outcome, NaN where it was not done."""
    if outcome.status != DONE:
        return float("nan")
    return objective.measure(outcome.returns, periods_per_year)


def search_over(  # noqa: PLR0913  # the parts of a search
    bench: Bench,
    space: Space | Mapping[str, Any],
    *,
    search: SearchSpelling = "grid",
    objective: ObjectiveSpelling = "sharpe",
    store: TrialStore | None = None,
    executor: Executor | None = None,
    budget_mb: float = 1024.0,
    progress: Progress | None = None,
) -> Trials:
    """Run a search on a bench; see `tune`."""
    wanted = Space.of(space)
    method: Search = plug_in(SEARCHES, Search, search)
    aim: Objective = plug_in(OBJECTIVES, Objective, objective)
    planned = method.count(wanted)
    rows = len(bench.clock)
    if planned is not None and planned * rows * 8 > budget_mb * 2**20:
        raise ConfigError(
            f"the returns of {planned} trials of {rows} rows take {planned * rows * 8 / 2**20:.0f} "
            f"MB and the budget is {budget_mb:g} MB: take returns per 'day', fewer trials, or a "
            "larger budget"
        )
    ledger = _Ledger(bench, aim, store or _Memory(), executor or SerialExecutor(), budget_mb)
    tell = progress or _silent
    asked = method.proposals(wanted)
    points = next(asked, None)
    while points is not None:
        values = ledger.answer(points)
        tell(len(ledger.items), planned)
        try:
            points = asked.send(values)
        except StopIteration:
            points = None
    return Trials(
        items=tuple(ledger.items),
        objective=aim,
        clock=bench.clock,
        periods_per_year=bench.periods_per_year,
        space=wanted,
        reused=ledger.reused,
    )


def _silent(finished: int, planned: int | None) -> None:
    del finished, planned


def tune(  # noqa: PLR0913  # a door: what a notebook may want to say
    strategy: Factory,
    space: Space | Mapping[str, Any],
    bars: BarPanel,
    execution: Execution = None,
    *,
    search: SearchSpelling = "grid",
    objective: ObjectiveSpelling = "sharpe",
    initial_capital: float = 100_000.0,
    per: Literal["day", "bar"] = "day",
    store: TrialStore | None = None,
    executor: Executor | None = None,
    budget_mb: float = 1024.0,
    progress: Progress | None = None,
    inputs: Mapping[str, Any] | None = None,
    start: datetime | None = None,
) -> Trials:
    """Backtest a strategy with many combinations of parameters and keep every trial.

    Parameters
    ----------
    strategy : a strategy class, or a function from parameters to a strategy.
    space : values by parameter, see `Space`.
    execution : as `backtest` takes it, but for terms of one's own; None: that of each strategy.
    search : `grid`, `random`, `sobol`, `optuna` or a `Search`. objective : its plug-ins' names, or
        an `Objective`; larger is better.
    per : returns that are measured and kept, of UTC days or of bars.
    store : keeps finished trials: the same search goes on where it was killed, and no combination
        is simulated twice, whichever search or objective asks for it.
    executor : maps combinations, for instance over processes; results do not depend on it.
    budget_mb : memory for the returns of all trials.
    progress : told after each batch. inputs : further arguments of `backtest`. start : each trial
        begins, and is measured, with the first bar at or after it; all those before warm it up.

    Raises
    ------
    ConfigError
        A space, search or budget that cannot be; trials that fail are rows of the result.
    """
    bench = Bench(
        factory=strategy,
        bars=bars,
        execution=None if execution is None else execution_model(execution),
        initial_capital=initial_capital,
        first=first_bar_of(bars, start),
        begin=None if start is None else 0,
        per=per,
        inputs=inputs or {},
    )
    return search_over(
        bench,
        space,
        search=search,
        objective=objective,
        store=store,
        executor=executor,
        budget_mb=budget_mb,
        progress=progress,
    )
