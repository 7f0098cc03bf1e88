"""Contract of `ReferenceReturns`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class ReferenceReturns(Contract):
    """Benchmark and risk-free returns on the bars' clock; `assumed`: the source has none."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "role")

    ts: Timestamp
    available_at: Timestamp
    role: str = pa.Field(isin=["benchmark", "risk_free"])
    symbol: str
    returns: float = pa.Field(gt=-1, nullable=True)
    assumed: bool
