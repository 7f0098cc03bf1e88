"""Rows of open interest, at their exact times: there is no grid."""

from typing import ClassVar

import numpy as np

from quant_assets.contracts.base import Contract
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Sheet

UNITS = ("base", "contracts", "quote")


class OpenInterestRows(RowCheck):
    """Open interest counts something: a row whose unit nobody knows is no number."""

    name: ClassVar[str] = "open_interest"
    contract: ClassVar[type[Contract]] = OpenInterest
    optional: ClassVar[tuple[str, ...]] = ("open_interest_value",)

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without open interest."""
        sheet.set_aside(np.isnan(sheet.numbers["open_interest"]), "missing open interest")

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        for name, values in sheet.numbers.items():
            sheet.set_aside(values < 0, f"{name.replace('_', ' ')} below zero", values)
        unknown = ~sheet.others["unit"].isin(UNITS).to_numpy(dtype=bool)
        sheet.set_aside(unknown, "unknown unit")
