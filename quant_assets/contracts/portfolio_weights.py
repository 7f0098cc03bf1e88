"""Contract of `PortfolioWeights`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class PortfolioWeights(Contract):
    """Hardened weights per entrant (and the house portfolio `champion`), plus the chain's state.

    `previous_weight`: last window's weights drifted by prices, the base of turnover.
    `window_return`: cost-free return of the entrant over the window before. `state_*`:
    exponentially weighted moments of it.
    `follows`: the entrant whose target this one hardens (for `champion`, the chosen one). Every
    entrant has one row per symbol that it holds, held or wants, even at weight 0.
    """

    _key: ClassVar[tuple[str, ...]] = ("decided_at", "entrant", "symbol")

    decided_at: Timestamp
    entrant: str
    symbol: str
    weight: float
    target_weight: float
    previous_weight: float
    follows: str
    binding: str
    window_return: float = pa.Field(nullable=True)
    state_mean: float = pa.Field(nullable=True)
    state_variance: float = pa.Field(ge=0, nullable=True)
    state_count: int = pa.Field(ge=0)
