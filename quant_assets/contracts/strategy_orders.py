"""Contract of `StrategyOrders`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyOrders(Contract):
    """Orders that ended in the window, at the bar of their end; open ones stand in the state.

    `quantity` is NaN where the order never came to be sized; `filled` is signed. `cancelled_by`
    says what ended a cancelled order: `strategy`, `group`, `decision`, `time_in_force`, `halt`, or
    that there was `nothing_left` to close.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "order_id")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    order_id: int = pa.Field(ge=1)
    symbol: str
    kind: str = pa.Field(isin=["market", "limit", "stop", "stop_limit", "trailing_stop"])
    reason: str
    decided_ts: Timestamp
    quantity: float = pa.Field(nullable=True)
    limit: float = pa.Field(nullable=True)
    stop: float = pa.Field(nullable=True)
    filled: float
    average_price: float = pa.Field(gt=0, nullable=True)
    status: str = pa.Field(isin=["filled", "cancelled", "expired", "rejected"])
    strength: float = pa.Field(nullable=True)
    cancelled_by: str = pa.Field(
        isin=[
            "",
            "nothing_left",
            "strategy",
            "group",
            "halt",
            "time_in_force",
            "decision",
            "universe",
        ]
    )
