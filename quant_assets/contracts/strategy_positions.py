"""Contract of `StrategyPositions`."""

import pandera.pandas as pa

from quant_assets.contracts.strategy_trades import StrategyTrades


class StrategyPositions(StrategyTrades):
    """Trades that are open at a window's end, with what each is worth at the last close.

    The columns of `StrategyTrades`, and: `mark_price` is the close, or the last one before a gap;
    `market_value`, negative of shorts, is money: cash and all market values are the equity;
    `weight` is the notional over equity, NaN where there is none: of what is owned, its share of
    equity. The value of a derivative is its profit so far. `shares` are what is held now, which is
    less than what was bought where a part was sold.
    """

    mark_price: float = pa.Field(gt=0)
    market_value: float
    weight: float = pa.Field(nullable=True)
