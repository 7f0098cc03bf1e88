"""Sizes of entries as the event kernel reads them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["EntrySizes"]

UNITS, NOTIONAL, EQUITY_FRACTION, RISK_FRACTION = UNIT_CODES = 0, 1, 2, 3


class EntrySizes(NamedTuple):
    """`size` `(time or 1, symbol)`, at least 0; 0: no entry. Row t is for entries decided at bar t.

    `unit` is UNITS, NOTIONAL (money), EQUITY_FRACTION, or RISK_FRACTION: the share of equity that
    is lost when the first stop is met.
    """

    size: npt.NDArray[np.float64]
    unit: int
