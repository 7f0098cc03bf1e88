"""Delimited text: lines keep their numbers, cells their text, and doubtful ones their reason."""

import numpy as np
import pytest

from quant_assets.adapters.files import csv_rows as module
from quant_assets.adapters.files.csv_rows import Rows, column_notes, csv_rows, header
from quant_assets.adapters.files.limits import Limits
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import MemoryFile, text_file


def only(file: MemoryFile, **settings: object) -> Rows:
    (rows,) = csv_rows(file, **settings)  # type: ignore[arg-type]
    return rows


def test_lines_count_from_one_with_blank_and_malformed_ones() -> None:
    rows = only(text_file("x", "a,b", "1,2", "", "3", "4,5,6", "7,8"))
    assert rows.line.tolist() == [2, 6]
    raw = rows.raw("bars", {"symbol": "S", "a": rows.numbers("a")})
    assert raw.frame["a"].tolist() == [1.0, 7.0]
    assert raw.rejects is not None
    assert raw.rejects[["line", "reason", "text"]].to_numpy().tolist() == [
        [4, "1 cells instead of 2", "3"],
        [5, "3 cells instead of 2", "4,5,6"],
    ]


def test_lines_are_numbered_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    lines = [f"{n},x" if n % 7 else f"{n}" for n in range(2, 100)]
    found: list[int] = []
    malformed: list[int] = []
    for rows in csv_rows(text_file("x", "a,b", *lines)):
        assert rows.integers("a").tolist() == rows.line.tolist()
        found += rows.line.tolist()
        rejects = rows.rejects()
        malformed += [] if rejects is None else rejects["line"].tolist()
    assert found == [n for n in range(2, 100) if n % 7]
    assert malformed == [n for n in range(2, 100) if n % 7 == 0]


def test_words_that_look_like_missing_values_are_words() -> None:
    rows = only(text_file("x", "s,n", "NA,1", "NULL,1", "TRUE,1", "nan,1", "1INCH,1", '"=1+1",1'))
    assert rows.words("s").tolist() == ["NA", "NULL", "TRUE", "nan", "1INCH", "=1+1"]


def test_numbers_have_a_decimal_point_and_nothing_else() -> None:
    cells = ["1.5", "-2", "1e3", ".5", "", '"1,5"', '"1,234.5"', "5%", " 1", "1_0", "0x1", "inf"]
    rows = only(text_file("x", "n,k", *(f"{cell},1" for cell in cells)))
    numbers = rows.numbers("n")
    np.testing.assert_array_equal(numbers[:5], [1.5, -2.0, 1000.0, 0.5, np.nan])
    assert numbers[-1] == np.inf  # judged where rows are judged
    assert sorted(rows.reasons) == [5, 6, 7, 8, 9, 10]
    assert rows.reasons[5] == "n is not a number with a decimal point: '1,5'"


def test_a_column_without_one_number_refuses_the_file_with_a_sample() -> None:
    for line in ('"1,5",x', "5%,x", "1 234,x"):
        rows = only(text_file("prices.csv", "n,k", line, line))
        with pytest.raises(DataError, match=r"prices.csv: column n: not one cell .* line 2 has"):
            rows.numbers("n")


def test_whole_numbers_are_exact_and_never_fractions() -> None:
    rows = only(text_file("x", "n", "9007199254740993", "1.0", "9223372036854775807", "-3"))
    assert rows.integers("n").tolist() == [9007199254740993, 0, 9223372036854775807, -3]
    assert list(rows.reasons) == [1]


def test_times_are_told_apart_by_their_digits_and_only_declared_units_count() -> None:
    rows = only(text_file("x", "t", "1704067200000", "1735689600000000", "1704067200", "17"))
    stamps = rows.stamps("t", "ms", "us")
    assert [str(s) for s in stamps] == [
        "2024-01-01T00:00:00.000000",
        "2025-01-01T00:00:00.000000",
        "NaT",
        "NaT",
    ]
    assert sorted(rows.reasons) == [2, 3]


def test_times_of_another_unit_refuse_the_file() -> None:
    with pytest.raises(DataError, match=r"column t: .* 13 digits \(ms\).* '1704067200'"):
        only(text_file("x", "t", "1704067200")).stamps("t", "ms")


def test_a_changed_column_is_named_in_both_directions() -> None:
    file = text_file("x.csv", "time,close,extra", "1,2,3")
    assert column_notes(file, required=("time", "close")) == [
        "column extra is new and was not read"
    ]
    with pytest.raises(DataError, match=r"x.csv: .*missing open; not expected extra"):
        column_notes(file, required=("time", "open", "close"))
    with pytest.raises(DataError, match="time stands twice"):
        column_notes(text_file("x", "time,time"), required=("time",))


REFUSED = {
    "names only": (b"a,b\n", "no data"),
    "no line of that many cells": (b"a,b\n1\n2\n", "not one line has the 2 cells a,b; line 2"),
    "another encoding": (b"a,b\n\xff\xfe,1\n", "no UTF-8 text, line 2 has the byte 0xff"),
    "two bytes a letter": ("a,b\n1,2\n".encode("utf-16"), "no UTF-8 text"),
    "too many columns": (b",".join(b"c%d" % n for n in range(9)) + b"\n", "9 columns"),
    "too many lines": (b"a,b\n" + b"1,2\n" * 60, "60 lines or more, too many"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_such_text_is_refused(kind: str) -> None:
    content, message = REFUSED[kind]
    with pytest.raises(DataError, match=message):
        list(csv_rows(MemoryFile("x", content), limits=Limits(columns=8, rows=50)))


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing() -> None:
    file = MemoryFile("x", b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert header(file) == ("a", "b")
    rows = only(file)
    assert rows.numbers("b").tolist() == [2.0]
    assert rows.line.tolist() == [2]
