"""Contract of `OpenInterest`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class OpenInterest(Contract):
    """Open interest at its exact snapshot times; gaps are not filled.

    `open_interest` counts `unit` (base asset or contracts), `open_interest_value` is its value in
    the quote currency, NaN where the source gives none.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    open_interest: float = pa.Field(ge=0)
    open_interest_value: float = pa.Field(ge=0, nullable=True)
    unit: str = pa.Field(isin=["base", "contracts", "quote"])
