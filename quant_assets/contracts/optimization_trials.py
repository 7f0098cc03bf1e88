"""Contract of `OptimizationTrials`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract


class OptimizationTrials(Contract):
    """Every set of parameters that a search tried, failures included.

    `params` and `metrics` are JSON; a failed trial has no objective and says why in `error`.
    `overfitting_score` is between 0 (robust) and 1 (the best of many tries by luck), NaN unknown.
    """

    _key: ClassVar[tuple[str, ...]] = ("run_id", "trial_number")

    run_id: str
    trial_number: int = pa.Field(ge=1)
    params: str
    param_hash: str
    objective: str
    objective_value: float = pa.Field(nullable=True)
    metrics: str
    overfitting_score: float = pa.Field(ge=0, le=1, nullable=True)
    error: str
