"""Contract of `TrialLedger`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class TrialLedger(Contract):
    """Daily net returns of every trial that a venue ever saw; rows are added and never leave.

    A trial is a return stream: one that repeats or continues an earlier one of the same entrant is
    the same trial, any other has the next number. `ts` is the day.
    """

    _key: ClassVar[tuple[str, ...]] = ("trial", "ts")

    trial: int = pa.Field(ge=1)
    ts: Timestamp
    entrant: str
    returns: float
