"""Contract of `StrategyFills`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyFills(Contract):
    """Fills of a strategy's orders; `fill_id` counts from 1 within a window.

    `quantity` is signed; `slippage` is what the price conceded against `reference_price`, of which
    `market_impact` (a fraction) depends on size. `decided_at` is when the order was decided, of an
    exit that stood with its position (a stop, a target) when that was. Amounts are in the account's
    money.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "fill_id")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    fill_id: int = pa.Field(ge=1)
    symbol: str
    order_id: int = pa.Field(ge=0)
    trade_id: int = pa.Field(ge=0)
    decided_at: Timestamp
    quantity: float
    reference_price: float = pa.Field(gt=0)
    price: float = pa.Field(gt=0)
    commission: float
    slippage: float
    market_impact: float
    penalty: float = pa.Field(ge=0)
    reason: str
