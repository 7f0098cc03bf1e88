"""Contract of `League`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract


class League(Contract):
    """All entrants of all venues, best net Sharpe ratio first; `rank` starts at 1.

    Entrants of simulated venues come after all others and are marked. `excess_cagr` is net CAGR
    minus that of the venue's benchmark, NaN where a venue has none.
    """

    _key: ClassVar[tuple[str, ...]] = ("rank",)

    rank: int = pa.Field(ge=1)
    venue: str
    entrant: str
    simulated: bool
    n_bars: int = pa.Field(ge=1)
    n_windows: int = pa.Field(ge=0)
    cagr_net: float
    excess_cagr: float = pa.Field(nullable=True)
    annual_volatility: float = pa.Field(ge=0, nullable=True)
    sharpe_ratio: float = pa.Field(nullable=True)
    max_drawdown: float = pa.Field(ge=-1, le=0)
