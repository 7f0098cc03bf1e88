"""Rows that come twice, contradict each other, or stand in the wrong order."""

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.bars import Instants, instants, microseconds
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.sheet import Bools, Integers, Sheet, increasing, pack

VINTAGE = "collected_at"


def check_order(sheet: Sheet) -> None:
    """Note where time runs the wrong way: one doubt that counts the places.

    Files are written oldest or newest first, over all symbols or one symbol after the other: the
    order with the fewest breaks is taken for the file's own. Where rows tell when they were
    collected, that is the time that counts. Raises `DataError` when these are more
    than the allowed share of the rows: such a file is not what it seems.
    """
    rows = np.flatnonzero(sheet.kept)
    moments = _delivered(sheet)
    step = np.diff(moments[rows])
    if bool((step >= np.timedelta64(0)).all()):
        return
    by_symbol = rows[np.argsort(sheet.codes[rows], kind="stable")]
    same = np.diff(sheet.codes[by_symbol]) == 0
    own_step = np.where(same, np.diff(moments[by_symbol]), np.timedelta64(0))
    orders = [(rows, step), (by_symbol, own_step)]
    breaks = [
        order[1:][wrong]
        for order, steps in orders
        for wrong in (steps < np.timedelta64(0), steps > np.timedelta64(0))
    ]
    broken = min(breaks, key=len)
    if len(broken) == 0:
        return
    first, n_rows = int(broken.min()), len(rows)
    if len(broken) > sheet.rules.allowed(n_rows):
        raise DataError(
            f"{sheet.place(first)}: {len(broken):,} of {n_rows:,} rows are out of order, this one "
            f"first; up to {sheet.rules.max_share:.0%} are sorted. Sort the file by time, or find "
            "out why it is not"
        )
    mask, count = np.zeros(len(sheet.ts), dtype=bool), np.full(len(sheet.ts), float(len(broken)))
    mask[first] = True
    sheet.remark(mask, "repaired", "out of order", count)


def _delivered(sheet: Sheet) -> Instants:
    """The times by which a file is written: those of its vintages, else of its rows."""
    if VINTAGE not in sheet.raw.columns:
        return sheet.ts
    collected = instants(sheet.raw[VINTAGE])
    return np.where(np.isnat(collected), sheet.ts, collected)


def settle_repeats(sheet: Sheet, check: RowCheck) -> None:
    """Leave at most one row of each identity.

    Equal rows: the first stays. Unequal ones are all set aside, because nobody knows which is
    true, unless `collected_at` tells their vintages: then the newest stays.
    """
    rows = np.flatnonzero(sheet.kept)
    if len(rows) < 2:
        return
    keys = [key[rows] for key in check.identity(sheet)]
    if increasing(keys[0]):
        return
    names = pack(keys)
    if increasing(names):
        return
    order = np.argsort(names, kind="stable")
    same = names[order][1:] == names[order][:-1]
    if not same.any():
        return
    repeated = np.r_[same, False] | np.r_[False, same]
    rows, names = rows[order][repeated], names[order][repeated]
    _settle(sheet, rows, names, [*check.numbers(), *check.others()])


def _settle(sheet: Sheet, rows: Integers, names: Integers, columns: list[str]) -> None:
    """Decide about `rows`, sorted by their `names`, each of which comes at least twice."""
    vintage = _vintages(sheet, rows)
    order = np.lexsort((-vintage, names))  # newest first; stable: then as delivered
    rows, names, vintage = rows[order], names[order], vintage[order]
    begins = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    group = np.cumsum(np.r_[0, names[1:] != names[:-1]])
    newest = begins[group]
    old = vintage < vintage[newest]
    equal = _equal(sheet, rows, rows[newest], columns)
    contradicted = np.logical_or.reduceat(~equal & ~old, begins)[group]
    first = np.arange(len(rows)) == newest
    sheet.drop(_mask(sheet, rows[equal & (old | ~contradicted) & ~first]), "duplicate")
    sheet.drop(_mask(sheet, rows[old & ~equal]), "revised")
    sheet.set_aside(_mask(sheet, rows[contradicted & ~old]), "same time, other values")


def _vintages(sheet: Sheet, rows: Integers) -> Integers:
    if VINTAGE not in sheet.raw.columns:
        return np.zeros(len(rows), dtype=np.int64)
    collected = instants(sheet.raw[VINTAGE])[rows]
    return np.where(np.isnat(collected), 0, microseconds(collected))


def _equal(sheet: Sheet, rows: Integers, others: Integers, columns: list[str]) -> Bools:
    """Whether each row has the same values as its other one; missing equals missing."""
    equal = np.ones(len(rows), dtype=bool)
    for name in columns:
        if name in sheet.numbers:
            values = sheet.numbers[name]
            left, right = values[rows], values[others]
            equal &= (left == right) | (np.isnan(left) & np.isnan(right))
        else:
            codes = pd.factorize(sheet.others[name])[0]
            equal &= codes[rows] == codes[others]
    return equal


def _mask(sheet: Sheet, rows: Integers) -> Bools:
    mask = np.zeros(len(sheet.ts), dtype=bool)
    mask[rows] = True
    return mask
