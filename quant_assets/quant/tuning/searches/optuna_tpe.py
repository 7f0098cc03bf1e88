"""Points near those that did well."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import whole
from quant_assets.quant.tuning.searches.base import Proposals, Search
from quant_assets.quant.tuning.space import Interval, Point, Space

__all__ = ["OptunaTpe"]


@dataclass(frozen=True, kw_only=True)
class OptunaTpe(Search):
    """Tree-structured Parzen estimator of Optuna (extra `tune`). Bergstra et al. (2011).

    Each batch is drawn before its values are known, so that it can be simulated side by side.
    Refused combinations count as failed. `start`: random draws before it learns.
    """

    name: ClassVar[str] = "optuna"
    trials: int = whole(100, least=1)
    seed: int = whole(0, least=0)
    batch: int = whole(8, least=1)
    start: int = whole(10, least=1)

    def count(self, space: Space) -> int:
        """See the base class."""
        del space
        return self.trials

    def proposals(self, space: Space) -> Proposals:
        """See the base class."""
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=self.start)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        left = self.trials
        while left:
            asked = [study.ask() for _ in range(min(self.batch, left))]
            points = [_point(trial, space) for trial in asked]
            values = yield points
            for trial, value in zip(asked, values, strict=True):
                failed = not np.isfinite(value)
                state = optuna.trial.TrialState.FAIL if failed else None
                study.tell(trial, None if failed else value, state=state)
            left -= len(asked)


def _point(trial: Any, space: Space) -> Point:
    found: Point = {}
    for name, values in space.parameters.items():
        if isinstance(values, Interval) and values.step is None:
            found[name] = trial.suggest_float(name, values.low, values.high, log=values.log)
            continue
        levels = space.levels(name) or ()
        numeric = all(isinstance(one, int | float) for one in levels)
        if numeric and list(levels) == sorted(levels):
            found[name] = levels[trial.suggest_int(name, 0, len(levels) - 1)]
        else:
            found[name] = levels[trial.suggest_categorical(name, list(range(len(levels))))]
    return found


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as cause:
        raise ConfigError(
            "the search 'optuna' needs Optuna: pip install 'quant-assets[tune]', or take 'sobol'"
        ) from cause
    return optuna
