"""Frames of doubts: what the notes of a sheet become, and the rows that nobody could date."""

import numpy as np
import pandas as pd

from quant_assets.contracts.doubts import Doubts
from quant_assets.quant.market.bars import Positions, to_column
from quant_assets.quant.market.row_checks.sheet import UNDATED, Note, Sheet

MAX_TEXT = 200
UNREADABLE_TIME = "time cannot be read"


def doubts_of(dataset: str, sheet: Sheet) -> pd.DataFrame:
    """All notes as a frame of the contract `Doubts`; rows of one line and reason are one doubt."""
    if not sheet.notes:
        return Doubts.empty()
    rows = np.concatenate([note.rows for note in sheet.notes])
    frame = pd.DataFrame(
        {
            "ts": to_column(sheet.ts[rows]),
            "available_at": to_column(sheet.available_at[rows]),
            **_told(dataset, sheet, sheet.notes),
        }
    )
    key = Doubts.key_columns()
    return frame.sort_values(key, kind="stable").drop_duplicates(key).reset_index(drop=True)


def undated_of(dataset: str, sheet: Sheet) -> pd.DataFrame:
    """The rows without a time: the columns of `Doubts` but `ts` and `available_at`."""
    rows = np.flatnonzero(sheet.state == UNDATED)
    note = Note(rows, "quarantined", UNREADABLE_TIME, np.full(len(rows), np.nan))
    return pd.DataFrame(_told(dataset, sheet, [note]))


def _told(dataset: str, sheet: Sheet, notes: list[Note]) -> dict[str, object]:
    """All columns but the times."""
    rows = np.concatenate([note.rows for note in notes])
    codes, counts = sheet.codes[rows], [len(note.rows) for note in notes]
    named = np.append(np.asarray(sheet.symbols, dtype=object), "")  # the last: code -1
    return {
        "dataset": _word(dataset, len(rows)),
        "symbol": pd.Series(named[codes], dtype="str"),
        "outcome": pd.Series(np.repeat([n.outcome for n in notes], counts), dtype="str"),
        "reason": pd.Series(np.repeat([n.reason for n in notes], counts), dtype="str"),
        "value": np.concatenate([note.values for note in notes]),
        "file": _word(sheet.rules.file, len(rows)),
        "line": sheet.raw["line"].to_numpy(dtype=np.int64)[rows],
        "text": pd.Series(_texts(sheet, rows), dtype="str"),
    }


def _texts(sheet: Sheet, rows: Positions) -> list[str]:
    """Each row as `name=value` pairs, as it was delivered."""
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


def _word(text: str, n_rows: int) -> pd.Series:
    return pd.Series([text] * n_rows, dtype="str")
