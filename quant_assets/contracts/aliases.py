"""Contract of `Aliases`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Aliases(Contract):
    """Under which ticker an instrument was traded, and when.

    `symbol` is the instrument for good, `ticker` what it was called on the days from `ts` to `last`
    (UTC midnights, both included); NaT while the name is in use. A ticker may come back, and may
    belong to another symbol at another time.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    ticker: str
    last: Timestamp = pa.Field(nullable=True)
