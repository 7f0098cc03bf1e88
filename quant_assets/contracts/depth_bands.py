"""Contract of `DepthBands`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class DepthBands(Contract):
    """How much waits in the order book within some percent of its mid price, at exact times.

    `band_pct` is how far the band reaches: -1 for all bids down to 1 % below the mid price, 5 for
    all asks up to 5 % above it. `depth` is their quantity in base, `notional` in quote. Wider bands
    hold the narrower ones. There are no prices in it, so it is no part of `OrderBook`.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol", "band_pct")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    band_pct: float = pa.Field(ge=-100, le=100)
    depth: float = pa.Field(ge=0)
    notional: float = pa.Field(ge=0)
