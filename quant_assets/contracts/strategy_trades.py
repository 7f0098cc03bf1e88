"""Contract of `StrategyTrades`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyTrades(Contract):
    """Trades from flat to flat (or to the other side), in the window of their exit.

    The same columns describe what is open at a window's end (`<strategy>_positions`): marked at
    the last close, `exit_ts` and `exit_price` missing, `exit_reason` `open`. Excursions are money,
    `mfe` and `mae` fractions of the entry price; `position_size_pct`, `portfolio_heat` and
    `drawdown_at_entry` are fractions of equity. An empty regime is unknown.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "trade_id")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    trade_id: int = pa.Field(ge=1)
    symbol: str
    direction: str = pa.Field(isin=["long", "short"])
    decided_ts: Timestamp
    entry_ts: Timestamp
    entry_price: float = pa.Field(gt=0)
    exit_ts: Timestamp = pa.Field(nullable=True)
    exit_price: float = pa.Field(gt=0, nullable=True)
    shares: float = pa.Field(ge=0)
    pnl: float
    pnl_pct: float = pa.Field(nullable=True)
    commission_cost: float
    slippage_cost: float
    borrowing_cost: float
    funding: float
    penalty: float = pa.Field(ge=0)
    entry_signal: str
    exit_reason: str
    bars_held: int = pa.Field(ge=0)
    hold_days: float = pa.Field(ge=0)
    max_favorable_excursion: float = pa.Field(ge=0, nullable=True)
    max_adverse_excursion: float = pa.Field(le=0, nullable=True)
    mfe: float = pa.Field(ge=0, nullable=True)
    mae: float = pa.Field(le=0, nullable=True)
    regime_at_entry: str
    regime_confidence: float = pa.Field(nullable=True)
    volatility_at_entry: float = pa.Field(ge=0, nullable=True)
    volume_at_entry: float = pa.Field(ge=0, nullable=True)
    position_size_pct: float = pa.Field(nullable=True)
    portfolio_heat: float = pa.Field(nullable=True)
    drawdown_at_entry: float = pa.Field(nullable=True)
    fill_quality_score: float = pa.Field(nullable=True)
    market_impact: float = pa.Field(nullable=True)
    strength: float = pa.Field(nullable=True)
    spans_gap: bool
