"""Tickers become instruments on the days on which they meant them, and on no other."""

from datetime import date

import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.aliases import Alias, by_instrument, dated_names, with_strangers


def times(*days: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True)).dt.as_unit("us")


def rows(symbol: str, *days: str) -> pd.DataFrame:
    return pd.DataFrame({"ts": times(*days), "symbol": pd.Series([symbol] * len(days))})


# LEAN's wm.csv and goog.csv, and a map file of the company that had WM before.
WM = [
    Alias("UW", "WM", date(1998, 1, 2), date(1998, 7, 16)),
    Alias("WMI", "WM", date(1998, 7, 17), date(2009, 8, 4)),
    Alias("WM", "WM", date(2009, 8, 5)),
]
WASHINGTON = Alias("WM", "WAMUQ", date(1998, 12, 9), date(2008, 9, 26))


META = [
    Alias("META", "meta-platforms", date(2022, 6, 9)),
    Alias("FB", "meta-platforms", date(2012, 5, 18), date(2022, 6, 8)),
    Alias("META", "roundhill-etf", date(2021, 6, 30), date(2022, 1, 30)),
]


@pytest.mark.parametrize(
    ("ticker", "day", "instrument"),
    [
        ("FB", "2012-05-18", "meta-platforms"),
        ("FB", "2022-06-08", "meta-platforms"),
        ("META", "2022-06-09", "meta-platforms"),
        ("META", "2021-07-01", "roundhill-etf"),
        ("META", "2022-03-01", "META"),
        ("NA", "2020-01-01", "NA"),
    ],
)
def test_ticker_means_what_it_meant_on_the_day(ticker: str, day: str, instrument: str):
    found = by_instrument(rows(ticker, day), with_strangers(META))
    assert found["symbol"].tolist() == [instrument]


def test_ticker_that_was_given_out_again_belongs_to_two_instruments():
    """The ticker X meant OLD until the 10th, NEW from the 20th; between them, nobody."""
    bars = rows("X", "2024-01-05", "2024-01-10", "2024-01-15", "2024-01-20")
    aliases = pd.DataFrame(
        {
            "ts": times("2024-01-01", "2024-01-20"),
            "symbol": pd.Series(["OLD", "NEW"], dtype="str"),
            "ticker": pd.Series(["X", "X"], dtype="str"),
            "last": pd.Series([pd.Timestamp("2024-01-10", tz="UTC"), pd.NaT]),
        }
    )
    names = with_strangers(dated_names(aliases))
    assert by_instrument(bars, names)["symbol"].tolist() == ["OLD", "OLD", "X", "NEW"]


def test_rows_before_an_instrument_had_its_ticker_are_a_strangers():
    bars = rows("WM", "1998-12-09", "2008-09-26", "2009-08-05", "2021-03-31")
    stranger = "WM-UNTIL-20090804"
    found = by_instrument(bars, with_strangers(WM))["symbol"].tolist()
    assert found == [stranger, stranger, "WM", "WM"]


def test_a_predecessor_that_is_known_has_its_own_name():
    names = with_strangers([*WM, WASHINGTON])
    bars = rows("WM", "1998-12-08", "1998-12-09", "2008-09-26", "2008-09-29", "2009-08-05")
    assert by_instrument(bars, names)["symbol"].tolist() == [
        *("WM-UNTIL-19981208", "WAMUQ", "WAMUQ", "WM-UNTIL-20090804", "WM")
    ]


def test_rows_after_an_instruments_end_are_a_successors():
    names = with_strangers([Alias("XYZ", "XYZ", date(2015, 1, 2), date(2018, 12, 31))])
    found = by_instrument(rows("XYZ", "2018-12-31", "2019-01-01"), names)["symbol"].tolist()
    assert found == ["XYZ", "XYZ-SINCE-20190101"]


def test_bars_that_no_name_concerns_come_back_as_they_are():
    bars = rows("WM", "2015-01-02", "2015-01-05")
    assert by_instrument(bars, with_strangers(WM)) is bars
    assert by_instrument(bars.iloc[:0], with_strangers(WM)).empty


def test_two_instruments_with_one_ticker_on_one_day_are_refused():
    with pytest.raises(DataError, match="aliases of WM overlap"):
        with_strangers([*WM, Alias("WM", "WAMUQ", date(1998, 12, 9), date(2009, 8, 5))])
    with pytest.raises(DataError, match=r"aliases of FB overlap: .*before 2022-06-08"):
        with_strangers([*META, Alias("FB", "another", date(2022, 6, 8))])


def test_an_alias_that_ends_before_it_begins_is_refused():
    with pytest.raises(DataError, match="alias of X: x 2020-01-02 to 2020-01-01 ends before it be"):
        with_strangers([Alias("X", "x", date(2020, 1, 2), date(2020, 1, 1))])
