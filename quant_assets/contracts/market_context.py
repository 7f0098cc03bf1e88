"""Contract of `MarketContext`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class MarketContext(Contract):
    """State of the whole market per bar: regime, its confidence, and the measures behind it."""

    _key: ClassVar[tuple[str, ...]] = ("ts",)

    ts: Timestamp
    available_at: Timestamp
    regime: str = pa.Field(isin=["bull", "neutral", "bear", "unknown"])
    confidence: float = pa.Field(ge=0, le=1)
    trend_score: float = pa.Field(nullable=True)
    volatility_percentile: float = pa.Field(ge=0, le=1, nullable=True)
