"""Contract of `CandidatePool`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class CandidatePool(Contract):
    """One row per instrument and rule: the value found, the limit, and whether it passed.

    `is_candidate` is True on all rows of an instrument when every rule passed.
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "symbol", "rule")

    decided_at: Timestamp
    symbol: str
    rule: str
    value: float = pa.Field(nullable=True)
    limit: float = pa.Field(nullable=True)
    passed: bool
    is_candidate: bool
