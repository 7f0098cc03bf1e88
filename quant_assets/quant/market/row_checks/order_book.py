"""Rows of order books: one row a level; a snapshot is believed as a whole or not at all."""

from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.contracts.order_book import OrderBook
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import (
    QUARANTINED,
    Bools,
    Integers,
    Sheet,
    pack,
)

SIDES = ("bid", "ask")


class OrderBookRows(RowCheck):
    """A book whose one level is impossible may have another best price: all of it is set aside."""

    name: ClassVar[str] = "order_book"
    contract: ClassVar[type[Contract]] = OrderBook
    made: ClassVar[tuple[str, ...]] = ("is_crossed",)

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A level that is no number, or has neither side: nobody quoted there."""
        level = sheet.numbers["level"]
        sheet.set_aside(~((level >= 0) & (level == np.floor(level))), "level is no whole number")
        bid, ask = (sheet.numbers[f"{side}_price"] for side in SIDES)
        sheet.drop(np.isnan(bid) & np.isnan(ask), "empty level")

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Snapshot and level."""
        return [*super().identity(sheet), _levels(sheet)]

    def sort_keys(self, sheet: Sheet) -> list[Integers]:
        """See the base class; then by level."""
        return [*super().sort_keys(sheet), _levels(sheet)]

    def judge(self, sheet: Sheet) -> None:
        """See the base class."""
        for side in SIDES:
            price, quantity = (sheet.numbers[f"{side}_{n}"] for n in ("price", "quantity"))
            sheet.set_aside(price <= 0, f"{side} price not above zero", price)
            sheet.set_aside(quantity < 0, f"negative {side} quantity", quantity)
        if not sheet.kept.any():
            return
        snapshot = _snapshots(sheet)
        _set_aside_disorder(sheet, snapshot)
        spoilt = np.zeros(int(snapshot.max()) + 1, dtype=bool)
        spoilt[snapshot[sheet.state == QUARANTINED]] = True
        sheet.set_aside(spoilt[snapshot], "another level of the snapshot is wrong")

    def made_columns(self, sheet: Sheet) -> dict[str, pd.Series]:
        """Every row of a snapshot whose best bid reaches its best ask."""
        snapshot = _snapshots(sheet)
        crossed = np.zeros(int(snapshot.max()) + 1, dtype=bool)
        crossed[snapshot[(_excess(sheet) >= 0) & sheet.kept]] = True
        return {"is_crossed": pd.Series(crossed[snapshot])}


def _levels(sheet: Sheet) -> Integers:
    level = np.nan_to_num(sheet.numbers["level"], nan=-1.0).clip(-1, 2**31)
    return np.asarray(level, dtype=np.int64)


def _snapshots(sheet: Sheet) -> Integers:
    """Number of each row's snapshot, from 0."""
    packed = pack([microseconds(sheet.ts), sheet.codes])
    return np.asarray(np.unique(packed, return_inverse=True)[1], dtype=np.int64)


def _excess(sheet: Sheet) -> Floats:
    """How far the best bid stands above the best ask, on the rows of level 0, NaN elsewhere."""
    bid, ask = (sheet.numbers[f"{side}_price"] for side in SIDES)
    return np.where(sheet.numbers["level"] == 0, bid - ask, np.nan)


def _set_aside_disorder(sheet: Sheet, snapshot: Integers) -> None:
    """Levels count 0, 1, 2 ... and lead away from the middle."""
    rows = np.flatnonzero(sheet.kept)
    level = _levels(sheet)
    rows = rows[np.lexsort((level[rows], snapshot[rows]))]
    same = np.r_[False, snapshot[rows][1:] == snapshot[rows][:-1]]
    wrong: Bools = level[rows] != np.where(same, np.r_[-1, level[rows][:-1]] + 1, 0)
    for side, sign in zip(SIDES, (-1.0, 1.0), strict=True):
        price = sign * sheet.numbers[f"{side}_price"][rows]
        wrong |= same & (price <= np.r_[np.nan, price[:-1]])
    mask = np.zeros(len(sheet.ts), dtype=bool)
    mask[rows[wrong]] = True
    sheet.set_aside(mask, "levels out of order")
