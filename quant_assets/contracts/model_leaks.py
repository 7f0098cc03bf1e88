"""Contract of `ModelLeaks`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class ModelLeaks(Contract):
    """Verdicts of the leak check on the models that made the cells of one window.

    `plug_in` is what made a part of `asset`: a rule, a signal, an entrant, or the asset itself.
    `changed` of its `n_values` numbers came out different in a run that had no right to differ.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "asset", "plug_in")

    ts: Timestamp
    available_at: Timestamp
    asset: str
    plug_in: str
    verdict: str = pa.Field(isin=["trusted", "leak", "not_deterministic", "undecided"])
    trusted: bool
    n_values: int = pa.Field(ge=0)
    changed: int = pa.Field(ge=0)
    text: str
