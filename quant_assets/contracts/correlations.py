"""Contract of `Correlations`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Correlations(Contract):
    """Shrunk correlation of two candidates; each pair once, `symbol` <= `other`, diagonal included.

    `n_rows` is the number of training rows on which both have a return.
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "symbol", "other")

    decided_at: Timestamp
    symbol: str
    other: str
    correlation: float = pa.Field(ge=-1, le=1)
    n_rows: int = pa.Field(ge=0)
