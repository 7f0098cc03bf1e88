"""Lines by name, rows of one bar and of all, and the cache of a run."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.market.data_window import Replay
from quant_assets.quant.strategies.columns import Line, PanelRows, WindowRows, compute_lines
from quant_assets.quant.strategies.indicator_cache import IndicatorCache
from quant_assets_tests.quant.strategies.markets import random_bars


@pytest.fixture(scope="module")
def bars():
    return random_bars(60)


def test_line_is_known_by_indicator_parameters_columns_and_output():
    lower = Line(BollingerBands(20, 2.0), "lower")
    assert lower.key == "BollingerBands(n=20, k=2.0)(close).lower"
    assert lower == Line(BollingerBands(), "lower")
    assert lower != Line(BollingerBands(), "upper")
    assert Line(Sma(5)) != Line(Sma(5).on("volume"))
    assert len({Line(Sma(5)), Line(Sma(5)), Line(Sma(5).on("volume"))}) == 2
    with pytest.raises(ConfigError, match="it has upper, middle, lower"):
        Line(BollingerBands(), "low")
    with pytest.raises(ConfigError, match="has no line ''"):
        Line(BollingerBands())


def test_lines_are_what_the_indicators_compute(bars):
    lines = [Line(BollingerBands(5), "upper"), Line(Sma(3).on("volume")), Line(Sma(3))]
    found = compute_lines(lines, bars)
    assert list(found) == [line.key for line in lines]
    np.testing.assert_array_equal(found[lines[0].key], BollingerBands(5).compute(bars.close).upper)
    np.testing.assert_array_equal(found[lines[1].key], Sma(3).compute(bars.volume))
    np.testing.assert_array_equal(found[lines[2].key], Sma(3).compute(bars.close))


def test_rows_before_are_the_rows_shifted_down(bars):
    rows = PanelRows(bars)
    np.testing.assert_array_equal(rows.before("close", 2)[2:], bars.close[:-2])
    assert np.isnan(rows.before("close", 2)[:2]).all()
    assert np.isnan(rows.before("close", 60)).all()
    np.testing.assert_array_equal(rows[Line(Sma(4))], Sma(4).compute(bars.close))


def test_rows_of_one_bar_rank_the_members_of_that_bar(bars):
    spans = [(symbol, bars.ts[30 * (n % 2)], None) for n, symbol in enumerate(bars.symbols)]
    lived = bars.with_universe(pd.DataFrame(spans, columns=["symbol", "entered", "left"]))
    known = lived.available_at
    replay = Replay(lived.panels(), available_at=known, decided_at=known)
    every = PanelRows(lived)
    assert 0 < every.members.sum() < every.members.size
    for row in (28, 29, 30, 59):
        rows = WindowRows(replay.window(row))
        np.testing.assert_array_equal(rows.members, every.members[[row]])
        np.testing.assert_array_equal(rows.among(rows["close"]), every.among(lived.close)[[row]])


def test_cache_forgets_nothing_that_fits_and_the_oldest_of_what_does_not(bars):
    size = bars.close.nbytes
    cache = IndicatorCache(max_bytes=2 * size)
    for n in (2, 3, 2, 4, 2, 3):  # 4 displaces 3, because 2 was used after it
        compute_lines([Line(Sma(n))], bars, cache)
    assert (cache.hits, cache.misses) == (2, 4)


def test_cache_tells_other_bars_and_columns_apart(bars):
    cache = IndicatorCache()
    other = random_bars(60, seed=4)
    for data in (bars, other, bars.rows(slice(0, 60)), bars):
        found = compute_lines([Line(Sma(7))], data, cache)
        np.testing.assert_array_equal(found[Line(Sma(7)).key], Sma(7).compute(data.close))
    assert (cache.hits, cache.misses) == (2, 2)  # an equal copy of the bars is the same data
    compute_lines([Line(Sma(7).on("volume"))], bars, cache)
    assert cache.misses == 3


def test_cached_lines_cannot_be_written_to(bars):
    found = compute_lines([Line(Sma(7))], bars, IndicatorCache())
    with pytest.raises(ValueError, match="read-only"):
        found[Line(Sma(7)).key][0] = 1.0
    with pytest.raises(ConfigError, match="above 0"):
        IndicatorCache(max_bytes=0)
