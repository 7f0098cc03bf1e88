"""Contract of `AlphaFeatures`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class AlphaFeatures(Contract):
    """Feature values per bar and symbol, one column `value_<feature>` each; NaN in warm-up."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    values: float | None = pa.Field(alias=r"^value_[a-z0-9_]+$", regex=True, nullable=True)
