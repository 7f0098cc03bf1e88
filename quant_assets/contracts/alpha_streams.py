"""Contract of `AlphaStreams`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class AlphaStreams(Contract):
    """Return streams offered to the optimizers: instrument x side. Stream return = side x return.

    `expected_return` is annual and belongs to the stream (already multiplied by the side).
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "stream")

    decided_at: Timestamp
    stream: str
    symbol: str
    side: int = pa.Field(isin=[-1, 1])
    cluster: int = pa.Field(ge=1)
    alpha: float = pa.Field(ge=-1, le=1)
    expected_return: float
