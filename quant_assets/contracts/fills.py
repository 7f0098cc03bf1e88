"""Contract of `Fills`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Fills(Contract):
    """Executed orders: signed `quantity`, `price` with slippage, costs `fee`, `slippage` >= 0."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "entrant", "symbol", "fill_id")

    ts: Timestamp
    available_at: Timestamp
    entrant: str
    symbol: str
    fill_id: str
    decided_at: Timestamp
    quantity: float
    reference_price: float = pa.Field(gt=0)
    price: float = pa.Field(gt=0)
    fee: float = pa.Field(ge=0)
    slippage: float = pa.Field(ge=0)
