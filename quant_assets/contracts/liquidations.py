"""Contract of `Liquidations`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Liquidations(Contract):
    """Forced orders at their exact times; `side` is that of the order (sell closes a long).

    `event_id` is the source's, else made of side, price and quantity, so that a repeated delivery
    is one row. `price` is the average fill where published, else the order's; `quantity` in base.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol", "event_id")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    event_id: str
    side: str = pa.Field(isin=["buy", "sell"])
    price: float = pa.Field(gt=0)
    quantity: float = pa.Field(gt=0)
