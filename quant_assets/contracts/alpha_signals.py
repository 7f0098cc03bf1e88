"""Contract of `AlphaSignals`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class AlphaSignals(Contract):
    """Cross-sectional scores of the candidates at the decision time.

    `value_<signal>` lie in [-1, 1], NaN where a signal has no opinion; `alpha` is their blend and
    `expected_return` its annual expected excess return as a fraction.
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "symbol")

    decided_at: Timestamp
    symbol: str
    alpha: float = pa.Field(ge=-1, le=1)
    expected_return: float
    values: float | None = pa.Field(
        alias=r"^value_[a-z0-9_]+$", regex=True, nullable=True, ge=-1, le=1
    )
