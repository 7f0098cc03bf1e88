"""Times written as text or digits in delimited files."""

import numpy as np
import pandas as pd

from quant_assets.adapters.files.csv_rows import Rows
from quant_assets.adapters.files.stamps import NOT_A_TIME, Instants, Mask, Unit
from quant_assets.adapters.tabular.local_time import dates_to_utc, to_utc
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

WANTED = "a time like 2024-01-31T08:00:00Z or a date like 2024-01-31"
_UNITS: dict[str, Unit] = {"_s": "s", "_ms": "ms", "_us": "us", "_ns": "ns"}
_CLOCK = r"[T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)?"
_OFFSET = r" ?(Z|UTC|[+-]\d{2}:?\d{2})"
_DATE = r"\d{4}-\d{2}-\d{2}"
DATE_FORM = rf"({_DATE}|\d{{8}}$)"  # what a cell with a date begins with


def text_moments(rows: Rows, column: str, venue: Venue) -> Instants:
    """UTC instants of a column; lines whose cell is no time are set aside.

    ISO 8601 dates and times with or without an offset (see `local_time`), `20240131`, and integers
    in a column whose name says their unit (`timestamp_ms`). Other orders of day, month and year are
    not guessed.
    """
    unit = unit_of(column)
    if unit is not None:
        return rows.stamps(column, unit)
    words = rows.words(column).str.strip()
    days, hours, exact = (
        _match(words, form)
        for form in (f"({_DATE}|\\d{{8}})", _DATE + _CLOCK, _DATE + _CLOCK + _OFFSET)
    )
    if says_utc(column):
        exact, hours = exact | hours, np.zeros_like(hours)
    stamps = np.full(len(words), NOT_A_TIME)
    for mask in (days, hours | exact):
        stamps[mask] = _parsed(words[mask].str.replace(" UTC", "Z", regex=False))
    wrong = np.isnat(stamps)
    _refuse_if_none(rows, column, words, wrong)
    rows.set_aside(wrong, f"{column} is not {WANTED}")
    where = f"{rows.reading.file}: column {column}"
    stamps[days & ~wrong] = dates_to_utc(
        stamps[days & ~wrong], venue, line=rows.line[days & ~wrong], where=where
    )
    naive = hours & ~wrong
    stamps[naive] = to_utc(stamps[naive], venue, line=rows.line[naive], where=where)
    return stamps


def unit_of(column: str) -> Unit | None:
    """Unit of the integers in a column, when its name says so."""
    _, mark, tail = column.lower().rpartition("_")
    return _UNITS.get(mark + tail)


def says_utc(column: str) -> bool:
    """True when the name of a column says that its times are UTC."""
    return column.lower().endswith("_utc")


def _match(words: pd.Series, form: str) -> Mask:
    return np.asarray(words.str.fullmatch(form), dtype=bool)


def _parsed(words: pd.Series) -> Instants:
    """UTC, the digits as they stand where there is no offset; NaT where no such day exists."""
    if not len(words):
        return np.empty(0, dtype="datetime64[us]")
    found = pd.to_datetime(words, format="ISO8601", utc=True, errors="coerce")
    return np.asarray(found.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))


def _refuse_if_none(rows: Rows, column: str, words: pd.Series, wrong: Mask) -> None:
    """Refuse a file of which no cell is a time; later batches have only single bad lines."""
    readable, key = rows.reading.readable, f"{column}: {WANTED}"
    if not wrong.all():
        readable.add(key)
    elif len(words) and key not in readable:
        raise DataError(
            f"{rows.reading.file}: column {column}: not one cell is {WANTED}; line "
            f"{int(rows.line[0])} has {words.iloc[0][:40]!r}. Write times so, or integers in a "
            "column whose name says their unit, as timestamp_ms"
        )
