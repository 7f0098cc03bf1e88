"""Contract of `TargetWeights`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class TargetWeights(Contract):
    """Each entrant's wish, before hardening, as fractions of equity, with its solver's report.

    `status` is the solver's own word; `fallback` names the fallback that was used, or is empty.
    `residual` is the largest constraint violation of the raw solution.
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "entrant", "symbol")

    decided_at: Timestamp
    entrant: str
    symbol: str
    weight: float
    solver: str
    status: str
    iterations: int = pa.Field(ge=0)
    objective: float = pa.Field(nullable=True)
    residual: float = pa.Field(ge=0)
    fallback: str
