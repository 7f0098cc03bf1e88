import pytest

from quant_assets.adapters.tabular.headers import SYMBOL, TIME, Header, plain
from quant_assets.core.errors import DataError


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Adj Close", "adj_close"), ("  OPEN ", "open"), ("adj-close", "adj_close"), ("ts", "ts")],
)
def test_plain_names_have_no_case_blanks_and_hyphens(name: str, expected: str):
    assert plain(name) == expected


def test_header_finds_a_column_by_any_of_its_names_in_their_order():
    header = Header(["Date", "Ticker", "Time"], where="a.csv")
    assert header.find(TIME) == "Date"
    assert header.find(SYMBOL) == "Ticker"
    assert header.find(("volume",)) is None
    assert header.has(TIME, SYMBOL)
    assert not header.has(TIME, ("volume",))


def test_two_columns_of_one_meaning_are_refused_with_both_names():
    with pytest.raises(DataError, match=r"a\.csv.*'Adj Close' and 'adj_close'"):
        Header(["Adj Close", "adj_close"], where="a.csv")


def test_a_missing_column_is_refused_with_its_known_names_and_what_there_is():
    with pytest.raises(DataError, match=r"a\.csv: no column for the symbol \(one of symbol.* x, y"):
        Header(["x", "y"], where="a.csv").need(SYMBOL, meaning="the symbol")


def test_columns_that_nobody_reads_are_noted():
    header = Header(["ts", "source"], where="a.csv")
    assert header.surplus(["ts", None]) == ["column 'source' was not read"]
