"""No exported text is a formula."""

import csv
import io

import pandas as pd
import pytest

from quant_assets.core.spreadsheets import spreadsheet_csv


def cells(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(spreadsheet_csv(frame), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_could_be_a_formula_gets_a_quote_in_front(text):
    frame = pd.DataFrame({"symbol": pd.Series([text], dtype="str"), text: [1.0]})
    assert cells(frame) == [["symbol", f"'{text}"], [f"'{text}", "1.0"]]


def test_other_texts_and_numbers_stay():
    texts = ["BTC/USDT:USDT", "1INCH", "a=b", "", "ünï"]
    frame = pd.DataFrame({"symbol": pd.Series(texts, dtype="str"), "value": [-1.5, 2.0, 0, 1, -3]})
    before = frame.copy(deep=True)
    assert cells(frame)[1:] == [[t, str(v)] for t, v in zip(texts, frame.value, strict=True)]
    pd.testing.assert_frame_equal(frame, before)
