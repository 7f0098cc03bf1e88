"""Rows of adjustments: splits, denomination changes, dividends, forks and airdrops."""

from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.base import Contract
from quant_assets.quant.market.bars import Instants
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Integers, Sheet, is_positive

KINDS = ("split", "dividend", "denomination", "fork", "airdrop")


class AdjustmentRows(RowCheck):
    """An adjustment is announced before it takes effect: it is known at its `ts`."""

    name: ClassVar[str] = "adjustments"
    contract: ClassVar[type[Contract]] = Adjustments
    inside_history: ClassVar[bool] = False  # files tell all events since the listing

    def known_at(self, sheet: Sheet) -> Instants:
        """When it takes effect."""
        return sheet.ts

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without a factor."""
        sheet.set_aside(np.isnan(sheet.numbers["price_factor"]), "missing factor")

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Time, symbol and kind."""
        return self.sort_keys(sheet)

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        unknown = ~sheet.others["kind"].isin(KINDS).to_numpy(dtype=bool)
        sheet.set_aside(unknown, "unknown kind")
        factor = sheet.numbers["price_factor"]
        sheet.set_aside(~is_positive(factor), "factor not above zero", factor)

    def sort_keys(self, sheet: Sheet) -> list[Integers]:
        """See the base class; then by kind."""
        kinds = pd.factorize(sheet.others["kind"], sort=True)[0].astype(np.int64)
        return [*super().sort_keys(sheet), kinds]
