"""Contract of `FinalHoldings`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class FinalHoldings(Contract):
    """What each entrant holds at the window's end: one `cash` row, then one row per position.

    Cash: symbol is the currency, quantity the amount, prices 1.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "entrant", "kind", "symbol")

    ts: Timestamp
    available_at: Timestamp
    entrant: str
    kind: str = pa.Field(isin=["cash", "position"])
    symbol: str
    quantity: float
    average_price: float = pa.Field(gt=0)
    mark_price: float = pa.Field(gt=0)
