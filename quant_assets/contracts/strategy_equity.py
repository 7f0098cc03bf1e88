"""Contract of `StrategyEquity`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyEquity(Contract):
    """Account of a strategy per bar, marked at the close; cash + position_value = equity.

    Of the value of positions `unrealised` is the profit of derivatives, the rest what is owned at
    its price; `initial_margin` is what derivatives bind of the equity: notional / leverage.
    `returns` are net and simple. `gross` and `net` exposure are money, `heat` and `drawdown`
    fractions of equity and of its peak. Costs are those of the bar; `funding` and `interest` are
    positive when received.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "strategy_name")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    cash: float
    position_value: float
    equity: float
    returns: float = pa.Field(nullable=True)
    gross: float = pa.Field(ge=0)
    net: float
    heat: float = pa.Field(nullable=True)
    drawdown: float
    commission: float
    slippage: float
    penalty: float = pa.Field(ge=0)
    borrow: float
    interest: float
    funding: float
    unrealised: float
    initial_margin: float = pa.Field(ge=0)
