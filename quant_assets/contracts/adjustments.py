"""Contract of `Adjustments`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Adjustments(Contract):
    """Events that change what one unit of an instrument is; `ts` is when they take effect.

    Prices before `ts` are multiplied by `price_factor` to be comparable with those after it, and
    volumes are divided by it when `kind` is `split` or `denomination` (a 2:1 split has 0.5). A
    `dividend`, and likewise the coins of a `fork` or an `airdrop`, is something that the holder got
    beside: its factor is `1 - worth / close` of the bar before. Known from `available_at` on.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol", "kind")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    kind: str = pa.Field(isin=["split", "dividend", "denomination", "fork", "airdrop"])
    price_factor: float = pa.Field(gt=0)
