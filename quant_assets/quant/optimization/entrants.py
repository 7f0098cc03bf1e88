"""Stage `target_weights`: every entrant's wish for the window, from the past alone."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.context import OptimizationContext
from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.market.panel import MICROSECONDS, to_panel
from quant_assets.quant.optimization.average_of_entrants import AverageOfEntrants
from quant_assets.quant.optimization.base import Constraints, Optimizer, SolverReport
from quant_assets.quant.optimization.entries import Entry, cost_models, selections
from quant_assets.quant.optimization.foreign import ForeignOptimizer
from quant_assets.quant.optimization.limits import (
    CAP_RELAXED,
    CHAMPION,
    exposure,
    weight_cap,
    without_dust,
)
from quant_assets.quant.optimization.members import OPTIMIZERS, Offer, taken
from quant_assets.quant.optimization.selections.base import Offered

Floats = npt.NDArray[np.float64]
MIN_ROWS = 60
MIN_STREAMS = 2
EQUAL_WEIGHT = "equal_weight"
NO_HISTORY = "history"


def optimize_window(
    context: OptimizationContext,
    telemetry: Telemetry,
    *,
    alpha_streams: pd.DataFrame,
    returns_matrix: pd.DataFrame,
) -> pd.DataFrame:
    """Target weights per entrant and instrument, satisfying `TargetWeights`.

    Each optimizer weighs the streams (never below 0; their sum is the budget, or the gross limit
    where shorts are allowed); an instrument's weight is the sum of side x weight over its streams.
    It learns from the rows of `returns_matrix` without a NaN in any of the streams' instruments.
    Each of the venue's selections gives it streams to choose from, and each of the cost models an
    entrant of its own: same target, other trading (see `entries`).

    Fallbacks, all named in the column `fallback`: `history` (fewer than 60 such rows or 2 streams:
    equal weights), `equal_weight` (the solver failed, its message is the status), `cap_relaxed`
    (too few streams for `max_weight`: the cap is exposure / n), and the optimizers' own.
    """
    if alpha_streams.empty:
        return TargetWeights.empty()
    streams = _current(alpha_streams)
    training = _training_returns(streams, returns_matrix)
    offered = Offered(
        streams["alpha"].to_numpy(dtype="float64"),
        streams["cluster"].to_numpy(dtype="int64"),
        training,
    )
    answers: list[_Answer] = []
    for selection, chooser in selections(context.optimization).items():
        chosen = np.flatnonzero(chooser.choose(offered))
        for optimizer, (weights, report) in _solved(context, streams, training, chosen):
            telemetry.log_solver_diagnostics(Entry(optimizer, selection).name, report)
            answers += [
                _Answer(Entry(optimizer, selection, costs).name, chosen, weights, report)
                for costs in cost_models(context.optimization)
            ]
    answers.sort(key=lambda answer: answer.entrant)
    return _table(context, streams, answers)


@dataclass(frozen=True)
class _Answer:
    """Weights of the streams at the positions `chosen`, and how they came about."""

    entrant: str
    chosen: npt.NDArray[np.intp]
    weights: Floats
    report: dict[str, Any]


def _solved(
    context: OptimizationContext,
    streams: pd.DataFrame,
    training: Floats,
    chosen: npt.NDArray[np.intp],
) -> Iterator[tuple[str, tuple[Floats, dict[str, Any]]]]:
    """Every optimizer's weights of the `chosen` streams, and its report."""
    limits = context.optimization
    cap = weight_cap(limits, len(chosen))
    constraints = Constraints(exposure(limits), max(limits.min_weight, 0.0), cap.upper)
    expected = streams["expected_return"].to_numpy(dtype="float64")[chosen]
    returns = np.ascontiguousarray(training[:, chosen])
    entrants = dict(_optimizers(context, constraints))
    fitted: dict[str, Optimizer] = {}
    answers = {}
    for name in sorted(entrants, key=lambda name: entrants[name].has_members):
        optimizer = entrants[name]
        if isinstance(optimizer, AverageOfEntrants):
            optimizer.knowing(fitted)
        answers[name] = _fitted(optimizer, returns, expected)
        if hasattr(optimizer, "weights_"):
            fitted[name] = optimizer
    for name in entrants:
        weights, report = answers[name]
        fallbacks = [report.fallback] if report.fallback else []
        fallbacks += [CAP_RELAXED] if cap.is_relaxed else []
        yield name, (weights, asdict(report) | {"fallback": ";".join(fallbacks)})


def entrant_classes(limits: OptimizationParameters) -> dict[str, type[Optimizer]]:
    """List the optimizers that take part: those named, or all that are entrants by default.

    The venue's foreign estimators are entrants by their names. An unknown, taken or reserved name,
    or an optimizer that needs data which the stage does not have, is a `ConfigError`.
    """
    own = discover(OPTIMIZERS, Optimizer)
    taken_names = sorted(own.keys() & limits.foreign.keys())
    if taken_names:
        raise ConfigError(f"optimization.foreign names {taken_names}, which are optimizers of ours")
    foreign = dict.fromkeys(limits.foreign, ForeignOptimizer)
    known: dict[str, type[Optimizer]] = {**own, **foreign}
    if CHAMPION in known:
        raise ConfigError(
            f"the optimizer {known[CHAMPION].__module__} is called {CHAMPION!r}, the name of the "
            "house portfolio: give it another name"
        )
    if limits.entrants is None:
        return {n: kind for n, kind in sorted(known.items()) if kind.is_entrant or n in foreign}
    unknown = sorted(set(limits.entrants) - set(known))
    if unknown:
        raise ConfigError(f"optimization.entrants names {unknown}; known: {sorted(known)}")
    chosen = {name: known[name] for name in sorted(set(limits.entrants))}
    for name, kind in chosen.items():
        lacking = [*kind.needs, *kind.required_parameters()]
        if lacking and name not in foreign:
            raise ConfigError(
                f"optimization.entrants names {name!r}, which needs {' and '.join(lacking)}; the "
                "tournament has none to give. Call it from the library, or leave it out."
            )
    return chosen


def _optimizers(
    context: OptimizationContext, constraints: Constraints
) -> Iterator[tuple[str, Optimizer]]:
    """Every entrant, with those of the venue's parameters that its constructor takes."""
    limits = context.optimization
    offer = Offer(
        constraints,
        risk_aversion=limits.risk_aversion,
        level=limits.cvar_level,
        periods_per_year=float(context.market.bars_per_year),
    )
    for name, kind in entrant_classes(limits).items():
        if name in limits.foreign:
            spec = limits.foreign[name]
            parameters = dict(spec.parameters)
            yield (
                name,
                ForeignOptimizer(
                    import_path=spec.import_path, parameters=parameters, constraints=constraints
                ),
            )
        else:
            yield name, kind(**taken(kind, offer))


def _current(alpha_streams: pd.DataFrame) -> pd.DataFrame:
    newest = alpha_streams["decided_at"] == alpha_streams["decided_at"].max()
    current: pd.DataFrame = alpha_streams.loc[newest]
    return current.sort_values("stream", ignore_index=True)


def _training_returns(streams: pd.DataFrame, returns_matrix: pd.DataFrame) -> Floats:
    """Stream returns (time, stream) = side x instrument return, on rows without NaN."""
    symbols = streams["symbol"].tolist()
    mine = returns_matrix[returns_matrix["symbol"].isin(set(symbols))]
    panel = to_panel(mine, "returns")
    if set(symbols) - set(panel.symbols):
        return np.empty((0, len(symbols)))
    values = panel.select(symbols).values
    whole = values[~np.isnan(values).any(axis=1)]
    return np.asarray(whole * streams["side"].to_numpy(dtype="float64"))


def _fitted(
    optimizer: Optimizer, training: Floats, expected: Floats
) -> tuple[Floats, SolverReport]:
    """Return the optimizer's weights, or equal weights with the reason."""
    n_rows, n_streams = training.shape
    if n_rows < MIN_ROWS or n_streams < MIN_STREAMS:
        reason = f"{n_rows} whole rows, {n_streams} streams; needs {MIN_ROWS} and {MIN_STREAMS}"
        return _equal(optimizer.constraints, n_streams, status=reason, fallback=NO_HISTORY)
    try:
        optimizer.fit(training, expected_returns=expected)
    except SolverError as error:
        reason = str(error).splitlines()[0]
        return _equal(optimizer.constraints, n_streams, status=reason, fallback=EQUAL_WEIGHT)
    return without_dust(optimizer.weights_), optimizer.solver_report_


def _equal(
    constraints: Constraints, n_streams: int, *, status: str, fallback: str
) -> tuple[Floats, SolverReport]:
    weights = np.full(n_streams, constraints.budget / n_streams)
    report = SolverReport(
        solver="equal weight",
        status=status,
        iterations=0,
        objective=float("nan"),
        residual=constraints.violation(weights),
        fallback=fallback,
        seconds=0.0,
    )
    return weights, report


def _table(
    context: OptimizationContext,
    streams: pd.DataFrame,
    answers: list[_Answer],
) -> pd.DataFrame:
    """One row per entrant and chosen instrument: its streams' weights, signed by side, summed."""
    side = streams["side"].to_numpy(dtype="float64")
    names = streams["symbol"].to_numpy()
    told = ("solver", "status", "iterations", "objective", "residual", "fallback")
    columns: dict[str, list[Any]] = {n: [] for n in ("entrant", "symbol", "weight", *told)}
    for answer in answers:
        codes, symbols = pd.factorize(names[answer.chosen], sort=True)
        signed = answer.weights * side[answer.chosen]
        columns["symbol"] += symbols.tolist()
        columns["weight"] += np.bincount(codes, weights=signed, minlength=len(symbols)).tolist()
        columns["entrant"] += [answer.entrant] * len(symbols)
        for column in told:
            columns[column] += [answer.report[column]] * len(symbols)
    decided = pd.Series([context.decided_at] * len(columns["entrant"]), dtype=MICROSECONDS)
    return pd.DataFrame({"decided_at": decided, **columns})
