"""Why two runs differ: one part after the other is swapped, and each change is priced."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, cast

import numpy as np
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.strategies.composed import Pipeline
from quant_assets.quant.strategies.middleware import ExecutionMiddleware
from quant_assets.quant.strategies.versioning import strategy_hash
from quant_assets.quant.tuning.bench import Execution, execution_model

__all__ = ["RunSpec", "compare_runs"]


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """All that a run depends on; `arguments`: further ones of `backtest` (funding, detail, …)."""

    strategy: Strategy
    bars: BarPanel
    execution: Execution = None
    initial_capital: float = 100_000.0
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> ExecutionModel:
        """The execution that the run takes."""
        return execution_model(self.execution, self.strategy)

    def run(self) -> BacktestResult:
        """The backtest."""
        return backtest(
            self.strategy,
            self.bars,
            self.model,
            initial_capital=self.initial_capital,
            **self.arguments,
        )


def compare_runs(a: RunSpec, b: RunSpec) -> pd.DataFrame:
    """What each part that differs does, in the order in which `a` becomes `b`.

    Parts: `bars`; `strategy.<parameter>` where both are of one class, `strategy.<stage>` where both
    are composed of the same kinds of stages, else `strategy`;
    `execution.<part>`; `capital`; `arguments.<name>`. Parameters that only go together (one alone
    is refused) are one part `strategy`.

    Returns one row per part that differs. `total_return`: with all parts up to this one swapped;
    `step`: its change by this part; steps add up to the difference of the two runs. `alone`: the
    change when this part alone is swapped in `a`; `interaction` = step - alone: what it owes to the
    parts before. `first_change`: the first bar whose equity, over the initial capital, this part
    moved (NaT: none), and `n_trades` with the parts so far. No row: the runs are of equal parts.
    """
    steps = _steps(a, b)
    a = replace(a, execution=a.model)  # a swapped strategy brings no execution of its own
    before = a.run()
    base = before
    rows: list[dict[str, Any]] = []
    current = a
    for name, swap in steps:
        current = swap(current)
        after = current.run()
        alone = swap(a).run() if rows else after
        step = after.total_return - before.total_return
        own = alone.total_return - base.total_return
        rows.append(
            {
                "part": name,
                "total_return": after.total_return,
                "step": step,
                "alone": own,
                "interaction": step - own,
                "first_change": _first_change(before, after),
                "n_trades": after.n_trades,
            }
        )
        before = after
    columns = ["part", "total_return", "step", "alone", "interaction", "first_change", "n_trades"]
    return pd.DataFrame(rows, columns=columns)


def _steps(a: RunSpec, b: RunSpec) -> list[tuple[str, "_Swap"]]:
    found: list[tuple[str, _Swap]] = []
    if not _same_bars(a.bars, b.bars):
        found.append(("bars", _Swap("bars", b.bars)))
    found += _strategy_steps(a.strategy, b.strategy)
    mine, yours = a.model, b.model
    for one in fields(ExecutionModel):
        if getattr(mine, one.name) != getattr(yours, one.name):
            swap = _Swap("execution", getattr(yours, one.name), one.name)
            found.append((f"execution.{one.name}", swap))
    if a.initial_capital != b.initial_capital:
        found.append(("capital", _Swap("initial_capital", b.initial_capital)))
    for name in sorted({*a.arguments, *b.arguments}):
        if not _given_alike(a.arguments.get(name), b.arguments.get(name)):
            found.append((f"arguments.{name}", _Swap("arguments", b.arguments.get(name), name)))
    return found


def _strategy_steps(a: Strategy, b: Strategy) -> list[tuple[str, "_Swap"]]:
    if isinstance(a, Pipeline) and isinstance(b, Pipeline) and type(a) is type(b):
        names = [stage.name for stage in a.middlewares]
        if names == [stage.name for stage in b.middlewares]:
            return _stage_steps(a, b)
    if type(a) is type(b):
        different = [
            one.name
            for one in fields(a)
            if one.init and one.compare and not _equal(getattr(a, one.name), getattr(b, one.name))
        ]
        try:
            for name in different:
                replace(a, **{name: getattr(b, name)})
            _walk(a, b, different)
        except ConfigError:
            return [("strategy", _Swap("strategy", b))]
        return [
            (f"strategy.{name}", _Swap("strategy", getattr(b, name), name)) for name in different
        ]
    if strategy_hash(a) == strategy_hash(b):
        return []
    return [("strategy", _Swap("strategy", b))]


def _stage_steps(a: Pipeline, b: Pipeline) -> list[tuple[str, "_Swap"]]:
    """Stages of composed strategies; their execution is compared by its own parts."""
    steps: list[tuple[str, _Swap]] = []
    for place, (mine, yours) in enumerate(zip(a.middlewares, b.middlewares, strict=True)):
        if mine.name != ExecutionMiddleware.name and not _equal(mine, yours):
            steps.append((f"strategy.{mine.name}", _Swap("stage", yours, str(place))))
    if a.warm_up_bars != b.warm_up_bars:
        steps.append(("strategy.warm_up", _Swap("strategy", b.warm_up_bars, "warm_up_bars")))
    return steps


def _walk(a: Strategy, b: Strategy, names: list[str]) -> None:
    """Make every strategy between the two; one that cannot be is a `ConfigError`."""
    for name in names:
        a = replace(a, **{name: getattr(b, name)})


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(a == b)


@dataclass(frozen=True)
class _Swap:
    """Puts a value into a run: in place of a part, or of a field `name` of the part."""

    part: str
    value: Any
    name: str = ""

    def __call__(self, spec: RunSpec) -> RunSpec:
        if self.part == "execution":
            return replace(spec, execution=replace(spec.model, **{self.name: self.value}))
        if self.part == "arguments":
            kept = {name: one for name, one in spec.arguments.items() if name != self.name}
            given = {} if self.value is None else {self.name: self.value}
            return replace(spec, arguments={**kept, **given})
        if self.part == "stage":
            composed = cast("Pipeline", spec.strategy)
            stages = list(composed.middlewares)
            stages[int(self.name)] = self.value
            return replace(spec, strategy=replace(composed, middlewares=tuple(stages)))
        if self.part == "strategy" and self.name:
            return replace(spec, strategy=replace(spec.strategy, **{self.name: self.value}))
        return replace(spec, **{self.part: self.value})


def _given_alike(a: Any, b: Any) -> bool:
    """Whether an argument is the same: frames and panels by identity, plain values if equal."""
    return a is b or (isinstance(a, datetime) and a == b)


def _same_bars(a: BarPanel, b: BarPanel) -> bool:
    if a is b:
        return True
    same = a.symbols == b.symbols and np.array_equal(a.ts, b.ts)
    if not same or set(a.extras) != set(b.extras) or not np.array_equal(a.members, b.members):
        return False
    mine, yours = a.columns(), b.columns()
    return all(np.array_equal(mine[name], yours[name], equal_nan=True) for name in mine)


def _first_change(before: BacktestResult, after: BacktestResult) -> Any:
    """The first bar at which wealth differs between two runs; NaT: at none."""
    wealth = [
        (run.equity["equity"] / run.initial_capital).rename(str(i))
        for i, run in enumerate((before, after))
    ]
    table = pd.concat(wealth, axis=1)
    moved = ~np.isclose(table["0"], table["1"], rtol=1e-12, atol=0.0)
    return pd.Timestamp(table.index[int(np.argmax(moved))]) if moved.any() else pd.NaT
