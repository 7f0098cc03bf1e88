"""Contract of `Quality`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Quality(Contract):
    """Quality of the bars of one symbol and UTC day; `ts` is the day's first bar on the grid.

    `score` is the share of expected bars that are present and free of every doubt, 0 to 1. `grid`
    says how the expected bars are known: every bar length, the exchange's sessions, or nothing
    better than the times that some symbol has, which cannot show a day that nobody delivered.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    expected: int = pa.Field(ge=0)
    present: int = pa.Field(ge=0)
    gaps: int = pa.Field(ge=0)
    stale: int = pa.Field(ge=0)
    spikes: int = pa.Field(ge=0)
    quarantined: int = pa.Field(ge=0)
    repaired: int = pa.Field(ge=0)
    completeness: float = pa.Field(ge=0, le=1)
    score: float = pa.Field(ge=0, le=1)
    grid: str = pa.Field(isin=["always open", "sessions", "observed"])
