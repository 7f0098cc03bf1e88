"""What the report of a strategy is made of; what was not computed is named as absent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from quant_assets.quant.leaks.report import LeakReport
    from quant_assets.quant.simulation.execution.results import BacktestResult
    from quant_assets.quant.strategies.base import Strategy


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What is said of a run: names, hashes, parameters and assumptions.

    stamps : `HEAD: rest`, of the venue; notes : further assumptions. parameters : YAML.
    execution : as `ExecutionModel.settings` gives it. hashes : SHA-256 by what they cover.
    benchmark : what the result's benchmark returns are of.
    """

    name: str
    version: str
    source: str
    universe: str
    bar_length: str
    currency: str = ""
    stamps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: str = ""
    execution: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    warm_up: int = 0
    benchmark: str = ""


@dataclass(frozen=True, kw_only=True)
class StrategyReport:
    """A run and what else is known of it; None: not computed.

    leaks : verdict of the leak check. audit : one row per execution (`optimistic`, `default`,
        `pessimistic`) with final_equity, total_return, sharpe, max_drawdown, n_trades.
    trials : one row per parameter set, columns `param_*` and `objective_value`; `scores` says what
        all of them together prove, in words.
    walk_forward : one row per window, `test_start`, `test_end`, `in_sample`, `out_of_sample`,
        `degradation`, `parameters`. walk_equity : equity over all test windows, index ts, columns
        `equity` and `window`.
    bands : equity of resampled runs, index ts, columns q05, q25, q50, q75, q95; monte_carlo : their
        figures, columns kind, figure, observed, lower, median, upper.
    cost_surface : `CostSurface.frame`. capacity : `Capacity.frame`; `capacity_note` says of it how
        much capital the strategy bears.
    vault : one row per part, `part`, `first`, `last`, `n_bars`, `total_return`, `sharpe`,
        `max_drawdown`, `n_trades`; `vault_note` counts the looks.
    diff : `compare_runs` with another run as where it begins, which `diff_note` names.
    """

    facts: RunFacts
    result: "BacktestResult"
    strategy: "Strategy"
    leaks: "LeakReport | None" = None
    audit: pd.DataFrame | None = None
    trials: pd.DataFrame | None = None
    objective: str = "objective"
    scores: str = ""
    walk_forward: pd.DataFrame | None = None
    walk_objective: str = "objective"
    walk_equity: pd.DataFrame | None = None
    bands: pd.DataFrame | None = None
    bands_note: str = ""
    monte_carlo: pd.DataFrame | None = None
    cost_surface: pd.DataFrame | None = None
    capacity: pd.DataFrame | None = None
    capacity_note: str = ""
    vault: pd.DataFrame | None = None
    vault_note: str = ""
    diff: pd.DataFrame | None = None
    diff_note: str = ""
