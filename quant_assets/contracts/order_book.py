"""Contract of `OrderBook`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class OrderBook(Contract):
    """Snapshots of the book at their exact times, one row per level; level 0 is the best.

    A side that has no such level is NaN. `is_crossed` marks every row of a snapshot whose best bid
    is at or above its best ask (locked counts): such a snapshot has no mid price.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol", "level")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    level: int = pa.Field(ge=0)
    bid_price: float = pa.Field(gt=0, nullable=True)
    bid_quantity: float = pa.Field(ge=0, nullable=True)
    ask_price: float = pa.Field(gt=0, nullable=True)
    ask_quantity: float = pa.Field(ge=0, nullable=True)
    is_crossed: bool
