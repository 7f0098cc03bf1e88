"""Many parameter sets of one strategy over the same bars, in bounded memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.core.executor import Executor
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.runs import Execution, model_of
from quant_assets.quant.simulation.execution.terms import ExecutionTerms
from quant_assets.quant.simulation.lean.account import DEFAULT_ACCOUNTS
from quant_assets.quant.simulation.lean.crossing_sweep import crossing_results
from quant_assets.quant.simulation.lean.single_runs import Measured, run_each
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.keywords import check_keywords, hinting

__all__ = ["SweepResult", "combinations", "sweep"]

Floats = npt.NDArray[np.float64]
Parameters = Mapping[str, Any]
Grid = Mapping[str, Sequence[Any]] | Sequence[Parameters]
BATCHES = 16  # that an executor is given: enough to keep some processes busy


@dataclass(frozen=True)
class SweepResult:
    """Figures `(combination, account)`, in the order of the parameters.

    accounts : symbols of isolated accounts, or one name for the shared one. fills : filled orders.
    mean_return, deviation : of the simple returns per bar (ddof 1), the first against the initial
    capital. max_drawdown : at most 0, the initial capital counts as the first peak. The last two
    and mean_return are NaN where `measured` was off. way : how each was simulated: `crossings`,
    `bars` (the lean kernel) or `events` (the event kernel).
    """

    parameters: tuple[dict[str, Any], ...]
    accounts: tuple[str, ...]
    initial_capital: float
    final_equity: Floats
    fills: npt.NDArray[np.int64]
    mean_return: Floats
    deviation: Floats
    max_drawdown: Floats
    way: tuple[str, ...]

    def __len__(self) -> int:
        """Number of combinations."""
        return len(self.parameters)

    @property
    def total_return(self) -> Floats:
        """Final equity over initial capital, less 1."""
        return self.final_equity / self.initial_capital - 1.0

    def sharpe(self, periods_per_year: float) -> Floats:
        """Mean over deviation of the returns, annualised; NaN where equity never moved."""
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = self.mean_return / self.deviation * np.sqrt(periods_per_year)
        return np.where(self.deviation > 0.0, ratio, np.nan)

    def ways(self) -> dict[str, int]:
        """Number of combinations by the way that they were simulated."""
        return dict(sorted(Counter(self.way).items()))

    def frame(self) -> pd.DataFrame:
        """One row per combination and account: parameters, account, figures."""
        n = len(self.accounts)
        table = pd.DataFrame([dict(row) for row in self.parameters for _ in range(n)])
        table["account"] = np.tile(np.array(self.accounts, dtype=object), len(self))
        for name in ("final_equity", "total_return", "fills"):
            table[name] = getattr(self, name).ravel()
        for name in ("mean_return", "deviation", "max_drawdown"):
            table[name] = getattr(self, name).ravel()
        return table


@dataclass(frozen=True)
class _Batch:
    """Runs a part of the combinations; can be sent to another process."""

    strategy: Callable[..., VectorStrategy]
    bars: BarPanel
    priced: BarPanel
    terms: ExecutionTerms
    accounts: Accounts
    budget_mb: float
    measured: bool

    def __call__(self, parameters: Sequence[Parameters]) -> Measured:
        """Results of these combinations."""
        made = [_made(self.strategy, row) for row in parameters]
        found = crossing_results(
            made, self.bars, self.terms, (self.accounts, self.budget_mb, self.measured)
        )
        rest = np.flatnonzero(found.way == "")
        if rest.size:
            some = run_each(
                [made[i] for i in rest],
                self.bars,
                self.terms,
                priced=self.priced,
                accounts=self.accounts,
                budget_mb=self.budget_mb,
            )
            found.values[rest], found.way[rest] = some.values, some.way
        return found


def combinations(grid: Grid) -> tuple[dict[str, Any], ...]:
    """Every combination of the values of a grid, the last parameter first; or a list as it is."""
    if isinstance(grid, Mapping):
        return tuple(dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    return tuple(dict(row) for row in grid)


@hinting
def sweep(  # noqa: PLR0913  # what is swept, over what, and in which bounds
    strategy: Callable[..., VectorStrategy],
    grid: Grid,
    bars: BarPanel,
    execution: Execution = None,
    *,
    accounts: Accounts = DEFAULT_ACCOUNTS,
    budget_mb: float = 512.0,
    executor: Executor | None = None,
    measured: bool = True,
) -> SweepResult:
    """Backtest a strategy with every combination of parameters.

    Strategies that trade crossings (`CrossingStrategy`) share each line that several combinations
    read, and are walked from crossing to crossing; the others, and those with protective exits,
    sizes that change or a shared account, are simulated one after the other.

    Parameters
    ----------
    strategy : a strategy class, or a function from parameters to a strategy.
    grid : values by parameter, of which all combinations are taken, or the combinations themselves.
    execution : as `backtest` takes it: an `ExecutionModel`, its settings, the name of a preset, or
        terms for these bars. None: that of the strategies, where they have one and the same, else
        `ExecutionModel()`.
    budget_mb : memory for lines and copies, in each process; results do not depend on it.
    executor : maps batches of combinations, for instance over processes; None: here.
    measured : returns and drawdowns as well; without them a sweep of crossings takes half the time.

    Raises
    ------
    ConfigError
        No combination, parameters that the strategy does not take, strategies without `signals`, or
        with several executions of their own.
    DataError
        An execution that needs more than the bars: detail bars, settlements, rates of currencies.
        `backtest` takes them.
    """
    rows = combinations(grid)
    if not rows:
        raise ConfigError("the grid has no combination: give every parameter at least one value")
    model = model_of(_own_execution(strategy, rows) if execution is None else execution)
    if isinstance(model, ExecutionTerms):
        terms, priced = model, bars
    else:
        terms, priced = model.terms(bars), model.priced(bars)
    run = _Batch(strategy, bars, priced, terms, accounts, budget_mb, measured)
    parts = [run(rows)] if executor is None else list(executor.map(run, list(_batches(rows))))
    values = np.concatenate([part.values for part in parts])
    way = np.concatenate([part.way for part in parts])
    return SweepResult(
        rows,
        ("all",) if accounts.shared else bars.symbols,
        accounts.initial_capital,
        values[..., 0],
        values[..., 1].astype(np.int64),
        values[..., 2],
        values[..., 3],
        values[..., 4],
        tuple(str(one) for one in way),
    )


def _made(strategy: Callable[..., VectorStrategy], row: Parameters) -> VectorStrategy:
    """A strategy of a sweep; a `ConfigError` for what it does not take or cannot do."""
    name = getattr(strategy, "__name__", repr(strategy))
    check_keywords(strategy, name, row)
    made = strategy(**row)
    if not isinstance(made, VectorStrategy):
        raise ConfigError(
            f"{name} gave a {type(made).__name__}; a sweep takes strategies that decide for all "
            "bars at once (VectorStrategy)"
        )
    return made


def _own_execution(
    strategy: Callable[..., VectorStrategy], rows: Sequence[Parameters]
) -> Execution:
    """The execution that the strategies bring, which must be one."""
    own: list[Any] = [getattr(_made(strategy, row), "execution", None) for row in rows]
    if any(one != own[0] for one in own):
        raise ConfigError("the combinations bring several executions; give one to the sweep")
    found: Execution = own[0]
    return found


def _batches(rows: Sequence[Parameters]) -> Iterator[Sequence[Parameters]]:
    size = -(-len(rows) // BATCHES)
    for first in range(0, len(rows), size):
        yield rows[first : first + size]
