"""Contract of `StrategyLeaks`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyLeaks(Contract):
    """Verdict of the leak check on one strategy: one row for the whole, then one per finding.

    `finding` 0 is the verdict: `trusted`, `leak`, `not_deterministic` or `undecided`; `text` says
    what was found. `n_rows` bars were looked at, from `first_ts` to `last_ts`.
    """

    _key: ClassVar[tuple[str, ...]] = ("strategy_name", "finding")

    strategy_name: str
    finding: int = pa.Field(ge=0)
    verdict: str = pa.Field(isin=["trusted", "leak", "not_deterministic", "undecided"])
    trusted: bool
    output: str
    probe: str
    text: str
    n_rows: int = pa.Field(ge=0)
    first_ts: Timestamp
    last_ts: Timestamp
