"""Stage `portfolio_weights`: hardened weights, window after window, and the champion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.core.context import HardeningContext
from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.market.panel import MICROSECONDS, to_panel
from quant_assets.quant.optimization.chain_state import ChainState, choose, drifted
from quant_assets.quant.optimization.constraints.base import HardeningProblem
from quant_assets.quant.optimization.entries import Entry, cost_models
from quant_assets.quant.optimization.hardening import harden, is_reachable
from quant_assets.quant.optimization.limits import CAP_RELAXED, CHAMPION, weight_cap, without_dust

Floats = npt.NDArray[np.float64]
DEFAULT_LEADER = "equal_weight"
NO_TARGET = "no_target"
_STATE = ("state_mean", "state_variance", "state_count")


@dataclass(frozen=True)
class Holding:
    """An entrant at the decision: drifted weights by symbol, last window's return, and state."""

    weights: dict[str, float]
    window_return: float
    state: ChainState
    follows: str


@dataclass(frozen=True, eq=False)
class HardenedEntrant:
    """One entrant's rows: symbols sorted, and arrays (symbol,) of weights."""

    name: str
    holding: Holding
    symbols: list[str]
    weights: Floats
    targets: Floats
    previous: Floats
    binding: str


NOTHING = Holding({}, float("nan"), ChainState(), "")


def harden_window(
    context: HardeningContext,
    telemetry: Telemetry,
    *,
    target_weights: pd.DataFrame,
    returns_matrix: pd.DataFrame,
    portfolio_weights: pd.DataFrame,
) -> pd.DataFrame:
    """Hardened weights per entrant and instrument, satisfying `PortfolioWeights`.

    `portfolio_weights` is this asset's frame of the window before (empty at the start of the chain;
    ignored in mode `independent`, where every window starts in cash). Its weights drift by the
    simple returns that became known since its `decided_at`: the base of turnover.

    An instrument that is held but no longer wanted is sold at once if turnover allows it; else it
    may only shrink, as the nearest weights ask. Where drift alone breaks the limits, the least
    necessary turnover is allowed (binding `turnover_relaxed`). The champion follows the entrant of
    the best past ratio of mean to deviation, from its own previous weights. A window without
    targets goes to cash and keeps the states (binding `no_target`).
    """
    carried = portfolio_weights if context.mode == "carry" else portfolio_weights.iloc[:0]
    half_life = context.optimization.champion_half_life_windows
    holdings = _holdings(carried, returns_matrix, half_life)
    if target_weights.empty:
        return _flat(context, holdings)
    targets = _targets(target_weights)
    states = {name: holdings.get(name, NOTHING).state for name in targets}
    leader = choose(
        states, min_windows=context.optimization.champion_min_windows, default=DEFAULT_LEADER
    )
    entrants = []
    for name in sorted([*targets, CHAMPION]):
        follows = leader if name == CHAMPION else name
        holding = replace(holdings.get(name, NOTHING), follows=follows)
        entrants.append(_hardened(context, telemetry, name, targets[follows], holding))
    return _table(context, entrants)


def _targets(target_weights: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Target per entrant and symbol, of the newest decision."""
    newest = target_weights["decided_at"] == target_weights["decided_at"].max()
    targets: dict[str, dict[str, float]] = {}
    columns = target_weights.loc[newest, ["entrant", "symbol", "weight"]]
    for entrant, symbol, weight in columns.itertuples(index=False, name=None):
        targets.setdefault(entrant, {})[symbol] = weight
    if CHAMPION in targets:
        raise ConfigError(f"an entrant is called {CHAMPION!r}, the house portfolio's own name")
    return targets


def _holdings(
    carried: pd.DataFrame, returns_matrix: pd.DataFrame, half_life: float
) -> dict[str, Holding]:
    """Every entrant of the window before, drifted to now, its state one window older."""
    if carried.empty:
        return {}
    decided_at = carried["decided_at"].max()
    last = carried[carried["decided_at"] == decided_at]
    growth = _growth(returns_matrix, decided_at, set(last.loc[last["weight"] != 0, "symbol"]))
    weights: dict[str, dict[str, float]] = {}
    states: dict[str, tuple[str, ChainState]] = {}
    columns = ["entrant", "symbol", "weight", "follows", *_STATE]
    for row in last[columns].itertuples(index=False, name=None):
        entrant, symbol, weight, follows, *state = row
        weights.setdefault(entrant, {})[symbol] = weight
        states[entrant] = (follows, ChainState(*state))
    holdings = {}
    for entrant, held in weights.items():
        factors = np.array([growth.get(symbol, 1.0) for symbol in held])
        moved, gain = drifted(np.array(list(held.values())), factors)
        follows, before = states[entrant]
        state = before.updated(gain, half_life=half_life)
        holdings[entrant] = Holding(
            dict(zip(held, moved.tolist(), strict=True)), gain, state, follows
        )
    return holdings


def _growth(
    returns_matrix: pd.DataFrame, since: pd.Timestamp, symbols: set[str]
) -> dict[str, float]:
    """Product of (1 + return) per symbol over rows that became known after `since`.

    Judged by `available_at`, so that a bar published after one decision drifts the weights at the
    next one: each row counts exactly once. A NaN return counts as 0.
    """
    fresh = returns_matrix["available_at"] > since
    mine = fresh & returns_matrix["symbol"].isin(symbols)
    panel = to_panel(returns_matrix[mine], "returns")
    factors = np.prod(1.0 + np.nan_to_num(panel.values, nan=0.0), axis=0)
    return dict(zip(panel.symbols, factors.tolist(), strict=True))


def _hardened(
    context: HardeningContext,
    telemetry: Telemetry,
    name: str,
    target: dict[str, float],
    holding: Holding,
) -> HardenedEntrant:
    held = {symbol for symbol, weight in holding.weights.items() if weight != 0}
    symbols = sorted(target.keys() | held)
    wanted = np.array([target.get(symbol, 0.0) for symbol in symbols])
    previous = np.array([holding.weights.get(symbol, 0.0) for symbol in symbols])
    is_wanted = np.array([symbol in target for symbol in symbols])
    problem = _problem(context.optimization, previous, is_wanted)
    costs = cost_models(context.optimization)[Entry.parse(holding.follows).cost_model]
    aim = costs.aim(wanted, previous) if previous.any() else wanted
    try:
        hardened = harden(aim, constraints=problem, previous=previous, turnover_relief=True)
    except SolverError as error:
        raise SolverError(f"{context.venue} {context.window.key} {name}: {error}") from error
    weights = without_dust(hardened.weights)
    traded = float(np.abs(weights - previous).sum())
    telemetry.log_metrics(name, {"distance": hardened.distance, "turnover": traded})
    is_relaxed = weight_cap(context.optimization, int(is_wanted.sum())).is_relaxed
    binding = sorted({*hardened.binding, *([CAP_RELAXED] if is_relaxed else [])})
    return HardenedEntrant(name, holding, symbols, weights, wanted, previous, ";".join(binding))


def _problem(
    limits: OptimizationParameters, previous: Floats, is_wanted: npt.NDArray[np.bool_]
) -> HardeningProblem:
    """Return the venue's limits; what is no longer wanted must go, or at least not grow."""
    cap = weight_cap(limits, int(is_wanted.sum())).upper
    problem = HardeningProblem(
        budget=limits.budget,
        min_weight=np.where(is_wanted, limits.min_weight, 0.0),
        max_weight=np.where(is_wanted, cap, 0.0),
        max_gross=limits.max_gross,
        max_turnover=limits.max_turnover,
    )
    if is_wanted.all() or is_reachable(problem, previous):
        return problem
    still_held = np.clip(previous, min(limits.min_weight, 0.0), cap)
    return replace(
        problem,
        min_weight=np.where(is_wanted, limits.min_weight, np.minimum(still_held, 0.0)),
        max_weight=np.where(is_wanted, cap, np.maximum(still_held, 0.0)),
    )


def _flat(context: HardeningContext, holdings: dict[str, Holding]) -> pd.DataFrame:
    """Everything to cash: no instrument is wanted, but the states live on."""
    if not holdings:
        return PortfolioWeights.empty()
    entrants = []
    for name, holding in sorted(holdings.items()):
        symbols = sorted(holding.weights)
        previous = np.array([holding.weights[symbol] for symbol in symbols])
        nothing = np.zeros(len(symbols))
        entrants.append(
            HardenedEntrant(name, holding, symbols, nothing, nothing, previous, NO_TARGET)
        )
    return _table(context, entrants)


def _table(context: HardeningContext, entrants: list[HardenedEntrant]) -> pd.DataFrame:
    sizes = [len(entrant.symbols) for entrant in entrants]

    def repeated(values: list[Any]) -> list[Any]:
        return [value for value, size in zip(values, sizes, strict=True) for _ in range(size)]

    states = [entrant.holding.state for entrant in entrants]
    columns = {
        "decided_at": pd.Series([context.decided_at] * sum(sizes), dtype=MICROSECONDS),
        "entrant": repeated([entrant.name for entrant in entrants]),
        "symbol": [symbol for entrant in entrants for symbol in entrant.symbols],
        "weight": np.concatenate([entrant.weights for entrant in entrants]),
        "target_weight": np.concatenate([entrant.targets for entrant in entrants]),
        "previous_weight": np.concatenate([entrant.previous for entrant in entrants]),
        "follows": repeated([entrant.holding.follows for entrant in entrants]),
        "binding": repeated([entrant.binding for entrant in entrants]),
        "window_return": repeated([entrant.holding.window_return for entrant in entrants]),
        "state_mean": repeated([state.mean for state in states]),
        "state_variance": repeated([state.variance for state in states]),
        "state_count": repeated([state.count for state in states]),
    }
    return pd.DataFrame(columns)
