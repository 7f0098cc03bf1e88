"""Contract of `Trades`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Trades(Contract):
    """Closed quantities at average cost: one row per fill that reduces a position.

    `quantity` is signed like the position that was closed; `pnl` is net of the closing fee.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "entrant", "symbol", "fill_id")

    ts: Timestamp
    available_at: Timestamp
    entrant: str
    symbol: str
    fill_id: str
    quantity: float
    entry_price: float = pa.Field(gt=0)
    exit_price: float = pa.Field(gt=0)
    pnl: float
    fee: float = pa.Field(ge=0)
