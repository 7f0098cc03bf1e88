"""Contract of `SignalMetrics`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class SignalMetrics(Contract):
    """Rank information coefficient of each signal (and `alpha`) over its own window."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "signal")

    ts: Timestamp
    available_at: Timestamp
    signal: str
    rank_ic: float = pa.Field(ge=-1, le=1, nullable=True)
    n_symbols: int = pa.Field(ge=0)
