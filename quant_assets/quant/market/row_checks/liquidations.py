"""Rows of liquidations: forced orders, each once, however often a reconnect repeats it."""

from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Bools, Integers, Sheet, is_positive

SIDES = ("buy", "sell")


class LiquidationRows(RowCheck):
    """A row is named by the source's id, else by time, side, price and quantity."""

    name: ClassVar[str] = "liquidations"
    contract: ClassVar[type[Contract]] = Liquidations
    made: ClassVar[tuple[str, ...]] = ("event_id",)

    @classmethod
    def columns(cls) -> list[str]:
        """The id is read, too, where there is one."""
        return [*super().columns(), "event_id"]

    @classmethod
    def others(cls) -> list[str]:
        """Side; the id names the row, it is no value of it."""
        return ["side"]

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without price or quantity."""
        price, quantity = sheet.numbers["price"], sheet.numbers["quantity"]
        sheet.set_aside(np.isnan(price), "missing price")
        sheet.set_aside(np.isnan(quantity), "missing quantity")

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Symbol and the source's id; the time only where there is no id."""
        ids, own = _event_ids(sheet)
        ticks = microseconds(sheet.ts)
        return [sheet.codes, pd.factorize(ids)[0].astype(np.int64), np.where(own, 0, ticks)]

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        unknown = ~sheet.others["side"].isin(SIDES).to_numpy(dtype=bool)
        sheet.set_aside(unknown, "unknown side")
        for name in ("price", "quantity"):
            values = sheet.numbers[name]
            sheet.set_aside(~is_positive(values), f"{name} not above zero", values)

    def sort_keys(self, sheet: Sheet) -> list[Integers]:
        """See the base class; then by id."""
        codes = pd.factorize(_event_ids(sheet)[0], sort=True)[0].astype(np.int64)
        return [*super().sort_keys(sheet), codes]

    def made_columns(self, sheet: Sheet) -> dict[str, pd.Series]:
        """The source's id, else side, price and quantity."""
        return {"event_id": _event_ids(sheet)[0]}


def _event_ids(sheet: Sheet) -> tuple[pd.Series, Bools]:
    """Id of every row, and whether it is the source's own."""
    given = sheet.raw["event_id"].astype("str").fillna("").reset_index(drop=True)
    own = (given != "").to_numpy(dtype=bool)
    if own.all():
        return given, own
    made = sheet.others["side"].reset_index(drop=True).astype("str").fillna("")
    for name in ("price", "quantity"):
        made = made + "-" + pd.Series(sheet.numbers[name]).astype("str").fillna("nan")
    return given.where(own, made), own
