"""What a run is compared with, against levels that are worked out here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.venues.loader import load_venues
from quant_assets.cli.strategies.bars import Wanted, find_bars
from quant_assets.cli.strategies.benchmarks import benchmark_returns
from quant_assets.core.config import Settings
from quant_assets.core.errors import ConfigError, MissingCellError
from quant_assets.quant.strategies.tester import hand_made_bars
from quant_assets_tests.cli.strategies.files import daily_bars, write_bars

FRAME = pd.DataFrame(
    {
        "ts": pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-03"] * 2, tz="UTC"),
        "symbol": ["A"] * 3 + ["B"] * 3,
        "close": [10.0, 11.0, 22.0, 5.0, np.nan, 20.0],
    }
)
PANEL = hand_made_bars({"A": [10.0, 11.0, 22.0]})


def test_symbol_is_compared_from_close_to_close_and_holds_its_level_over_a_gap():
    np.testing.assert_allclose(benchmark_returns("A", FRAME, PANEL), [0.0, 0.1, 1.0])
    np.testing.assert_allclose(benchmark_returns("B", FRAME, PANEL), [0.0, 0.0, 3.0])


def test_universe_is_the_mean_of_all_symbols_also_of_those_that_are_not_traded():
    np.testing.assert_allclose(benchmark_returns("universe", FRAME, PANEL), [0.0, 0.05, 2.0])


def test_bar_before_the_first_one_gives_the_first_bar_a_return():
    later = PANEL.rows(slice(1, 3))
    np.testing.assert_allclose(benchmark_returns("A", FRAME, later), [0.1, 1.0])


def test_longer_bar_sees_the_last_close_inside_it():
    from datetime import timedelta

    long = replace(PANEL.rows(slice(0, 1)), bar_length=timedelta(days=2))
    first = FRAME.assign(ts=FRAME["ts"] - pd.Timedelta(days=1))
    np.testing.assert_allclose(benchmark_returns("A", first, long), [22.0 / 10.0 - 1.0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bars.csv", "bars.parquet"])
def test_column_of_a_tidy_file_is_a_price(tmp_path: Path, name: str):
    frame = daily_bars(20)
    days = frame["ts"].rank(method="dense")
    frame = frame.assign(index_level=100.0 * 1.01 ** (days - 1), note="text")
    path = write_bars(tmp_path, name)
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    found = find_bars(Wanted(file=path, benchmark="index_level"), Settings())
    assert found.benchmark is not None
    np.testing.assert_allclose(found.benchmark, [0.0, *[0.01] * 19], rtol=1e-9)
    with pytest.raises(ConfigError, match=r"'note': that column of bars.* has no numbers"):
        find_bars(Wanted(file=path, benchmark="note"), Settings())


def test_symbol_that_is_not_traded_can_be_the_benchmark(tmp_path: Path):
    path = write_bars(tmp_path, n=20)
    found = find_bars(Wanted(file=path, symbols=("AAA",), benchmark="BBB"), Settings())
    other = daily_bars(20).query("symbol == 'BBB'")["close"].to_numpy()
    assert found.panel.symbols == ("AAA",)
    assert found.benchmark is not None
    np.testing.assert_allclose(found.benchmark[1:], other[1:] / other[:-1] - 1.0, rtol=1e-9)


def test_name_of_nothing_gets_a_suggestion_and_what_there_is():
    with pytest.raises(ConfigError, match=r"did you mean 'universe'.* there are universe, A, B"):
        benchmark_returns("univers", FRAME, PANEL)


def test_index_of_a_venue_that_is_not_stored_names_the_command(tmp_path: Path):
    venue = load_venues(None)["sp500_demo"]
    settings = Settings(data_root=tmp_path)
    with pytest.raises(MissingCellError, match="backfill --venue sp500_demo --assets ref"):
        benchmark_returns("sp500_index", FRAME, PANEL, venue=venue, settings=settings)
