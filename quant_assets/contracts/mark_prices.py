"""Contract of `MarkPrices`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class MarkPrices(Contract):
    """Mark price of a perpetual at the instant `ts`, as funding is paid on it."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    mark_price: float = pa.Field(gt=0)
