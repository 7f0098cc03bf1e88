"""Rows of aliases: which ticker an instrument had, and when."""

from typing import ClassVar

import numpy as np

from quant_assets.contracts.aliases import Aliases
from quant_assets.contracts.base import Contract
from quant_assets.quant.market.bars import Instants, instants
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Sheet


class AliasRows(RowCheck):
    """A name is announced before it is used: it is known on its first day."""

    name: ClassVar[str] = "aliases"
    contract: ClassVar[type[Contract]] = Aliases
    inside_history: ClassVar[bool] = False  # files tell all names since the listing

    def known_at(self, sheet: Sheet) -> Instants:
        """On its first day."""
        return sheet.ts

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without a ticker."""
        sheet.set_aside(sheet.others["ticker"].isna().to_numpy(dtype=bool), "missing ticker")

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        last = instants(sheet.others["last"])
        days = (last - sheet.ts) / np.timedelta64(1, "D")
        sheet.set_aside(days < 0, "ends before it begins", days)
