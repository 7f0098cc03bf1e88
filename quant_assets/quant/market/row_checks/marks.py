"""Rows of mark prices."""

from typing import ClassVar

import numpy as np

from quant_assets.contracts.base import Contract
from quant_assets.contracts.mark_prices import MarkPrices
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Sheet


class MarkRows(RowCheck):
    """A mark price is known at its instant."""

    name: ClassVar[str] = "marks"
    contract: ClassVar[type[Contract]] = MarkPrices

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without a price."""
        sheet.set_aside(np.isnan(sheet.numbers["mark_price"]), "missing price")

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        mark = sheet.numbers["mark_price"]
        sheet.set_aside(mark <= 0, "mark price not above zero", mark)
