"""Contract of `SearchTrials`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class SearchTrials(Contract):
    """Combinations that searches ever tried on a venue, each once; rows never leave.

    `trial` is the hash of parameters and returns: what comes out again, by another search or by
    newer code, is the same look at the same history. Without returns it is that of logic,
    parameters, bars, execution and capital. `family` is the strategy, `available_at` the moment at
    which it was finished and known. `annual_sharpe_ratio` is that of its returns over `n_years`,
    NaN where it was refused or failed, never traded, or does not say how many returns there are in
    a year.
    """

    _key: ClassVar[tuple[str, ...]] = ("family", "trial")

    family: str
    trial: str
    available_at: Timestamp
    status: str = pa.Field(isin=["done", "refused", "failed"])
    n_years: float = pa.Field(ge=0, nullable=True)
    annual_sharpe_ratio: float = pa.Field(nullable=True)
