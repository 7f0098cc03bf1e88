"""Contract of `WindowMetrics`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class WindowMetrics(Contract):
    """One row per entrant, `ts` = start of the window. Returns are of the whole window."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "entrant")

    ts: Timestamp
    available_at: Timestamp
    entrant: str
    partial: bool
    n_bars: int = pa.Field(ge=1)
    net_return: float
    gross_return: float
    benchmark_return: float = pa.Field(nullable=True)
    risk_free_return: float = pa.Field(nullable=True)
    annual_volatility: float = pa.Field(ge=0, nullable=True)
    max_drawdown: float = pa.Field(ge=-1, le=0)
    turnover: float = pa.Field(ge=0)
    fees: float = pa.Field(ge=0)
    slippage: float = pa.Field(ge=0)
    funding: float
    drift_gap: float = pa.Field(ge=0)
