"""Contract of `Bars`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Bars(Contract):
    """One row per bar and symbol; a gap has NaN prices, volume 0 and `is_gap`."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    open: float = pa.Field(gt=0, nullable=True)
    high: float = pa.Field(gt=0, nullable=True)
    low: float = pa.Field(gt=0, nullable=True)
    close: float = pa.Field(gt=0, nullable=True)
    volume: float = pa.Field(ge=0, nullable=True)
    is_gap: bool
