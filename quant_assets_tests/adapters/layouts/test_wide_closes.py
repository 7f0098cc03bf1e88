from pathlib import Path

import pytest

from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.tabular.table_files import (
    Folder,
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

STOCKS = venue_of("equity")
CLOSES = """Date,NA,TRUE,1INCH
1990-01-02,1.0,,3.0
1990-01-03,1.5,2.5,
1990-01-04,1.5,"2,5",1
"""


def test_every_cell_is_a_bar_of_its_column_and_an_empty_one_is_none(tmp_path: Path):
    names, raws = read_path(Folder(tmp_path).text("a.csv", CLOSES), STOCKS)
    rows = rows_of(raws, "bars")
    assert names == ["wide_closes"]
    found = rows[["symbol", "close", "line"]].to_numpy().tolist()
    assert found == [["NA", 1.0, 2], ["1INCH", 3.0, 2], ["NA", 1.5, 3], ["TRUE", 2.5, 3]]
    assert rows["ts"].dt.strftime("%Y-%m-%d %H%z").tolist() == [
        *["1990-01-02 00+0000"] * 2,
        *["1990-01-03 00+0000"] * 2,
    ]
    assert rows[["open", "high", "low", "volume"]].isna().all(axis=None)
    assert notes_of(raws) == ["2 empty cells are no bars"]
    assert rejects_of(raws) == [(4, "TRUE is not a number with a decimal point: '2,5'")]


@pytest.mark.parametrize(
    "text",
    [
        "date,return\n1990-01-02,0.1\n",
        "Time Period,1month\n1990-01-02,0.1\n",
        "Date,Mkt-RF\n192607,0.1\n",
        "Date,Close\n1990-01-31,25\n",
        "Date,vix\n1/3/2014,13.76\n",
        "date,\n1990-01-02,1\n",
    ],
)
def test_tables_that_are_no_closes_are_not_taken_for_them(tmp_path: Path, text: str):
    with pytest.raises(DataError, match=r"a\.csv: no known layout"):
        read_path(Folder(tmp_path).text("a.csv", text), STOCKS)


def test_a_symbol_that_stands_twice_is_refused(tmp_path: Path):
    with pytest.raises(DataError):
        read_path(Folder(tmp_path).text("a.csv", "date,A,A\n1990-01-02,1,2\n"), STOCKS)


def test_a_last_line_that_was_cut_off_is_set_aside_alone(tmp_path: Path):
    _, raws = read_path(Folder(tmp_path).text("a.csv", f"{CLOSES}1990-01-,1,2,3"), STOCKS)
    assert len(rows_of(raws, "bars")) == 4
    assert [line for line, _ in rejects_of(raws)] == [4, 5]
