"""The table that the page template draws: rows of text with sorting keys and style classes."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Cell:
    """One table cell: its text, the value it sorts by, a style class, a sparkline's points."""

    text: str
    sort: float | str = ""
    tone: str = ""
    spark: str = ""


@dataclass(frozen=True)
class Column:
    """Heading of a column; `hint` explains it when the pointer rests on it."""

    title: str
    numeric: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """Cells of one row; `kind` is a style class such as `focus` or `benchmark`."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows; a sortable table gets a small script, `kind` is a style class."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = ()
    sortable: bool = False
    kind: str = ""


def number(value: float, text: str) -> Cell:
    """Make a numeric cell that sorts by its full-precision value; NaN sorts last."""
    finite = math.isfinite(value)
    return Cell(text, float(value) if finite else "", "minus" if finite and value < 0 else "")


def word(text: str, tone: str = "") -> Cell:
    """Make a cell of text that sorts by itself."""
    return Cell(text, text, tone)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of `frame` as mappings from column to value."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
