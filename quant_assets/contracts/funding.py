"""Contract of `Funding`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Funding(Contract):
    """Funding settlements at their exact times; `rate` is a fraction of notional, paid by longs."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol", "event_id")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    event_id: str
    rate: float
    mark_price: float = pa.Field(gt=0, nullable=True)
