"""Contract of `SignalDecay`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class SignalDecay(Contract):
    """What each signal foretold over the first part of its window, and over all of it.

    `share` is the part of the window's bars, `n_bars` their number. `rank_ic` is the rank
    correlation with the compounded returns of these bars; `top` and `bottom` are the mean returns
    of the highest and the lowest fifth of the signal, `spread` their difference.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts", "signal", "share")

    ts: Timestamp
    available_at: Timestamp
    signal: str
    share: float = pa.Field(gt=0, le=1)
    n_bars: int = pa.Field(ge=1)
    rank_ic: float = pa.Field(ge=-1, le=1, nullable=True)
    top: float = pa.Field(nullable=True)
    bottom: float = pa.Field(nullable=True)
    spread: float = pa.Field(nullable=True)
