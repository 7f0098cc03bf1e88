"""Contract of `Overfitting`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract


class Overfitting(Contract):
    """How much each entrant's record proves, given all trials of the venue's ledger.

    Sharpe ratios are per day, of net returns. `n_trials` are all of the venue: of its ledger, and
    the `searched_trials` of sweeps and walk-forwards. `expected_maximum` is what the best of them
    without skill shows; `dsr` is the probability that the true Sharpe ratio exceeds it, `psr` that
    it exceeds 0; `family_dsr` is the same after the `family_trials` of its own family alone (the
    entrant's name; a strategy's with its walk-forward and searches). `minimum_days` is the record
    that a `psr` of 95 % needs, NaN where none is long enough. `pbo` is the venue's probability of
    back-test overfitting over the trials that share `pbo_days` days, NaN where fewer than two do.
    """

    _key: ClassVar[tuple[str, ...]] = ("entrant",)

    entrant: str
    n_days: int = pa.Field(ge=1)
    sharpe_ratio: float = pa.Field(nullable=True)
    psr: float = pa.Field(ge=0, le=1, nullable=True)
    dsr: float = pa.Field(ge=0, le=1, nullable=True)
    minimum_days: float = pa.Field(nullable=True)
    family: str
    family_trials: int = pa.Field(ge=1)
    family_dsr: float = pa.Field(ge=0, le=1, nullable=True)
    searched_trials: int = pa.Field(ge=0)
    n_trials: int = pa.Field(ge=1)
    effective_trials: float = pa.Field(ge=1)
    expected_maximum: float = pa.Field(ge=0)
    pbo: float = pa.Field(ge=0, le=1, nullable=True)
    pbo_trials: int = pa.Field(ge=0)
    pbo_days: int = pa.Field(ge=0)
