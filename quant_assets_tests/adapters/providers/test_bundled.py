"""Provider `bundled` against the packages whose data it reads, and by hand."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.providers import bundled
from quant_assets.adapters.providers.base import Provider, provider_for
from quant_assets.adapters.providers.bundled import (
    FRENCH,
    INDEX,
    PRICES,
    data_file,
    read_monthly_rates,
    read_prices,
    session_rates,
)
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.windows import Grid, Window
from quant_assets_tests.adapters.venue_models import NEEDS_DEMO, make_venue

pytestmark = NEEDS_DEMO
GRID = Grid()
HISTORY: dict[str, Any] = {"first": "1990-01-02", "last": "2022-12-28"}
BOTH: dict[str, str | None] = {"benchmark": "sp500_index", "risk_free": "french_rf"}


def everything() -> Window:
    start, end = GRID.window("1990-01-01").start, GRID.window("2022-12-01").end
    return Window(key="1990-01-01", start=start, end=end)


@pytest.fixture(scope="module")
def provider() -> Provider:
    return provider_for(make_venue("bundled", **HISTORY, reference=BOTH))


@pytest.fixture(scope="module")
def reference(provider: Provider) -> pd.DataFrame:
    return provider.fetch("reference", everything())


@pytest.mark.slow
def test_read_prices_equals_skfolios_own_loaders() -> None:
    from skfolio.datasets import load_sp500_dataset, load_sp500_index

    pd.testing.assert_frame_equal(
        read_prices(data_file(*PRICES)), load_sp500_dataset(), check_exact=True
    )
    pd.testing.assert_frame_equal(
        read_prices(data_file(*INDEX)), load_sp500_index(), check_exact=True
    )


@pytest.mark.slow
def test_read_monthly_rates_equals_archs_own_loader() -> None:
    from arch.data import frenchdata

    table = frenchdata.load()
    unit = table.index.unit
    integers = table.index.to_numpy().astype(f"datetime64[{unit}]").astype("int64")
    expected = {
        date(number // 100, number % 100, 1): rate / 100.0
        for number, rate in zip(integers.tolist(), table["RF"].tolist(), strict=True)
    }
    assert read_monthly_rates(data_file(*FRENCH)) == expected


def test_bars_first_and_last_session_are_the_published_closes(provider: Provider) -> None:
    bars = provider.fetch("bars", everything())
    close = bars.set_index(["ts", "symbol"])["close"].unstack()  # noqa: PD010 - no aggregation is meant
    assert close.shape == (8313, 20)
    assert len(bars) == 8313 * 20
    first, last = close.iloc[0], close.iloc[-1]
    assert str(close.index[0]) == "1990-01-02 00:00:00+00:00"
    assert str(close.index[-1]) == "2022-12-28 00:00:00+00:00"
    assert (first["AAPL"], first["XOM"], last["AAPL"], last["XOM"]) == (
        0.264, 4.068, 125.674, 106.627,
    )  # fmt: skip


def test_bars_have_closes_alone_and_are_known_a_day_later(provider: Provider) -> None:
    bars = provider.fetch("bars", GRID.window("2020-03-01"))
    assert bars[["open", "high", "low", "volume"]].isna().all(axis=None)
    assert not bars["is_gap"].any()
    assert (bars["available_at"] - bars["ts"] == pd.Timedelta(days=1)).all()
    assert len(bars) == 22 * 20


def test_bars_publication_delay_moves_available_at() -> None:
    late = make_venue("bundled", **HISTORY, reference=BOTH, market={"publication_delay": "6h"})
    for dataset in ("bars", "reference"):
        frame = provider_for(late).fetch(dataset, GRID.window("2020-03-01"))  # type: ignore[arg-type]
        assert (frame["available_at"] - frame["ts"] == pd.Timedelta(hours=30)).all()


def test_bars_symbols_setting_keeps_the_named_ones() -> None:
    venue = make_venue("bundled", **HISTORY, settings={"symbols": ["XOM", "AAPL"]})
    bars = provider_for(venue).fetch("bars", GRID.window("2020-03-01"))
    assert bars["symbol"].tolist() == ["AAPL", "XOM"] * 22


def test_bars_unknown_symbol_is_refused_with_the_known_ones() -> None:
    venue = make_venue("bundled", **HISTORY, settings={"symbols": ["AAPL", "TSLA"]})
    with pytest.raises(ConfigError, match=r"provider\.settings\.symbols: \['TSLA'\].*AAPL, AMD"):
        provider_for(venue).fetch("bars", GRID.window("2020-03-01"))


def test_reference_benchmark_is_the_simple_return_of_the_index(reference: pd.DataFrame) -> None:
    rows = reference[reference["role"] == "benchmark"].reset_index(drop=True)
    assert rows["symbol"].unique().tolist() == ["sp500_index"]
    assert np.isnan(rows["returns"].iloc[0])
    assert rows["returns"].iloc[1] == pytest.approx(358.76 / 359.69 - 1.0, abs=1e-15)
    growth = (1.0 + rows["returns"].iloc[1:]).prod()
    assert growth == pytest.approx(3783.22 / 359.69, rel=1e-12)
    assert not rows["assumed"].any()


def test_reference_risk_free_compounds_to_each_months_rate(reference: pd.DataFrame) -> None:
    rows = reference[reference["role"] == "risk_free"].reset_index(drop=True)
    with gzip.open(data_file(*FRENCH), "rt") as stream:
        lines = [line.strip().split(",") for line in stream][1:]
    published = {line[0]: float(line[-1]) / 100.0 for line in lines}
    growth = (1.0 + rows["returns"]).groupby(rows["ts"].dt.strftime("%Y%m")).prod()
    assert len(growth) == 396
    for month, value in growth.items():
        assert value == pytest.approx(1.0 + published.get(str(month), 0.0), abs=1e-13)
    assert growth["201811"] == pytest.approx(1.0018, abs=1e-13)


def test_reference_risk_free_beyond_the_table_is_zero_and_assumed(reference: pd.DataFrame) -> None:
    rows = reference[reference["role"] == "risk_free"]
    late = rows["ts"] >= "2018-12-01"
    assert (rows.loc[late, "returns"] == 0.0).all()
    assert rows["assumed"].tolist() == late.tolist()


@pytest.mark.parametrize("role", ["benchmark", "risk_free"])
def test_reference_only_what_the_venue_names(role: str) -> None:
    venue = make_venue("bundled", **HISTORY, reference={role: BOTH[role]})
    frame = provider_for(venue).fetch("reference", GRID.window("2010-01-01"))
    assert frame["role"].unique().tolist() == [role]
    assert len(frame) == 19


def test_reference_none_named_is_empty() -> None:
    frame = provider_for(make_venue("bundled", **HISTORY)).fetch("reference", everything())
    assert len(frame) == 0


def test_session_rates_by_hand() -> None:
    sessions = np.array(["2020-01-30", "2020-01-31", "2020-02-03"], dtype="datetime64[us]")
    rates, known = session_rates(sessions, {date(2020, 1, 1): 0.0201})
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.0], rtol=0, atol=1e-15)
    assert known.tolist() == [True, True, False]


@pytest.mark.parametrize("spelling", ["192607", "1926-07", "1926-07-01", "1926-07-01 00:00:00"])
def test_read_monthly_rates_reads_any_spelling_of_a_month(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"Date,Mkt-RF,RF\n{spelling},1.0,0.22\n")
    assert read_monthly_rates(path) == {date(1926, 7, 1): 0.0022}


@pytest.mark.parametrize("rows", ["192613,0.2", "192607,x", "192607,0.1\n192607,0.2", "1970,0.1"])
def test_read_monthly_rates_refuses_what_is_no_month_and_rate(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"Date,RF\n{rows}\n")
    with pytest.raises(DataError, match=r"table\.csv: 1 rows .*Date '19"):
        read_monthly_rates(path)


def test_read_prices_unsorted_dates_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("Date,A\n2020-01-02,1\n2020-01-01,2\n")
    with pytest.raises(DataError, match="not sorted"):
        read_prices(path)


def test_data_file_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(ConfigError, match=r'pip install "quant_assets\[demo\]"'):
        data_file("no_such_package_at_all", "data.csv")


def test_data_file_missing_in_the_package_names_the_path() -> None:
    with pytest.raises(ConfigError, match=r"skfolio.nothing\.csv is missing"):
        data_file("skfolio", "nothing.csv")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"market": {"bar_length": "1h"}}, "market.bar_length: 1:00:00 is not 1d"),
        ({"market": {"price_fields": ["open", "close"]}}, "market.price_fields"),
        ({"reference": {"benchmark": "DAX"}}, "reference.benchmark: 'DAX' is not sp500_index"),
        ({"reference": {"risk_free": "x"}}, "reference.risk_free: 'x' is not french_rf"),
    ],
)
def test_check_venue_claims_that_the_data_cannot_keep_are_refused(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        provider_for(make_venue("bundled", **HISTORY, **change))
    assert str(caught.value).startswith("venue test_bundled: ")
    assert words in str(caught.value)


def test_modules_of_the_packages_are_not_imported() -> None:
    source = Path(bundled.__file__).read_text()
    assert "import skfolio" not in source
    assert "import arch" not in source
