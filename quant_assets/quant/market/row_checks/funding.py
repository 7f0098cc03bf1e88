"""Rows of funding: settlements at their exact times, each paid once."""

from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.funding import Funding
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.funding import MAX_RATE
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Integers, Sheet

MINUTE = 60_000_000


class FundingRows(RowCheck):
    """A settlement is named by its minute: sources stamp the same one some milliseconds apart."""

    name: ClassVar[str] = "funding"
    contract: ClassVar[type[Contract]] = Funding
    made: ClassVar[tuple[str, ...]] = ("event_id",)
    optional: ClassVar[tuple[str, ...]] = ("mark_price",)

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without a rate."""
        sheet.set_aside(np.isnan(sheet.numbers["rate"]), "missing rate")

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Symbol and minute."""
        return [sheet.codes, microseconds(sheet.ts) // MINUTE]

    def judge(self, sheet: Sheet) -> None:
        """Set aside what is no fraction of notional, and impossible marks."""
        rate, mark = sheet.numbers["rate"], sheet.numbers["mark_price"]
        wild = np.abs(rate) > MAX_RATE
        if wild.any():
            sheet.refuse_share(
                wild,
                f"have a rate beyond {MAX_RATE:.0%} of notional",
                "Rates are fractions (0.0001 is 1 bp): correct the unit of the column rate",
            )
        sheet.set_aside(wild, f"rate beyond {MAX_RATE:.0%} of notional", rate)
        sheet.set_aside(mark <= 0, "mark price not above zero", mark)

    def made_columns(self, sheet: Sheet) -> dict[str, pd.Series]:
        """`funding-<minute>Z`."""
        codes, minutes = pd.factorize(sheet.ts.astype("datetime64[m]"))
        text = np.char.add(np.char.add("funding-", np.datetime_as_string(minutes, unit="m")), "Z")
        return {"event_id": pd.Series(pd.Index(text, dtype="str").take(codes))}
