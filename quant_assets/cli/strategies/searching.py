"""Searches over parameters, and walking them forward, for the command line."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quant_assets.cli.strategies.targets import find_target
from quant_assets.cli.strategies.telling import telling
from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import parse_yaml

if TYPE_CHECKING:
    from rich.table import Table

    from quant_assets.cli.strategies.running import Choice, Prepared
    from quant_assets.core.config import Settings
    from quant_assets.core.executor import Executor
    from quant_assets.quant.strategies.base import Strategy
    from quant_assets.quant.tuning.out_of_sample import WalkForwardResult
    from quant_assets.quant.tuning.robustness import OverfittingScores
    from quant_assets.quant.tuning.study import Trials
    from quant_assets.storage.trial_store import TrialFiles


@dataclass(frozen=True)
class Varied:
    """Makes the strategy of a file or name with other parameters; can be sent to processes."""

    name: str
    changed: tuple[tuple[str, Any], ...] = ()
    folder: Path | None = None

    def __call__(self, **parameters: Any) -> "Strategy":
        """The strategy with these parameters, in YAML files by their paths."""
        given = dict(self.changed) | parameters
        return find_target(self.name, changed=given, folder=self.folder).strategy


@dataclass(frozen=True)
class Search:
    """What is tried: `KEY=VALUES` words, how, how often, and what is best.

    kind : grid, random, sobol or optuna. trials : of all but the grid.
    """

    tried: tuple[str, ...]
    kind: str = "grid"
    trials: int = 100
    seed: int = 0
    objective: str = "sharpe"
    workers: int = 1
    space: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", parse_space(self.tried))

    @property
    def spelling(self) -> Any:
        """As `tune` takes it."""
        if self.kind == "grid":
            return "grid"
        return {self.kind: {"trials": self.trials, "seed": self.seed}}


def parse_space(words: Sequence[str]) -> dict[str, Any]:
    """`fast=5,10,20` is a list of values, `fast=5:50:5` an interval with its step."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key or not text:
            raise ConfigError(f"--try {word!r}: write KEY=5,10,20 or KEY=FIRST:LAST:STEP")
        bounds = [_scalar(part) for part in text.split(":")]
        if len(bounds) in (2, 3) and all(isinstance(one, int | float) for one in bounds):
            found[key] = dict(zip(("low", "high", "step"), bounds, strict=False))
        else:
            found[key] = [_scalar(part) for part in text.split(",")]
    if not found:
        raise ConfigError("nothing to try: give --try KEY=5,10,20 at least once")
    return found


def _scalar(text: str) -> Any:
    return parse_yaml(f"value: {text.strip()}\n", Path("<--try>")).data["value"]


def searched(
    made: "Prepared", choice: "Choice", search: Search, settings: "Settings"
) -> "tuple[Trials, OverfittingScores]":
    """All trials, and what they say of each other and of those made on the same bars before.

    Finished trials are kept below the data root, so that a search that was killed goes on.
    """
    from quant_assets.quant.tuning.robustness import overfitting_scores
    from quant_assets.quant.tuning.study import tune
    from quant_assets.storage.trial_store import tuned_trials

    root = settings.data_root.absolute()
    with telling("trials") as progress, workers_of(search.workers) as executor:
        trials = tune(
            Varied(choice.strategy, tuple(choice.changed.items()), settings.strategies_folder),
            search.space,
            made.found.panel,
            choice.execution,
            search=search.spelling,
            objective=search.objective,
            initial_capital=made.capital,
            store=_store(made, root),
            executor=executor,
            progress=progress,
            inputs={"funding": None, **made.found.series},  # None: keys of trials stay
            start=made.found.start,
        )
    _ = trials.best  # when no trial was done, this tells why
    distinct = len({trial.param_hash for trial in trials.items})
    earlier = max(0, tuned_trials(root, made.found.universe) - distinct)
    return trials, overfitting_scores(trials, earlier=earlier)


def _store(made: "Prepared", root: Path) -> "TrialFiles":
    from quant_assets.storage.trial_store import TrialFiles

    return TrialFiles(root, venue=made.found.universe, strategy=made.target.strategy.name)


@dataclass(frozen=True)
class Windows:
    """Bars of a training span and of the test span after it; `expanding`: from the first one."""

    train: int
    test: int
    expanding: bool = False


def walked(
    made: "Prepared", choice: "Choice", search: Search, windows: Windows, settings: "Settings"
) -> "WalkForwardResult":
    """Parameters chosen window by window, the account carried through all test spans."""
    from quant_assets.quant.model_selection.walk_forward import WalkForward
    from quant_assets.quant.tuning.out_of_sample import spans_of, walk_forward

    splitter = WalkForward(windows.train, windows.test, expanding=windows.expanding, last="short")
    spans = spans_of(splitter, made.found.panel, start=made.found.start)
    store = _store(made, settings.data_root.absolute())
    with telling("windows") as progress, workers_of(search.workers) as executor:
        return walk_forward(
            Varied(choice.strategy, tuple(choice.changed.items()), settings.strategies_folder),
            search.space,
            made.found.panel,
            spans,
            choice.execution,
            search=search.spelling,
            objective=search.objective,
            initial_capital=made.capital,
            store=store,
            executor=executor,
            progress=progress,
            inputs={"funding": None, **made.found.series},  # None: keys of trials stay
        )


@contextmanager
def workers_of(workers: int) -> "Iterator[Executor]":
    """So many processes, or this one."""
    from quant_assets.core.executor import ProcessExecutor, SerialExecutor

    if workers == 1:
        yield SerialExecutor()
        return
    with ProcessExecutor(workers) as executor:
        yield executor


def known(value: float, form: str) -> str:
    """The number in this form, or that it is not known."""
    return form.format(value) if math.isfinite(value) else "not known"


def scores_in_words(scores: "OverfittingScores", best: int) -> str:
    """What all trials say of the best one, number `best`."""
    earlier = f" after {scores.n_trials:,} trials on these bars"
    row = scores.frame.set_index("trial_number").loc[best].astype(float).to_dict()
    deflated, plateau = known(row["dsr"], "{:.2f}"), known(row["plateau"], "{:.2f}")
    return (
        f"Deflated Sharpe ratio of the best{earlier}: {deflated}; probability that the search "
        "overfits: "
        f"{known(scores.pbo, '{:.0%}')}; plateau of the best (1: its neighbours are as good): "
        f"{plateau}."
    )


def trials_table(trials: "Trials", scores: "OverfittingScores", top: int) -> "Table":
    """The best trials with their parameters and scores."""
    from rich.markup import escape
    from rich.table import Table

    frame = trials.frame().merge(scores.frame, on="trial_number", how="left")
    best = frame.sort_values("objective_value", ascending=False, kind="stable").head(top)
    names = trials.space.names
    table = Table(title=escape(f"Best {len(best)} of {len(trials)} trials"))
    figures = {
        "objective_value": (trials.objective.name, "{:.3f}"),
        "total_return": ("return", "{:.1%}"),
        "max_drawdown": ("drawdown", "{:.1%}"),
        "n_trades": ("trades", "{:.0f}"),
        "dsr": ("DSR", "{:.2f}"),
        "plateau": ("plateau", "{:.2f}"),
    }
    for title in ("#", *names, *(title for title, _ in figures.values())):
        table.add_column(escape(title.rsplit(".", 1)[-1]), justify="right")
    for row in best.to_dict("records"):
        numbers = [known(row[name], form) for name, (_, form) in figures.items()]
        parameters = [escape(str(row[f"param_{name}"])) for name in names]
        table.add_row(str(row["trial_number"]), *parameters, *numbers)
    return table


def windows_of(result: "WalkForwardResult") -> Any:
    """Windows of a walk-forward run as the report takes them."""
    import pandas as pd

    found = result.frame()
    return pd.DataFrame(
        {
            "test_start": found["test_start"],
            "test_end": found["test_end"],
            "in_sample": found["is_metrics"],
            "out_of_sample": found["oos_metrics"],
            "degradation": found["degradation_pct"] / 100.0,
            "parameters": found["optimal_params"],
            "trades": found["trades_count"],
        }
    )


def windows_table(windows: Any, objective: str) -> "Table":
    """Windows of a walk-forward run."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(f"Walk-forward, {objective}"))
    for title in ("test from", "to", "in sample", "out of sample", "degradation", "trades"):
        table.add_column(title, justify="right")
    table.add_column("parameters")
    for row in windows.to_dict("records"):
        table.add_row(
            f"{row['test_start']:%Y-%m-%d}",
            f"{row['test_end']:%Y-%m-%d}",
            known(row["in_sample"], "{:.2f}"),
            known(row["out_of_sample"], "{:.2f}"),
            known(row["degradation"], "{:.0%}"),
            str(row["trades"]),
            escape(row["parameters"]),
        )
    return table
