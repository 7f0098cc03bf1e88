"""Contract of `CheckResults`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class CheckResults(Contract):
    """Statistics that were checked on the cells of one window: value found, limit, verdict.

    `asset` is the asset that is judged; `ts` is the start of the window.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "asset", "check")

    ts: Timestamp
    available_at: Timestamp
    asset: str
    check: str
    value: float = pa.Field(nullable=True)
    limit: float
    passed: bool
