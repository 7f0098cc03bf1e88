"""Contract of `CandidateClusters`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class CandidateClusters(Contract):
    """Cluster of each candidate; labels from 1, ordered by each cluster's first symbol."""

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "symbol")

    decided_at: Timestamp
    symbol: str
    cluster: int = pa.Field(ge=1)
    mean_correlation: float = pa.Field(ge=-1, le=1, nullable=True)
