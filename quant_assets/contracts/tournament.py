"""Contract of `Tournament`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract


class Tournament(Contract):
    """Leaderboard of one venue over all whole windows; `rank` 0 is the benchmark row.

    Rates are annual fractions; `break_even_bps` is the one-way cost that makes the excess over the
    benchmark vanish, NaN for the benchmark itself. `trusted` is what the leak checks say of all
    that made the entrant; what was not examined is not trusted.
    """

    _key: ClassVar[tuple[str, ...]] = ("rank", "entrant")

    rank: int = pa.Field(ge=0)
    entrant: str
    n_bars: int = pa.Field(ge=1)
    n_windows: int = pa.Field(ge=0)
    cagr_net: float
    cagr_gross: float
    annual_volatility: float = pa.Field(ge=0, nullable=True)
    sharpe_ratio: float = pa.Field(nullable=True)
    sharpe_ratio_gross: float = pa.Field(nullable=True)
    max_drawdown: float = pa.Field(ge=-1, le=0)
    calmar_ratio: float = pa.Field(nullable=True)
    annual_turnover: float = pa.Field(ge=0)
    costs: float = pa.Field(ge=0)
    information_ratio: float = pa.Field(nullable=True)
    break_even_bps: float = pa.Field(nullable=True)
    trusted: bool
