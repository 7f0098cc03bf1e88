from pathlib import Path

import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets_tests.adapters.tabular.table_files import (
    Folder,
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

TWO_VENUES = """ts,symbol,venue,Market,close
2024-01-31T08:00Z,BTCUSDT,binance,perp,1
2024-01-31T08:00Z,BTCUSDT,binance,spot,2
2024-01-31T08:00Z,BTCUSDT,okx,perp,dear
2024-01-31T09:00Z,BTCUSDT,binance,perp,4
"""


def test_rows_of_the_selected_venue_and_market_are_read_and_the_others_counted(tmp_path: Path):
    venue = venue_of("crypto_perpetual", {"select": {"venue": "binance", "market": "perp"}})
    _, raws = read_path(Folder(tmp_path).text("a.csv", TWO_VENUES), venue)
    assert rows_of(raws, "bars")["close"].tolist() == [1.0, 4.0]
    assert rows_of(raws, "bars")["line"].tolist() == [2, 5]
    assert rejects_of(raws) == []  # the bad line is another venue's
    assert notes_of(raws) == [
        "2 rows without venue 'binance' and Market 'perp' were left to other venues"
    ]


def test_a_column_that_splits_the_file_must_be_decided(tmp_path: Path):
    venue = venue_of("crypto_perpetual", {"select": {"venue": "binance"}})
    match = r"a\.csv: column 'Market' splits.*test_crypto_perpetual.*provider\.settings\.select"
    with pytest.raises(DataError, match=match):
        read_path(Folder(tmp_path).text("a.csv", TWO_VENUES), venue)


def test_a_file_without_a_row_of_the_venue_is_refused_with_what_it_has(tmp_path: Path):
    venue = venue_of("crypto_perpetual", {"select": {"venue": "kraken", "market": "perp"}})
    match = r"none of 4 rows has venue 'kraken' and Market 'perp'; the file has venue: binance, okx"
    with pytest.raises(DataError, match=match):
        read_path(Folder(tmp_path).text("a.csv", TWO_VENUES), venue)


def test_any_column_may_be_selected_and_one_that_a_file_lacks_is_no_condition(tmp_path: Path):
    venue = venue_of("equity", {"select": {"source": "b", "venue": "x"}})
    text = "date,symbol,source,close\n2024-01-31,NA,a,1\n2024-01-31,NA,b,2\n"
    _, raws = read_path(Folder(tmp_path).text("a.csv", text), venue)
    assert rows_of(raws, "bars")[["symbol", "close"]].to_numpy().tolist() == [["NA", 2.0]]


def test_a_selection_that_is_no_mapping_of_words_is_an_error_of_the_settings(tmp_path: Path):
    venue = venue_of("equity", {"select": ["binance"]})
    with pytest.raises(ConfigError, match=r"provider\.settings\.select: \['binance'\]"):
        read_path(Folder(tmp_path).text("a.csv", "date,symbol,close\n2024-01-31,A,1\n"), venue)
