"""Contract of `Doubts`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class Doubts(Contract):
    """Every row that was set aside, mended, or kept with a flag: where it stood, and why.

    `outcome` says what happened to it; `file` and `line` say where it was (empty and 0 for a flag
    that was found in the stored series); `text` is the row as it stood, shortened; `value` is the
    measure behind a flag.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "dataset", "symbol", "reason", "file", "line")

    ts: Timestamp
    available_at: Timestamp
    dataset: str
    symbol: str
    outcome: str = pa.Field(isin=["quarantined", "repaired", "flagged"])
    reason: str
    value: float = pa.Field(nullable=True)
    file: str
    line: int = pa.Field(ge=0)
    text: str
