from datetime import date

import pytest

from quant_assets.adapters.tabular.file_names import day_in, instrument, stem
from quant_assets.core.errors import DataError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AAPL.csv", "AAPL"),
        ("BRK-A.csv.gz", "BRK-A"),
        ("brk.b.csv", "brk.b"),
        ("6EH4.XCME_1min_bars_20240101_20240131.csv", "6EH4.XCME"),
        ("vix-daily.csv", "vix"),
        ("a.zip/btcusd_perp_1m.csv", "btcusd_perp"),
        ("NA.csv", "NA"),
        ("1INCH.csv", "1INCH"),
    ],
)
def test_instrument_is_the_name_without_endings_length_and_span(name: str, expected: str):
    assert instrument(name) == expected


def test_a_name_that_is_only_an_ending_names_no_instrument():
    with pytest.raises(DataError, match=r"\.csv.*AAPL\.csv"):
        instrument(".csv")


def test_stem_takes_the_last_part_whatever_the_separator():
    assert stem("x/y\\z.tar.gz") == "z"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("20150324.tar/prices.csv", date(2015, 3, 24)),
        ("2015-03-24.csv", date(2015, 3, 24)),
        ("20159999.csv", None),
        ("123456789.csv", None),
        ("20150324.tar/20150325.csv", date(2015, 3, 25)),
    ],
)
def test_day_in_a_name_is_a_real_day(name: str, day: date | None):
    assert day_in(name) == day
