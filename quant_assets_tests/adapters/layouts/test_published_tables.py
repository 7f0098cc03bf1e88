"""Tables as they were published, with the counts that were seen in them by other tools."""

import math

import pytest

from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.adapters.tabular.table_files import (
    notes_of,
    read_path,
    rejects_of,
    rows_of,
    venue_of,
)

STOCKS = venue_of("equity")
PERP = venue_of("crypto_perpetual", {"select": {"venue": "binance", "market": "perp"}})
FX = venue_of("fx", {"scale": 100000})
FUTURES = venue_of("future")
LEAN, BENCHMARKS = "us_equities/lean", "benchmarks"
PYSTOCK = "us_equities/pystock"
CME = "futures/lean/future/cme/daily"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "venue", "layout", "dataset", "rows", "rejects", "symbols"),
    [
        ("us_equities/stocknet/AAPL.csv.gz", STOCKS, "yahoo_csv", "bars", 1258, [], 1),
        ("us_equities/stocknet/ABBV.csv.gz", STOCKS, "yahoo_csv", "bars", 1177, [], 1),
        ("us_equities/stocknet/PTR.csv.gz", STOCKS, "yahoo_csv", "bars", 1257, [962], 1),
        ("us_equities/stocknet/REX.csv.gz", STOCKS, "yahoo_csv", "bars", 1257, [962], 1),
        ("us_equities/stocknet/SNP.csv.gz", STOCKS, "yahoo_csv", "bars", 1257, [962], 1),
        (f"{LEAN}/daily/aapl.zip", STOCKS, "lean_bars", "bars", 5849, [], 1),
        (f"{LEAN}/daily/goog.zip", STOCKS, "lean_bars", "bars", 4183, [], 1),
        (f"{LEAN}/map_files/qqq.csv", STOCKS, "lean_map_files", "aliases", 3, [], 1),
        (f"{LEAN}/map_files/wm.csv", STOCKS, "lean_map_files", "aliases", 3, [], 1),
        (f"{PYSTOCK}/ohlcv_1d_vintages.parquet", STOCKS, "tidy_bars", "bars", 292826, [], 300),
        (
            f"{BENCHMARKS}/skfolio_sp500_dataset.csv.gz",
            *(STOCKS, "wide_closes", "bars", 166260, [], 20),
        ),
        (f"{BENCHMARKS}/spy_adj_close.csv", STOCKS, "wide_closes", "bars", 8017, [], 1),
        (f"{BENCHMARKS}/vix-daily.csv.gz", STOCKS, "tidy_one_symbol", "bars", 9235, [], 1),
        ("fx/ejtrader/GBPUSDh1.csv.gz", FX, "broker_bars", "bars", 57600, [], 1),
        ("fx/lean/forex/oanda/hour/eurusd.zip", FX, "lean_quote_bars", "bars", 74439, [], 1),
        ("fx/lean/cfd/oanda/daily/xauusd.zip", FX, "lean_quote_bars", "bars", 3949, [], 1),
        (f"{CME}/es_trade.zip", FUTURES, "lean_bars", "bars", 203, [], 8),
        (f"{CME}/es_quote.zip", FUTURES, "lean_quote_bars", "bars", 288, [], 10),
        (
            f"{CME}/es_openinterest.zip",
            *(FUTURES, "lean_open_interest", "open_interest", 47, [], 10),
        ),
        (
            "futures/6EH4.XCME_1min_bars_20240101_20240131.csv.gz",
            *(FUTURES, "tidy_one_symbol", "bars", 29996, [], 1),
        ),
        ("binance/tidy/ohlcv_5m.parquet", PERP, "tidy_bars", "bars", 403311, [], 12),
        ("binance/tidy/funding.parquet", PERP, "tidy_funding", "funding", 9406, [], 12),
        (
            "binance/tidy/liquidations_2025-06-23.parquet",
            *(PERP, "tidy_liquidations", "liquidations", 1155, [703], 201),
        ),
        ("binance/universe_usdm/ohlcv_1d.parquet", PERP, "tidy_bars", "bars", 130153, [], 257),
        (
            "binance/universe_usdm/open_interest_4h.parquet",
            *(PERP, "tidy_open_interest", "open_interest", 43070, [], 257),
        ),
        ("binance/universe_usdm/funding.parquet", PERP, "tidy_funding", "funding", 51233, [], 257),
        ("multi_venue/candles.parquet", PERP, "tidy_bars", "bars", 26208, [], 3),
        ("multi_venue/funding_rates.parquet", PERP, "tidy_funding", "funding", 3276, [], 3),
    ],
)
def test_published_tables_have_the_counts_that_are_known(
    name: str, venue, layout: str, dataset: str, rows: int, rejects: list, symbols: int
):
    names, raws = read_path(real_file(name), venue)
    found = rows_of(raws, dataset)
    assert set(names) == {layout}
    assert len(found) == rows
    assert [line for line, _ in rejects_of(raws)] == rejects
    assert found["symbol"].nunique() == symbols
    assert found["ts"].notna().all()


def test_stocks_listed_late_have_no_bars_before():
    name = f"{BENCHMARKS}/stocks_adj_close_with_late_listings.csv.gz"
    _, raws = read_path(real_file(name), STOCKS)
    rows = rows_of(raws, "bars")
    assert len(rows) == 8796 * 19 - 31461
    assert notes_of(raws) == ["31,461 empty cells are no bars"]
    assert str(rows.loc[rows["symbol"] == "BABA", "ts"].min())[:10] == "2014-09-19"


@pytest.mark.parametrize(
    ("day", "rows", "rejects"),
    [("20150324", 12059, []), ("20150406", 36260, [12089]), ("20170331", 11972, [])],
)
def test_archives_of_quotes_have_their_rows_and_vintage(day: str, rows: int, rejects: list):
    _, raws = read_path(real_file(f"{PYSTOCK}/raw/{day}.tar.gz"), STOCKS)
    found = rows_of(raws, "bars")
    assert len(found) == rows
    assert [line for line, _ in rejects_of(raws)] == rejects
    later = found["collected_at"].dropna() - found["ts"].max()
    assert later.dt.total_seconds().unique().tolist() == [86400.0]


@pytest.mark.parametrize(
    ("name", "venue", "match"),
    [
        (f"{PYSTOCK}/raw/20150610.tar.gz", STOCKS, "no data"),
        (f"{PYSTOCK}/raw/20161117.tar.gz", STOCKS, "no data"),
        (f"{BENCHMARKS}/arch_sp500.csv.gz", STOCKS, "line 2 has '1/4/1999'"),
        (f"{BENCHMARKS}/arch_frenchdata.csv.gz", STOCKS, "no known layout"),
        (f"{BENCHMARKS}/SPY_benchmark.csv.gz", STOCKS, "no known layout"),
        (f"{BENCHMARKS}/treasury_curves.csv.gz", STOCKS, "no known layout"),
        (f"{BENCHMARKS}/sp500_constituents.csv", STOCKS, "no known layout"),
        ("fx/ejtrader/GBPUSDd1.csv.gz", FX, "is a date without a time"),
        ("multi_venue/liquidation_volume_1d.parquet", PERP, "no known layout"),
        (
            "multi_venue/spot_perp_8h_binance_bybit.csv.gz",
            venue_of("crypto_perpetual", {"select": {"exchange": "binance", "contract": "spot"}}),
            "line 2: 2023-01-01 00:00:00 has no UTC offset",
        ),
    ],
)
def test_published_tables_that_cannot_be_trusted_are_refused(name: str, venue, match: str):
    with pytest.raises(DataError, match=match):
        read_path(real_file(name), venue)


def test_the_split_of_apple_is_seven_for_one_and_its_dividends_are_those_paid():
    rows = rows_of(read_path(real_file(f"{LEAN}/factor_files/aapl.csv"), STOCKS)[1], "adjustments")
    by_day = {
        (f"{ts:%Y-%m-%d}", kind): factor
        for ts, kind, factor in rows[["ts", "kind", "price_factor"]].itertuples(index=False)
    }
    assert by_day["2014-06-07", "split"] == pytest.approx(1 / 7, rel=1e-6)
    # 2.65 USD on a close of 619.86: the factor of a dividend is 1 - cash / close.
    assert by_day["2012-08-09", "dividend"] == pytest.approx(1 - 2.65 / 619.86, rel=1e-6)


def test_every_cumulative_factor_follows_from_the_events():
    path = real_file(f"{LEAN}/factor_files/aig.csv")
    rows = rows_of(read_path(path, STOCKS)[1], "adjustments")
    for line in path.read_text(encoding="ascii").splitlines()[1:-1]:
        day, *factors, _ = line.split(",")
        later = rows[rows["ts"].dt.strftime("%Y%m%d") > day]
        for kind, factor in zip(("dividend", "split"), factors, strict=True):
            product = math.prod(later.loc[later["kind"] == kind, "price_factor"])
            assert product == pytest.approx(float(factor), rel=1e-12), line
