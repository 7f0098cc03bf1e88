"""Stage `target_weights`: every entrant's wish for the window, from the past alone."""

from collections.abc import Iterator
from dataclasses import asdict
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
from quant_assets.quant.optimization.base import Constraints, Optimizer, SolverReport
from quant_assets.quant.optimization.foreign import ForeignOptimizer
from quant_assets.quant.optimization.limits import (
    CAP_RELAXED,
    CHAMPION,
    exposure,
    weight_cap,
    without_dust,
)
from quant_assets.quant.optimization.members import OPTIMIZERS, Offer, taken

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

    Fallbacks, all named in the column `fallback`: `history` (fewer than 60 such rows or 2 streams:
    equal weights), `equal_weight` (the solver failed, its message is the status), `cap_relaxed`
    (too few streams for `max_weight`: the cap is exposure / n), and the optimizers' own.
    """
    if alpha_streams.empty:
        return TargetWeights.empty()
    streams = _current(alpha_streams)
    training = _training_returns(streams, returns_matrix)
    cap = weight_cap(context.optimization, len(streams))
    limits = context.optimization
    constraints = Constraints(exposure(limits), max(limits.min_weight, 0.0), cap.upper)
    expected = streams["expected_return"].to_numpy(dtype="float64")
    answers: dict[str, tuple[Floats, dict[str, Any]]] = {}
    for name, optimizer in _optimizers(context, constraints):
        weights, report = _fitted(optimizer, training, expected)
        fallbacks = [report.fallback] if report.fallback else []
        fallbacks += [CAP_RELAXED] if cap.is_relaxed else []
        record = asdict(report) | {"fallback": ";".join(fallbacks)}
        telemetry.log_solver_diagnostics(name, record)
        answers[name] = (weights, record)
    return _table(context, streams, answers)


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
    answers: dict[str, tuple[Floats, dict[str, Any]]],
) -> pd.DataFrame:
    """One row per entrant and instrument: its streams' weights, signed by side, summed."""
    codes, symbols = pd.factorize(streams["symbol"], sort=True)
    side, n_symbols = streams["side"].to_numpy(dtype="float64"), len(symbols)
    totals = [
        np.bincount(codes, weights=w * side, minlength=n_symbols) for w, _ in answers.values()
    ]
    columns: dict[str, Any] = {
        "decided_at": pd.Series(
            [context.decided_at] * (n_symbols * len(answers)), dtype=MICROSECONDS
        ),
        "entrant": [name for name in answers for _ in range(n_symbols)],
        "symbol": [*symbols] * len(answers),
        "weight": np.concatenate(totals),
    }
    for column in ("solver", "status", "iterations", "objective", "residual", "fallback"):
        columns[column] = [told[column] for _, told in answers.values() for _ in range(n_symbols)]
    return pd.DataFrame(columns)
