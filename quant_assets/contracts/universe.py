"""Contract of `Universe`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Universe(Contract):
    """Instruments known at the decision time, delisted ones included (`is_listed` False)."""

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "symbol")

    decided_at: Timestamp
    symbol: str
    first_bar: Timestamp
    last_bar: Timestamp
    n_bars: int = pa.Field(ge=1)
    is_listed: bool
