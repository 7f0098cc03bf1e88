"""Contract of `MonteCarlo`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract

FIGURES = ["cagr", "max_drawdown", "sharpe_ratio", "terminal_wealth"]


class MonteCarlo(Contract):
    """Bands of a figure over resampled histories of an entrant's daily net returns.

    `observed` is the figure of the record itself; q025 to q975 are quantiles over `n_paths`
    histories of `n_days` days in blocks of mean length `mean_block`. `cagr` and `sharpe_ratio`
    are per year, without a risk-free rate; `terminal_wealth` is that of 1 at the start.
    Undefined values are NaN.
    """

    _key: ClassVar[tuple[str, ...]] = ("entrant", "figure")

    entrant: str
    figure: str = pa.Field(isin=FIGURES)
    observed: float = pa.Field(nullable=True)
    q025: float = pa.Field(nullable=True)
    q05: float = pa.Field(nullable=True)
    q25: float = pa.Field(nullable=True)
    q50: float = pa.Field(nullable=True)
    q75: float = pa.Field(nullable=True)
    q95: float = pa.Field(nullable=True)
    q975: float = pa.Field(nullable=True)
    n_days: int = pa.Field(ge=1)
    mean_block: float = pa.Field(ge=1)
    n_paths: int = pa.Field(ge=1)
    seed: int = pa.Field(ge=0)
