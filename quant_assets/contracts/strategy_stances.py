"""Contract of `StrategyStances`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyStances(Contract):
    """What a strategy holds in an instrument at a bar's close: side times confidence.

    1 is long, -1 short, in between with less than full confidence. One row for each bar at whose
    close a position is open, and one of 0 for the bar in which it was closed.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    symbol: str
    stance: float = pa.Field(ge=-1, le=1)
