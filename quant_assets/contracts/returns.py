"""Contract of `Returns`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Returns(Contract):
    """Simple close-to-close returns, long; NaN where either close is missing, never 0."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    returns: float = pa.Field(gt=-1, nullable=True)
