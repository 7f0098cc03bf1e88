"""Rows of depth bands: one row a band; wider ones hold the narrower."""

from typing import ClassVar

import numpy as np

from quant_assets.contracts.base import Contract
from quant_assets.contracts.depth_bands import DepthBands
from quant_assets.quant.market.bars import microseconds
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Bools, Integers, Sheet, pack

MILLIONTH = 1e6  # bands are told apart by a millionth of a percent


class DepthBandRows(RowCheck):
    """A sum is known at its instant; a row is named by time, symbol and band."""

    name: ClassVar[str] = "depth_bands"
    contract: ClassVar[type[Contract]] = DepthBands

    def set_aside_missing(self, sheet: Sheet) -> None:
        """A row without a band or one of its sums."""
        for name, values in sheet.numbers.items():
            sheet.set_aside(np.isnan(values), f"missing {name}")

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Snapshot and band."""
        return [*super().identity(sheet), _bands(sheet)]

    def sort_keys(self, sheet: Sheet) -> list[Integers]:
        """See the base class; then from the farthest bids to the farthest asks."""
        return [*super().sort_keys(sheet), _bands(sheet)]

    def judge(self, sheet: Sheet) -> None:
        """A band of nothing, beyond all prices or with less than nothing; sums that shrink."""
        band = sheet.numbers["band_pct"]
        sheet.set_aside(band == 0, "band of no width")
        sheet.set_aside(np.abs(band) > 100, "band beyond 100 percent", band)
        for name in ("depth", "notional"):
            sheet.set_aside(sheet.numbers[name] < 0, f"negative {name}", sheet.numbers[name])
        if sheet.kept.any():
            sheet.remark(_shrinking(sheet), "flagged", "less depth than in a narrower band")


def _bands(sheet: Sheet) -> Integers:
    band = np.nan_to_num(sheet.numbers["band_pct"]).clip(-1e6, 1e6)
    return np.asarray(np.rint(band * MILLIONTH), dtype=np.int64)


def _shrinking(sheet: Sheet) -> Bools:
    """Rows with less depth than the next narrower band of their snapshot and side."""
    rows = np.flatnonzero(sheet.kept)
    band, depth = sheet.numbers["band_pct"][rows], sheet.numbers["depth"][rows]
    sides = (band > 0).astype(np.int64)
    side = pack([microseconds(sheet.ts[rows]), sheet.codes[rows], sides])
    order = np.lexsort((np.abs(band), side))
    same = np.r_[False, side[order][1:] == side[order][:-1]]
    less = same & (depth[order] < np.r_[np.nan, depth[order][:-1]])
    mask = np.zeros(len(sheet.ts), dtype=bool)
    mask[rows[order[less]]] = True
    return mask
