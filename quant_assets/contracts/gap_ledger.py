"""Contract of `GapLedger`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class GapLedger(Contract):
    """One row per run of missing bars of a symbol: first missing bar, how many, why if known."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    until: Timestamp
    bars: int = pa.Field(ge=1)
    cause: str = pa.Field(isin=["unknown", "whole venue", "quarantined"])
