"""Frames of doubts: what the notes of a sheet become, and the rows that nobody could date."""

import numpy as np
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.quant.market.bars import Positions, microseconds, to_column
from quant_assets.quant.market.row_checks.sheet import UNDATED, Note, Sheet, pack

MAX_TEXT = 200
UNREADABLE_TIME = "time cannot be read"


def doubts_of(dataset: str, sheet: Sheet) -> pd.DataFrame:
    """All notes as a frame of the contract `Doubts`; rows of one line and reason are one doubt."""
    if not sheet.notes:
        return Doubts.empty()
    rows, told = _told(dataset, sheet, sheet.notes)
    return pd.DataFrame(
        {
            "ts": to_column(sheet.ts[rows]),
            "available_at": to_column(sheet.available_at[rows]),
            **told,
        }
    )


def undated_of(dataset: str, sheet: Sheet) -> pd.DataFrame:
    """The rows without a time: the columns of `Doubts` but `ts` and `available_at`."""
    rows = np.flatnonzero(sheet.state == UNDATED)
    note = Note(rows, "quarantined", UNREADABLE_TIME, np.full(len(rows), np.nan))
    return pd.DataFrame(_told(dataset, sheet, [note])[1])


def _told(
    dataset: str, sheet: Sheet, notes: list[Note]
) -> tuple[Positions, dict[str, pd.Series | np.ndarray]]:
    """Rows of all notes in the order of their doubts, and all columns of these but the times."""
    counts = [len(note.rows) for note in notes]
    rows = np.concatenate([note.rows for note in notes])
    reasons, codes = np.unique([note.reason for note in notes], return_inverse=True)
    reason, of_note = np.repeat(codes, counts), np.repeat(np.arange(len(notes)), counts)
    lines = sheet.raw["line"].to_numpy(dtype=np.int64)
    order = _order(sheet, rows, reason, lines)
    rows, reason, of_note = rows[order], reason[order], of_note[order]
    values = np.concatenate([note.values for note in notes])[order]
    symbols = np.append(np.asarray(sheet.symbols, dtype=object), "")  # the last: code -1
    outcomes = np.array([note.outcome for note in notes], dtype=object)
    return rows, {
        "dataset": _words(np.array([dataset]), np.zeros(len(rows), dtype=np.intp)),
        "symbol": _words(symbols, sheet.codes[rows]),
        "outcome": _words(outcomes, of_note),
        "reason": _words(reasons, reason),
        "value": values,
        "file": _words(np.array([sheet.rules.file]), np.zeros(len(rows), dtype=np.intp)),
        "line": lines[rows],
        "text": pd.Series(_texts(sheet, rows), dtype="str"),
    }


def _order(sheet: Sheet, rows: Positions, reason: Positions, lines: Positions) -> Positions:
    """Places in the order of the key of `Doubts`, each key once: that which was noted first."""
    if len(rows) == 0:
        return rows
    ts = microseconds(sheet.ts[rows])
    key = pack([ts, sheet.codes[rows], reason.astype(np.int64), lines[rows]])
    order = np.argsort(key, kind="stable")
    return order[np.r_[True, np.diff(key[order]) != 0]]


def _words(vocabulary: np.ndarray, codes: Positions) -> pd.Series:
    known = pd.Index(vocabulary, dtype="str")
    return pd.Series(known.take(np.where(codes < 0, len(known) - 1, codes)))


def _texts(sheet: Sheet, rows: Positions) -> list[str]:
    """Each row as `name=value` pairs, as it was delivered."""
    if len(rows) == 0:
        return []
    part = sheet.raw.iloc[rows]
    columns = []
    for name in part.columns.drop("line"):
        column = part[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            shown = np.datetime_as_string(column.to_numpy(dtype="datetime64[us]"), timezone="UTC")
        else:
            shown = column.to_numpy()
        columns.append([f"{name}={value}" for value in shown.tolist()])
    return [" ".join(pairs)[:MAX_TEXT] for pairs in zip(*columns, strict=True)]
