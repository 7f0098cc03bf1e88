"""Delimited text in bounded batches: every cell is text until a layout says what it is.

Numbers are read strictly, with a decimal point and nothing else: a comma, a percent sign or a
space sets the line aside with its reason. A column of which not one cell can be read is no matter
of single lines: the file is refused, with a sample.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.files.limits import LIMITS, Limits
from quant_assets.adapters.files.stamps import (
    DIGITS,
    Instants,
    Unit,
    from_integers,
    from_text,
    to_column,
)
from quant_assets.adapters.layouts.base import Raw, SourceFile
from quant_assets.core.errors import DataError

BLOCK_BYTES = 8 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_MALFORMED = 100_000
TEXT_SHOWN = 200
REJECT_COLUMNS = ("line", "symbol", "reason", "text")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$"
_INTEGER = r"^[+-]?\d{1,18}$|^\d{19}$"
_NAN_NUMBERS = ("nan", "NaN", "inf", "-inf", "Infinity", "-Infinity")
Mask = npt.NDArray[np.bool_]
Malformed = tuple[int, str, str]  # line, reason, text


@dataclass
class _Reading:
    """What is remembered from batch to batch of one file."""

    file: str
    lines: int = 0
    readable: set[str] = field(default_factory=set)


@dataclass
class Rows:
    """A batch of lines: cells by column, and why a line was set aside.

    The methods that read a column set lines aside themselves; `raw` leaves these out of the frame.
    """

    reading: _Reading
    table: pa.RecordBatch
    line: npt.NDArray[np.int64]
    malformed: list[Malformed]
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.line)

    def cells(self, column: str) -> pa.Array:
        """The cells as Arrow text, empty where empty."""
        return self.table.column(column)

    def words(self, column: str) -> pd.Series:
        """The cells as text; nothing is taken for a missing value."""
        return pd.Series(self.cells(column).to_pandas(), dtype="str")

    def set_aside(self, rows: Mask, reason: str) -> None:
        """Set lines aside; a line keeps its first reason."""
        for row in np.flatnonzero(rows):
            self.reasons.setdefault(int(row), reason)

    def numbers(self, column: str, *, absent: Sequence[str] = ("",)) -> npt.NDArray[np.float64]:
        """float64, NaN where the cell is one of `absent`."""
        values = self._parsed(column, pa.float64(), absent)
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)

    def integers(self, column: str) -> npt.NDArray[np.int64]:
        """int64; 0 on lines that are set aside because the cell is empty or no whole number."""
        values = self._parsed(column, pa.int64(), ())
        return np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), dtype=np.int64)

    def stamps(self, column: str, *units: Unit) -> Instants:
        """UTC `datetime64[us]` of integers in one of `units`, told apart by their digits."""
        stamps = from_integers(self.integers(column), *units)
        wanted = " or ".join(f"{DIGITS[unit]} digits ({unit})" for unit in units)
        self._unreadable(column, np.isnat(stamps), f"a time of {wanted}")
        return stamps

    def text_stamps(self, column: str, form: str) -> Instants:
        """UTC `datetime64[us]` of texts in the `strptime` format `form`, UTC by declaration."""
        stamps = from_text(self.words(column), form)
        self._unreadable(column, np.isnat(stamps), f"a time like {form}")
        return stamps

    def raw(
        self,
        dataset: str,
        columns: Mapping[str, Any],
        *,
        notes: Sequence[str] = (),
        keep: Mask | None = None,
    ) -> Raw:
        """The batch as a raw frame: `columns` with `line`, without the lines set aside.

        Values are arrays of one item per line, or a text for all; `datetime64` becomes a UTC
        column. Lines outside `keep` are left out without being set aside.
        """
        good = np.ones(len(self), dtype=bool) if keep is None else keep.copy()
        good[list(self.reasons)] = False
        frame = pd.DataFrame({name: _column(values, good) for name, values in columns.items()})
        frame["line"] = self.line[good]
        symbol = columns.get("symbol", "")
        return Raw(dataset, frame, self.rejects(symbol), list(notes))

    def rejects(self, symbol: Any = "") -> pd.DataFrame | None:
        """The lines set aside, None when there are none; `symbol` as in `raw`."""
        fixed = symbol if isinstance(symbol, str) else ""
        found = [(line, fixed, reason, text) for line, reason, text in self.malformed]
        for row, reason in self.reasons.items():
            name = symbol if isinstance(symbol, str) else str(symbol[row])
            found.append((int(self.line[row]), name, reason, self._text(row)))
        return rejects_frame(found) if found else None

    def _text(self, row: int) -> str:
        return ",".join(str(column[row].as_py()) for column in self.table.columns)[:TEXT_SHOWN]

    def _parsed(self, column: str, dtype: pa.DataType, absent: Sequence[str]) -> pa.Array:
        cells = self.cells(column)
        empty = pc.is_in(cells, pa.array(absent, pa.string())) if absent else None
        filled = cells if empty is None else pc.if_else(empty, None, cells)
        floating = pa.types.is_floating(dtype)
        kind = "a number with a decimal point" if floating else "a whole number"
        try:
            parsed = filled.cast(dtype)
        except pa.ArrowInvalid:
            good = pc.match_substring_regex(filled, _NUMBER if floating else _INTEGER)
            if floating:
                good = pc.or_kleene(good, pc.is_in(filled, pa.array(_NAN_NUMBERS)))
            kept = pc.if_else(good, filled, None)
            with decoding(self.reading.file):
                parsed = kept.cast(dtype)
            wrong = pc.fill_null(pc.invert(good), False)
            self._unreadable(column, np.asarray(wrong.to_numpy(zero_copy_only=False)), kind)
        else:
            if parsed.null_count < len(parsed):
                self.reading.readable.add(f"{column}: {kind}")
        return parsed

    def _unreadable(self, column: str, wrong: Mask, wanted: str) -> None:
        """Set lines aside whose cell is not what was wanted; refuse a column that never is."""
        key = f"{column}: {wanted}"
        if not wrong.all():
            self.reading.readable.add(key)
        fresh = [int(row) for row in np.flatnonzero(wrong) if int(row) not in self.reasons]
        if not fresh:
            return
        if wrong.all() and key not in self.reading.readable:
            sample = self.cells(column)[fresh[0]].as_py()
            raise DataError(
                f"{self.reading.file}: column {column}: not one cell is {wanted}; line "
                f"{int(self.line[fresh[0]])} has {sample!r}. Write numbers like 1234.5 without "
                "thousands separators, signs of percent or spaces, and times as the layout says."
            )
        for row in fresh:
            cell = self.cells(column)[row].as_py()
            self.reasons[row] = f"{column} is not {wanted}: {cell[:40]!r}"


def _column(values: Any, good: Mask) -> Any:
    if isinstance(values, str):
        return pd.Series([values] * int(good.sum()), dtype="str")
    if isinstance(values, pd.Series):
        return values[good].reset_index(drop=True)
    if np.issubdtype(values.dtype, np.datetime64):
        return to_column(values[good])
    return values[good]


def rejects_frame(found: Sequence[tuple[int, str, str, str]]) -> pd.DataFrame:
    """Lines (line, symbol, reason, text) that could not be read, as `Raw.rejects` wants them."""
    lines, *texts = zip(*sorted(found), strict=True) if found else ((), (), (), ())
    frame = pd.DataFrame({"line": pd.Series(lines, dtype="int64")})
    for name, values in zip(REJECT_COLUMNS[1:], texts, strict=True):
        frame[name] = pd.Series(values, dtype="str")
    return frame


def header(file: SourceFile, *, delimiter: str = ",") -> tuple[str, ...]:
    """The cells of the first line, trimmed; empty when the file is no UTF-8 text."""
    cells = first_rows(file, 1, delimiter=delimiter)
    return tuple(cell.strip() for cell in cells[0]) if cells else ()


def first_rows(file: SourceFile, count: int, *, delimiter: str = ",") -> list[list[str]]:
    """The cells of the first `count` lines, as far as they are whole in the file's head."""
    head = file.head.removeprefix(b"\xef\xbb\xbf")
    lines = head.split(b"\n", count)[:count]
    if any(b"\x00" in line for line in lines):
        return []
    try:
        texts = [line.decode("utf-8").removesuffix("\r") for line in lines]
        return [next(csv.reader([text], delimiter=delimiter), []) for text in texts if text]
    except (UnicodeDecodeError, csv.Error):
        return []


def column_notes(
    file: SourceFile, *, required: Sequence[str], optional: Sequence[str] = (), delimiter: str = ","
) -> list[str]:
    """One note per column that nobody expected.

    Raises `DataError` with the differences when a required one is missing or a name stands twice.
    """
    found = header(file, delimiter=delimiter)
    missing = [column for column in required if column not in found]
    added = [column for column in found if column not in {*required, *optional}]
    if missing:
        raise DataError(
            f"{file.name}: its columns changed: missing {', '.join(missing)}; "
            f"not expected {', '.join(added) or 'none'}. Found: {', '.join(found)}."
        )
    twice = sorted({column for column in found if found.count(column) > 1})
    if twice:
        raise DataError(f"{file.name}: column {', '.join(twice)} stands twice in its first line.")
    return [f"column {column} is new and was not read" for column in added]


def csv_rows(
    file: SourceFile,
    *,
    columns: Sequence[str] | None = None,
    delimiter: str = ",",
    limits: Limits = LIMITS,
    stream: IO[bytes] | None = None,
) -> Iterator[Rows]:
    """Read a delimited text in batches of some megabytes, of a few million lines at most.

    `columns` are the names of a file without a first line of names; None: its first line has them.
    `stream` is read instead of the file, for a layout that rewrites it on the way. Blank lines are
    passed over; lines with another number of cells are set aside. Raises `DataError` for a file
    without a line of data, or that is not UTF-8 text.
    """
    names = tuple(columns) if columns is not None else header(file, delimiter=delimiter)
    if not names:
        raise DataError(f"{file.name}: no UTF-8 text with names of columns in its first line.")
    if len(names) > limits.columns:
        raise DataError(f"{file.name}: {len(names)} columns, the limit is {limits.columns}.")
    reading = _Reading(file.name)
    rows = malformed = 0
    first = ""
    with file.open() if stream is None else stream as source:
        for block in _blocks(source, file.name):
            batch, line, wrong = _parsed_block(block, names, delimiter, reading)
            batch, line = _filled(batch, line, skip_first=columns is None)
            rows += len(line)
            malformed += len(wrong)
            if wrong and not first:
                first = "; line {} has {}: {!r}".format(*wrong[0])
            if rows > limits.rows or malformed > MAX_MALFORMED:
                raise DataError(_too_many(file, rows, malformed, first))
            if len(line) or wrong:
                yield Rows(reading, batch, line, wrong)
    if rows == 0:
        raise DataError(_nothing(file, names, first))


def _blocks(source: IO[bytes], name: str) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time; the last one may lack its end."""
    rest = b""
    while chunk := source.read(BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut == 0 and len(rest) + len(chunk) > MAX_LINE_BYTES:
            raise DataError(
                f"{name}: a line of more than {MAX_LINE_BYTES:,} bytes. Is it another format?"
            )
        if cut:
            yield rest + chunk[:cut]
            rest = b""
        rest += chunk[cut:]
    if rest:
        yield rest


def _parsed_block(
    block: bytes, names: tuple[str, ...], delimiter: str, reading: _Reading
) -> tuple[pa.RecordBatch, npt.NDArray[np.int64], list[Malformed]]:
    """Cells of a block, the line of each row, and the lines with another number of cells."""
    found: list[Malformed] = []

    def malformed(row: pacsv.InvalidRow) -> str:
        reason = f"{row.actual_columns} cells instead of {row.expected_columns}"
        found.append((reading.lines + row.number, reason, row.text[:TEXT_SHOWN]))
        return "skip"

    _check_text(block, reading)
    with decoding(reading.file):
        table = pacsv.read_csv(
            pa.BufferReader(block),
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=list(names)
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=malformed, ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        batches = table.combine_chunks().to_batches()
    batch = batches[0] if batches else _no_rows(names)
    line = _lines(reading.lines + 1, len(batch), [number for number, _, _ in found])
    reading.lines += len(batch) + len(found)
    return batch, line, [item for item in found if item[2].strip()]


def _check_text(block: bytes, reading: _Reading) -> None:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as cause:
        line = reading.lines + block.count(b"\n", 0, cause.start) + 1
        raise DataError(
            f"{reading.file}: no UTF-8 text, line {line} has the byte {block[cause.start]:#04x}. "
            "Save it as UTF-8, or fetch it again."
        ) from cause


def _lines(first: int, count: int, skipped: list[int]) -> npt.NDArray[np.int64]:
    """Line numbers of `count` whole rows from line `first` on, between the lines skipped.

    A whole row stands as many lines further down as lines were skipped before it.
    """
    whole = np.arange(first, first + count)
    before = np.array(skipped, dtype=np.int64) - np.arange(len(skipped))
    return np.asarray(whole + np.searchsorted(before, whole, side="right"), dtype=np.int64)


def _filled(
    batch: pa.RecordBatch, line: npt.NDArray[np.int64], *, skip_first: bool
) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """Without blank lines, and without the line of names."""
    blank = np.ones(len(batch), dtype=bool)
    for column in batch.columns:
        if not blank.any():
            break
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
    keep = ~blank
    if skip_first:
        keep &= line > 1
    return (batch, line) if keep.all() else (batch.filter(pa.array(keep)), line[keep])


def _no_rows(names: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({name: pa.array([], pa.string()) for name in names})


def _nothing(file: SourceFile, names: Sequence[str], first: str) -> str:
    if not first:
        return f"{file.name}: no data, there is no line below {','.join(names)}. Fetch it again."
    return (
        f"{file.name}: not one line has the {len(names)} cells {','.join(names)}{first}. Is it "
        "another format, or damaged?"
    )


def _too_many(file: SourceFile, rows: int, malformed: int, first: str) -> str:
    if malformed > MAX_MALFORMED:
        return (
            f"{file.name}: more than {MAX_MALFORMED:,} lines have another number of cells{first}. "
            "Is it another format, or damaged?"
        )
    return f"{file.name}: {rows:,} lines or more, too many. Cut it into smaller files."
