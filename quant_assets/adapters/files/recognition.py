"""Which layout a file has: the registry is asked, and an unknown file is refused with a diff."""

import csv
from difflib import SequenceMatcher

from quant_assets.adapters.files.feather_schema import feather_columns
from quant_assets.adapters.layouts.base import FileLayout, SourceFile, layouts
from quant_assets.adapters.tabular.parquet_rows import column_names, is_parquet
from quant_assets.core.errors import DataError

SURE = 0.5
SHOWN = 160
_DELIMITERS = ",;\t|"


def recognise(file: SourceFile) -> FileLayout:
    """Find the layout that is surest about the content of `file`.

    Raises `DataError` when none is sure, with the differences to the nearest one, and when two are
    equally sure.
    """
    known = layouts()
    scores = {name: layout.recognise(file) for name, layout in known.items()}
    best = max(scores.values(), default=0.0)
    if best < SURE:
        raise DataError(_unknown(file, known))
    surest = [name for name, score in scores.items() if score == best]
    if len(surest) > 1:
        raise DataError(
            f"{file.name}: could be {' or '.join(surest)}: its columns fit each of them. Name the "
            "columns as only one of them does."
        )
    return known[surest[0]]


def first_line(file: SourceFile) -> str:
    """The first line of the file as text, shortened, with what cannot be printed escaped."""
    line = file.head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0][:SHOWN]
    return line.decode("utf-8", errors="backslashreplace").strip()


def _unknown(file: SourceFile, known: dict[str, FileLayout]) -> str:
    found = feather_columns(file)
    if is_parquet(file):  # a damaged one is refused as such
        found = column_names(file)
    if found:
        text = f"{file.name}: no known layout. Its columns are {', '.join(found)}."
    else:
        line = first_line(file)
        found = _columns(line)
        text = f"{file.name}: no known layout. Its first line is {line!r}."
    nearest = max(known.values(), key=lambda layout: _likeness(found, layout), default=None)
    if nearest is None:
        return text
    if _likeness(found, nearest) > 0:
        missing = [column for column in nearest.columns() if column not in found]
        added = [column for column in found if column not in nearest.columns()]
        text += f" Nearest is {nearest.name}: {nearest.expects}."
        if missing:
            text += f" Missing: {', '.join(missing)}."
        if added:
            text += f" Not expected: {', '.join(added)}."
    return (
        f"{text} Known layouts: {', '.join(known)}. Bring the file into one of them, or add a "
        "layout as one file."
    )


def _columns(line: str) -> list[str]:
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a carriage return inside the line: no delimited text
        return []
    return [cell.strip() for cell in cells]


def _likeness(found: list[str], layout: FileLayout) -> float:
    """Share of columns in common, and failing that of similar letters; 0 where none is alike."""
    columns = layout.columns()
    if not columns or not found:
        return 0.0
    exact = 2.0 * len(set(columns) & set(found)) / (len(columns) + len(found))
    letters = SequenceMatcher(None, ",".join(columns).lower(), ",".join(found).lower()).ratio()
    return exact + (letters if letters > SURE else 0.0)
