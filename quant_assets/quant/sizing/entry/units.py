"""Sizes of entries as the event kernel reads them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["EntrySizes", "Resize"]

UNITS, NOTIONAL, EQUITY_FRACTION, RISK_FRACTION = UNIT_CODES = 0, 1, 2, 3


class EntrySizes(NamedTuple):
    """`size` `(time or 1, symbol)`, at least 0; 0: no entry. Row t is for entries decided at bar t.

    `unit` is UNITS, NOTIONAL (money), EQUITY_FRACTION, or RISK_FRACTION: the share of equity that
    is lost when the first stop is met.
    """

    size: npt.NDArray[np.float64]
    unit: int


class Resize(NamedTuple):
    """How positions follow their sizes after the entry: looked at every `bars` bars from it on.

    One whose weight differs from the size of that bar by more than `band` of it is brought there at
    the next fill. 0 bars: never.
    """

    bars: int = 0
    band: float = 0.0


ENTRIES_ONLY = Resize()
