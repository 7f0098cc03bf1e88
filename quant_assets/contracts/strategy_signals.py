"""Contract of `StrategySignals`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategySignals(Contract):
    """What a strategy decided: one row per bar and symbol with a decision, at the bar's close.

    `target` is a weight of equity (0: close); `size` of an entry is in `size_unit`: units,
    notional, equity_fraction, or risk_fraction (of equity, to the stop). `limit` and `stop` are
    prices of the entry's order, NaN: at market. `reason` is what asked for the entry, as JSON.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    symbol: str
    entry_long: bool
    exit_long: bool
    entry_short: bool
    exit_short: bool
    target: float = pa.Field(nullable=True)
    limit: float = pa.Field(nullable=True)
    stop: float = pa.Field(nullable=True)
    strength: float = pa.Field(nullable=True)
    size: float = pa.Field(nullable=True)
    size_unit: str = pa.Field(isin=["", "units", "notional", "equity_fraction", "risk_fraction"])
    reason: str
