"""Contract of `Equity`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Equity(Contract):
    """Account per bar and entrant, marked at the close; cash + position_value = equity.

    `returns` are net; `gross_returns` leave fees and slippage out. Costs and funding are amounts
    of the bar in venue currency (funding: received positive); `turnover` is two-way, a fraction of
    equity.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "entrant")

    ts: Timestamp
    available_at: Timestamp
    entrant: str
    cash: float
    position_value: float
    equity: float
    returns: float
    gross_returns: float
    fees: float = pa.Field(ge=0)
    slippage: float = pa.Field(ge=0)
    funding: float
    turnover: float = pa.Field(ge=0)
