"""Contract of `StrategyState`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyState(Contract):
    """Account, positions and open orders at the window's end: what the next window goes on from.

    One row per number of the simulation's book that is not as in a new one. `part` names its array,
    `row` and `field` the place in it; `ts` is that of the last bar, or the window's start where it
    has none. Bars are counted from the first of the run. `listed` are the symbols so far, `trades`
    what is shown of the entries of open trades (`text` where it is no number), `timeframes` the
    longer bars so far, and `funding` the last settlements that were known.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "part", "symbol", "row", "field")

    ts: Timestamp
    available_at: Timestamp
    strategy_name: str
    part: str = pa.Field(
        isin=[
            *("account", "counters", "run", "symbols", "flags", "held", "orders", "codes"),
            *("listed", "trades", "timeframes", "funding"),
        ]
    )
    symbol: str
    row: int = pa.Field(ge=0)
    field: int = pa.Field(ge=0)
    value: float = pa.Field(nullable=True)
    text: str
