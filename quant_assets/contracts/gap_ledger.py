"""Contract of `GapLedger`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class GapLedger(Contract):
    """One row per run of missing bars of a symbol: first missing bar, how many, why if known.

    `ts`, `until` and `bars` tell the part of the run in this window. `begun_at` is the first
    missing bar of the whole run: before `ts` where it goes on from the window before. An
    `open_at_end` run has no bar after it in this window: an outage, a delisting, or the end of what
    is known so far, and only a later window can tell which.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    begun_at: Timestamp
    until: Timestamp
    bars: int = pa.Field(ge=1)
    cause: str = pa.Field(isin=["unknown", "whole venue", "quarantined"])
    open_at_end: bool
