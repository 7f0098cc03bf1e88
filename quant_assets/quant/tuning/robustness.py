"""How much of a search is luck: deflation by all trials, overfitting, plateaus of parameters."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics.per_period import sharpe
from quant_assets.quant.statistics.sharpe_inference import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
)
from quant_assets.quant.tuning.bench import DONE
from quant_assets.quant.tuning.space import Space
from quant_assets.quant.tuning.study import Trial, Trials

__all__ = ["OverfittingScores", "heat_map", "overfitting_scores", "plateau_stability"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MAX_SPLITS, MIN_BLOCK, LEAST_SPLITS = 16, 10, 4
NAN = float("nan")
AWAY = 1e9  # distance between words: they are no neighbours


@dataclass(frozen=True)
class OverfittingScores:
    """What all trials say of each of them.

    frame : one row per trial, in their order: `trial_number`, `sharpe` (per period), `dsr`,
        `overfitting_score` = 1 - dsr, `plateau`, `chosen` (share of the splits of history in which
        it is the best inside) and `pbo_when_chosen` (share of those in which it then ranks in the
        lower half outside). NaN where it was not done, or where nothing defines it.
    pbo : probability of backtest overfitting of the search, NaN with fewer than 40 rows or 2
        trials. n_trials : distinct combinations, refused and earlier ones included.
    """

    frame: pd.DataFrame
    pbo: float
    n_trials: int
    trial_variance: float
    expected_maximum: float


def overfitting_scores(trials: Trials, *, earlier: int = 0) -> OverfittingScores:
    """Deflated Sharpe ratio, probability of overfitting and plateau of every trial.

    Each Sharpe ratio is deflated by the largest that luck gives among all combinations that were
    tried, and `earlier` ones of other searches on the same data. The variance of the trials' Sharpe
    ratios counts as luck, skill included, which errs on the safe side. Bailey & Lopez de Prado
    (2014); Bailey, Borwein, Lopez de Prado & Zhu (2015) over at most 16 blocks of at least 10 rows.
    """
    if earlier < 0:
        raise ConfigError(f"earlier {earlier} is a number of trials: at least 0")
    first: dict[str, Trial] = {}
    for one in trials.items:
        first.setdefault(one.param_hash, one)
    done = [one for one in first.values() if one.outcome.status == DONE]
    if not done:
        raise DataError(f"none of {len(trials)} trials was done: there is nothing to judge")
    returns = np.stack([one.outcome.returns for one in done], axis=1)
    ratios = np.asarray(sharpe(returns))
    known = ratios[np.isfinite(ratios)]
    variance = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    n_trials = len(first) + earlier
    dsr = deflated_sharpe_ratio(returns, n_trials=n_trials, trial_variance=variance)
    pbo, chosen, lost = _splits(returns)
    place = {one.param_hash: column for column, one in enumerate(done)}
    plateau = plateau_stability(trials)
    columns = {
        "sharpe": ratios,
        "dsr": dsr,
        "overfitting_score": 1.0 - dsr,
        "chosen": chosen,
        "pbo_when_chosen": lost,
    }
    at = [place.get(one.param_hash, -1) for one in trials.items]
    frame = pd.DataFrame(
        {
            "trial_number": [one.number for one in trials.items],
            **{name: [NAN if i < 0 else float(v[i]) for i in at] for name, v in columns.items()},
        }
    )
    frame.insert(4, "plateau", plateau)
    best_by_luck = float(expected_maximum_sharpe(n_trials, variance))
    return OverfittingScores(frame, pbo, n_trials, variance, best_by_luck)


def _splits(returns: Floats) -> tuple[float, Floats, Floats]:
    """PBO; of each trial the share of splits that choose it, and of those in which it loses."""
    n = returns.shape[1]
    n_splits = min(MAX_SPLITS, len(returns) // MIN_BLOCK) // 2 * 2
    if n_splits < LEAST_SPLITS or n < 2:
        return NAN, np.full(n, NAN), np.full(n, NAN)
    found = probability_of_backtest_overfitting(returns, n_splits)
    times = np.bincount(found.best, minlength=n)
    losses = np.bincount(found.best, weights=(found.logits <= 0.0).astype(np.float64), minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return found.probability, times / len(found.best), losses / times


def plateau_stability(trials: Trials) -> Floats:
    """1 - (value - mean of the neighbours' values) / (largest - smallest value), in [0, 1].

    1: the neighbours are as good or better; 0: a lone peak. Neighbours of a trial are the nearest
    `2 x parameters` ones (and all as near as the last of these), in steps of each parameter from
    one tried value to the next; along parameters that are not numbers nothing is near. NaN where a
    trial has no value or no neighbour. Shape (trial,).
    """
    values = np.array([one.value for one in trials.items])
    known = np.flatnonzero(np.isfinite(values))
    stability = np.full(len(values), NAN)
    if len(known) < 2:
        return stability
    steps = _coordinates([trials.items[i] for i in known], trials.space)
    own = values[known]
    spread = own.max() - own.min()
    wanted = 2 * steps.shape[1]
    for row, place in enumerate(known):
        distance = np.sqrt(((steps - steps[row]) ** 2).sum(axis=1))
        others = np.flatnonzero((distance > 0.0) & (distance < AWAY))
        if not len(others):
            continue
        last = np.sort(distance[others])[min(wanted, len(others)) - 1]
        near = own[others[distance[others] <= last * (1.0 + 1e-9)]]
        fall = (own[row] - near.mean()) / spread if spread > 0.0 else 0.0
        stability[place] = 1.0 - min(max(fall, 0.0), 1.0)
    return stability


def _coordinates(trials: list[Trial], space: Space) -> Floats:
    """Positions `(trial, parameter)` in steps.

    A parameter with values that can be counted moves one step from tried value to tried value; a
    real one has as many steps as an even grid of so many trials would have.
    """
    columns = []
    for name in space.names:
        given: list[Any] = [one.params[name] for one in trials]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in given):
            words = {word: AWAY * i for i, word in enumerate(dict.fromkeys(map(repr, given)))}
            columns.append(np.array([words[repr(one)] for one in given]))
            continue
        tried, rank = np.unique(np.array(given, dtype=np.float64), return_inverse=True)
        steps = rank.astype(np.float64)
        if space.levels(name) is None and len(tried) > 1:
            side = len(trials) ** (1.0 / len(space.names))
            steps *= (side - 1.0) / (len(tried) - 1.0)
        columns.append(steps)
    return np.stack(columns, axis=1)


def heat_map(
    trials: Trials, x: str, y: str, *, how: Literal["best", "mean", "worst"] = "best"
) -> pd.DataFrame:
    """Objective values over two parameters: rows `y`, columns `x`, both sorted.

    Where other parameters differ, the `best`, `mean` or `worst` of their values is shown; NaN where
    no trial has one.
    """
    unknown = [name for name in (x, y) if name not in trials.space.names]
    if unknown or x == y:
        raise ConfigError(f"a heat map needs two of {list(trials.space.names)}, not {x!r}, {y!r}")
    reduce: Any = {"best": "max", "mean": "mean", "worst": "min"}[how]
    found = trials.frame().pivot_table(
        index=f"param_{y}",
        columns=f"param_{x}",
        values="objective_value",
        aggfunc=reduce,
        dropna=False,
    )
    return found.rename_axis(index=y, columns=x)
