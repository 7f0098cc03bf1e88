"""The door: raw rows in, rows of the dataset's contract and every doubt out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.core.registry import get
from quant_assets.quant.market.bars import to_column
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.doubts import doubts_of, undated_of
from quant_assets.quant.market.row_checks.raw_columns import complete
from quant_assets.quant.market.row_checks.repeats import check_order, settle_repeats
from quant_assets.quant.market.row_checks.rules import RowRules
from quant_assets.quant.market.row_checks.sheet import (
    DROPPED,
    QUARANTINED,
    UNDATED,
    Integers,
    Sheet,
    increasing,
    pack,
)
from quant_assets.quant.market.row_checks.times import check_times

PACKAGE = "quant_assets.quant.market.row_checks"


@dataclass(frozen=True, eq=False)
class Checked:
    """What became of a delivery's rows.

    frame : rows to store, of the dataset's contract.
    doubts : of the contract `Doubts`.
    undated : rows whose time could not be read: the columns of `Doubts` but
        `ts` and `available_at`.
    counts : rows = stored + quarantined + dropped + undated; dropped rows repeat a stored one;
        repaired and flagged count doubts (a dropped row is one of the repaired).
    """

    frame: pd.DataFrame
    doubts: pd.DataFrame
    undated: pd.DataFrame
    counts: Mapping[str, int]


def check_rows(dataset: str, raw_frame: pd.DataFrame, rules: RowRules) -> Checked:
    """Judge the rows of one delivery.

    raw_frame : typed columns as a layout reads them: those of the dataset's contract, without the
        ones that are made here, and `line`; bars may have `closes_at` and `collected_at`, too.

    Raises `DataError` that names file, line, column and remedy when the delivery as a whole is not
    what it should be; a doubt about single rows never stops the others.
    """
    check = get(PACKAGE, RowCheck, dataset)()
    raw = complete(raw_frame, type(check), rules)
    sheet = Sheet(raw, rules, check.numbers(), check.others())
    sheet.undate(np.isnat(sheet.ts))
    sheet.available_at = check.known_at(sheet)
    sheet.set_aside(sheet.codes < 0, "no symbol")
    check_times(sheet, inside_history=check.inside_history)
    _unsign_zeros(sheet)
    check.set_aside_missing(sheet)
    settle_repeats(sheet, check)
    check_order(sheet)  # rows that came twice are not out of order
    _set_aside_infinite(sheet)
    check.judge(sheet)
    frame, doubts = _stored(sheet, check), doubts_of(dataset, sheet)
    return Checked(frame, doubts, undated_of(dataset, sheet), _counts(sheet, frame))


def _unsign_zeros(sheet: Sheet) -> None:
    """Turn -0.0, which equals 0.0 and prints otherwise, into 0.0."""
    for name, values in sheet.numbers.items():
        signed = np.signbit(values)
        if not signed.any():
            continue
        signed &= values == 0.0
        if signed.any():
            sheet.numbers[name] = values + 0.0
            sheet.remark(signed, "repaired", "negative zero")


def _set_aside_infinite(sheet: Sheet) -> None:
    for values in sheet.numbers.values():
        infinite = np.isinf(values)
        if infinite.any():
            sheet.set_aside(infinite, "infinite value")


def _stored(sheet: Sheet, check: RowCheck) -> pd.DataFrame:
    kept = np.flatnonzero(sheet.kept)
    if len(kept) == 0:
        return check.contract.empty()
    rows = _places(sheet, _sorted(kept, check.sort_keys(sheet)))
    made = check.made_columns(sheet)
    columns: dict[str, object] = {}
    for name, column in check.contract.to_schema().columns.items():
        if name in ("ts", "available_at"):
            columns[name] = to_column(getattr(sheet, name)[rows])
        elif name == "symbol":
            columns[name] = _symbols(sheet, rows)
        elif name in made:
            columns[name] = made[name].iloc[rows].reset_index(drop=True)
        elif name in sheet.numbers:
            columns[name] = sheet.numbers[name][rows].astype(column.dtype.type, copy=False)
        else:
            told = sheet.others[name].iloc[rows].reset_index(drop=True)
            columns[name] = told.astype(column.dtype.type)
    return pd.DataFrame(columns)


def _places(sheet: Sheet, rows: Integers) -> Integers | slice:
    """`rows`, or a slice when they are all rows as they stand: nothing has to be picked then."""
    whole = len(rows) == len(sheet.ts) and increasing(rows)
    return slice(None) if whole else rows


def _symbols(sheet: Sheet, rows: Integers | slice) -> pd.Series:
    told = sheet.raw["symbol"]
    if isinstance(rows, slice) and told.dtype == "str":
        return told.reset_index(drop=True)
    return pd.Series(sheet.symbols.take(sheet.codes[rows]), dtype="str")


def _sorted(rows: Integers, keys: list[Integers]) -> Integers:
    if increasing(keys[0][rows]):
        return rows
    packed = pack([key[rows] for key in keys])
    return rows if increasing(packed) else rows[np.argsort(packed, kind="stable")]


def _counts(sheet: Sheet, frame: pd.DataFrame) -> dict[str, int]:
    states = {
        name: int(np.count_nonzero(sheet.state == state))
        for name, state in (("quarantined", QUARANTINED), ("dropped", DROPPED))
    }
    told = {
        outcome: sum(len(note.rows) for note in sheet.notes if note.outcome == outcome)
        for outcome in ("repaired", "flagged")
    }
    undated = int(np.count_nonzero(sheet.state == UNDATED))
    return {"rows": len(sheet.ts), "stored": len(frame), **states, **told, "undated": undated}
