"""Files of the LEAN engine: bars, quotes, open interest, factors, tickers."""

from pathlib import Path

import numpy as np
import pytest

from quant_assets.adapters.layouts.base import Raw
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue
from quant_assets_tests.adapters.tabular.table_files import (
    Folder,
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

STOCKS = venue_of("equity")
DAILY = "19980102 00:00,136300,162500,135000,162501,6315000\n"


def zipped(tmp_path: Path, archive: str, member: str, text: str, venue: Venue) -> list[Raw]:
    return read_path(Folder(tmp_path).zip(archive, {member: text}), venue)[1]


def test_equity_prices_are_ten_thousandths_on_the_sessions_date(tmp_path: Path):
    text = f"{DAILY}19980105 00:00,1.5,1,1,1,5\n19980106 00:00,165000,165600,151900,160000,\n"
    raws = zipped(tmp_path, "aapl.zip", "aapl.csv", text, STOCKS)
    rows = rows_of(raws, "bars")
    assert rows["symbol"].tolist() == ["AAPL", "AAPL"]
    assert rows.loc[0, ["open", "high", "low", "close", "volume"]].tolist() == [
        *(13.63, 16.25, 13.5, 16.2501),
        6315000.0,
    ]
    assert rows["ts"].dt.strftime("%Y-%m-%d %H%z").tolist() == [
        "1998-01-02 00+0000",
        "1998-01-06 00+0000",
    ]
    assert np.isnan(rows["volume"].iloc[1])
    assert rejects_of(raws) == [(2, "open is not a whole number: '1.5'")]


def test_hours_are_those_of_the_market(tmp_path: Path):
    text = "20131007 09:00,1,1,1,1,5\n"
    raws = zipped(tmp_path, "spy.zip", "spy.csv", text, venue_of("equity", bar_length="1h"))
    assert str(rows_of(raws, "bars")["ts"].iloc[0]) == "2013-10-07 13:00:00+00:00"


def test_future_prices_are_plain_and_the_symbol_has_the_expiry(tmp_path: Path):
    text = "20131007 00:00,1313.8,1325.4,1311.8,1323,83\n"
    raws = zipped(tmp_path, "gc_trade.zip", "gc_trade_201310.csv", text, venue_of("future"))
    row = rows_of(raws, "bars").iloc[0]
    assert row["symbol"] == "GC-201310"
    assert row[["open", "close"]].tolist() == [1313.8, 1323.0]


def test_crypto_is_unified_and_its_hours_are_utc(tmp_path: Path):
    text = "20131007 01:00,1313.8,1325.4,1311.8,1323,0.83\n"
    venue = venue_of("crypto_spot", bar_length="1h", time_zone="America/New_York")
    raws = zipped(tmp_path, "btcusdt_trade.zip", "btcusdt.csv", text, venue)
    row = rows_of(raws, "bars").iloc[0]
    assert (row["symbol"], str(row["ts"])) == ("BTC/USDT", "2013-10-07 01:00:00+00:00")


def test_minutes_count_from_midnight_of_the_day_in_the_name(tmp_path: Path):
    text = "34200000,1686900,1687000,1686800,1686900,1200\n86400000,1,1,1,1,1\n"
    member = "20131007_spy_minute_trade.csv"
    raws = zipped(tmp_path, "20131007_trade.zip", member, text, venue_of("equity", bar_length="1m"))
    row = rows_of(raws, "bars").iloc[0]
    assert (row["symbol"], row["open"]) == ("SPY", 168.69)
    assert str(row["ts"]) == "2013-10-07 13:30:00+00:00"  # 09:30 in New York
    assert rejects_of(raws) == [(2, "time lies outside the day")]


QUOTES = "20070101 00:00,1.25,1.5,1.0,1.25,0,1.75,2.0,1.5,1.75,0\n"


def test_quotes_are_mids_of_each_field_without_volume_and_say_so(tmp_path: Path):
    text = f"{QUOTES}20070102 00:00,1.25,1.5,1.0,1.25,0,1.75,2.0,0.9,1.75,0\n"
    venue = venue_of("fx", bar_length="1d")
    raws = zipped(tmp_path, "eurusd.zip", "eurusd.csv", text, venue)
    rows = rows_of(raws, "bars")
    assert rows[["open", "high", "low", "close"]].to_numpy().tolist() == [[1.5, 1.75, 1.25, 1.5]]
    assert rows["symbol"].tolist() == ["EURUSD"]
    assert rows["volume"].isna().all()
    assert rejects_of(raws) == [(2, "low: the ask is below the bid, there is no mid")]
    assert notes_of(raws) == ["prices are mids, (bid + ask) / 2 of each field; no volume"]


def test_mids_of_a_future_are_another_series_than_its_trades(tmp_path: Path):
    raws = zipped(tmp_path, "es_quote.zip", "es_quote_201312.csv", QUOTES, venue_of("future"))
    assert rows_of(raws, "bars")["symbol"].tolist() == ["ES-201312-QUOTE"]


def test_open_interest_counts_contracts(tmp_path: Path):
    path = Folder(tmp_path).zip(
        "es_openinterest.zip", {"es_openinterest_201312.csv": "20131006 00:00,2691941\n"}
    )
    names, raws = read_path(path, venue_of("future"))
    row = rows_of(raws, "open_interest").iloc[0]
    assert names == ["lean_open_interest"]
    assert (row["symbol"], row["open_interest"], row["unit"]) == ("ES-201312", 2691941, "contracts")


FACTORS = """19980102,0.8,0.25,1
20120808,0.8,0.25,619.86
20140606,0.84,0.25,645.57
20140806,0.9,0.5,94.97
20501231,1,1,0
"""


def test_changes_of_the_factors_are_events_after_the_session_of_their_line(tmp_path: Path):
    names, raws = read_path(Folder(tmp_path).text("aapl.csv", FACTORS), STOCKS)
    rows = rows_of(raws, "adjustments")
    assert names == ["lean_factor_files"]
    found = [
        (f"{ts:%Y-%m-%d}", kind, factor, line)
        for ts, kind, factor, line in rows[["ts", "kind", "price_factor", "line"]].itertuples(
            index=False
        )
    ]
    # 0.8/0.84, 0.84/0.9 with 0.25/0.5, 0.9/1 with 0.5/1
    assert found == [
        ("2012-08-09", "dividend", pytest.approx(0.8 / 0.84, rel=1e-12), 2),
        ("2014-06-07", "dividend", pytest.approx(0.84 / 0.9, rel=1e-12), 3),
        ("2014-06-07", "split", 0.5, 3),
        ("2014-08-07", "dividend", pytest.approx(0.9, rel=1e-12), 4),
        ("2014-08-07", "split", 0.5, 4),
    ]
    assert rows["symbol"].unique().tolist() == ["AAPL"]


def test_the_product_of_all_later_factors_is_the_cumulative_one(tmp_path: Path):
    rows = rows_of(read_path(Folder(tmp_path).text("aapl.csv", FACTORS), STOCKS)[1], "adjustments")
    for kind, first in (("dividend", 0.8), ("split", 0.25)):
        assert rows.loc[rows["kind"] == kind, "price_factor"].prod() == pytest.approx(first)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("20140606,0,0.25,1", r"aapl\.csv: line 3: price_factor is not above 0"),
        ("20140606,x,0.25,1", r"line 3: price_factor is not a number.*'x'"),
        ("20120808,0.84,0.25,1", r"line 3: 2012-08-08 does not come after 2012-08-08"),
        ("20141306,0.84,0.25,1", r"line 3: date is not a time"),
        ("20140606,0.84,0.25", r"line 3: 3 cells instead of 4"),
    ],
)
def test_a_line_of_factors_that_cannot_be_read_makes_the_file_refused(
    tmp_path: Path, line: str, match: str
):
    text = FACTORS.replace("20140606,0.84,0.25,645.57", line)
    with pytest.raises(DataError, match=match):
        read_path(Folder(tmp_path).text("aapl.csv", text), STOCKS)


def test_tickers_follow_each_other_and_the_last_is_in_use(tmp_path: Path):
    text = "19990310,qqq,Q\n20041130,qqq,Q\n20110322,qqqq,Q\n20501231,qqq,Q\n"
    names, raws = read_path(Folder(tmp_path).text("qqq.csv", text), STOCKS)
    rows = rows_of(raws, "aliases")
    assert names == ["lean_map_files"]
    assert rows["ticker"].tolist() == ["QQQ", "QQQQ", "QQQ"]
    assert rows["symbol"].unique().tolist() == ["QQQ"]
    assert rows["ts"].dt.strftime("%Y-%m-%d").tolist() == ["1999-03-10", "2004-12-01", "2011-03-23"]
    assert rows["last"].dt.strftime("%Y-%m-%d").iloc[:2].tolist() == ["2004-11-30", "2011-03-22"]
    assert rows["last"].isna().tolist() == [False, False, True]


def test_a_ticker_file_needs_a_last_day_and_may_leave_out_the_exchange(tmp_path: Path):
    folder = Folder(tmp_path)
    with pytest.raises(DataError, match=r"a\.csv: line 1: a listing without a last day"):
        read_path(folder.text("a.csv", "19990310,qqq,Q\n"), STOCKS)
    rows = rows_of(
        read_path(folder.text("b.csv", "19990310,nb\n20501231,b\n"), STOCKS)[1], "aliases"
    )
    assert rows[["symbol", "ticker"]].to_numpy().tolist() == [["B", "B"]]


def test_a_file_without_an_instrument_in_its_name_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"my prices\.csv: .*aapl\.csv"):
        read_path(Folder(tmp_path).text("my prices.csv", DAILY), STOCKS)
