"""Contract of `WalkforwardResults`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class WalkforwardResults(Contract):
    """One row per test window of a walk-forward: parameters chosen on the training span before it.

    Dates are the first instants of spans and the end of the last (exclusive), UTC. `is_metrics` and
    `oos_metrics` are the objective inside and outside the training span, `degradation_pct` =
    (IS - OOS) / IS x 100, NaN where IS is not above 0. `optimal_params` is JSON.
    """

    _key: ClassVar[tuple[str, ...]] = ("test_start", "parent_run_id")

    test_start: Timestamp
    parent_run_id: str
    window_start: Timestamp
    window_end: Timestamp
    train_start: Timestamp
    train_end: Timestamp
    test_end: Timestamp
    optimal_params: str
    objective: str
    is_metrics: float = pa.Field(nullable=True)
    oos_metrics: float = pa.Field(nullable=True)
    degradation_pct: float = pa.Field(nullable=True)
    trades_count: int = pa.Field(ge=0)
