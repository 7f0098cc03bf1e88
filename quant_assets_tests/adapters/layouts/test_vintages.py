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
HEADER = "symbol,date,open,high,low,close,volume,adj_close\n"
PRICES = (
    f"{HEADER}FAX,2015-03-24,1,2,0.5,1.5,100,1.5\nFAX,2015-03-23,1,2,0.5,1.4,90,0.7\n"
    f"{HEADER}TRUE,2015-03-24,1,2,0.5,1.5,100,1.5\n"
)
REPORTS = "symbol,end_date,amend,period_focus,fiscal_year,doc_type,revenues\nA,b,c,d,e,f,g\n"
SYMBOLS = "XXII\t22nd Century Group\nFAX\tAberdeen Asia-Pacific Income Fund Inc\n"


def test_an_archive_gives_bars_with_its_vintage_and_leaves_the_rest_out(tmp_path: Path):
    members = {"symbols.txt": SYMBOLS, "prices.csv": PRICES, "reports.csv": REPORTS}
    names, raws = read_path(Folder(tmp_path).tar("20150324.tar.gz", members), STOCKS)
    rows = rows_of(raws, "bars")
    assert names == ["vintages_attachments", "vintages_quotes", "vintages_attachments"]
    assert rows["symbol"].tolist() == ["FAX", "FAX", "TRUE"]
    assert rows["adjusted_close"].dropna().tolist() == [1.5, 0.7, 1.5]
    assert rows["line"].tolist() == [2, 3, 5]
    known = rows["collected_at"].dt.strftime("%Y-%m-%d %H:%M%z").unique().tolist()
    assert known == ["2015-03-25 00:00+0000"]  # the end of the day of the archive
    assert rejects_of(raws) == [(4, "the line of headings once more")]
    assert [note.partition(":")[0] for note in notes_of(raws)] == [
        "20150324.tar.gz/symbols.txt",
        "20150324.tar.gz/reports.csv",
    ]


def test_the_same_columns_without_a_day_in_the_name_are_tidy_bars(tmp_path: Path):
    names, raws = read_path(Folder(tmp_path).text("quotes.csv", PRICES), STOCKS)
    assert names == ["tidy_bars"]
    assert "collected_at" not in rows_of(raws, "bars")
    assert [line for line, _ in rejects_of(raws)] == [4]


def test_an_empty_archive_is_refused_and_named(tmp_path: Path):
    members = {"symbols.txt": "", "prices.csv": "", "reports.csv": ""}
    with pytest.raises(DataError, match=r"20150610\.tar.*symbols\.txt: no data"):
        read_path(Folder(tmp_path).tar("20150610.tar.gz", members), STOCKS)
