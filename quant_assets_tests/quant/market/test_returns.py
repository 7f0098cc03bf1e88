"""Simple returns against pandas."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.returns import Returns
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.returns import (
    equal_weight_market,
    returns_window,
    simple_returns,
)
from quant_assets_tests.quant.market.frames import (
    bars_frame,
    discovery,
    ingestion,
    random_bars,
    returns_frame,
    window,
)

TELEMETRY = NullTelemetry()
HOUR = timedelta(hours=1)
NAN = float("nan")


def make(bars, **market):
    frame = returns_window(discovery(**market), TELEMETRY, bars=bars)
    return Returns.check_frame(frame, where="returns")


def test_first_row_ever_is_missing_and_never_zero():
    frame = make(bars_frame({"A": [10.0, 11.0, 11.0]}))
    assert np.isnan(frame.returns[0])
    assert frame.returns[1:].tolist() == [pytest.approx(0.1), 0.0]


def test_first_row_of_the_window_looks_back_into_history():
    frame = make(bars_frame({"A": [8.0, 10.0, 11.0]}, start="2020-01-30"))
    assert frame.ts.tolist() == [pd.Timestamp("2020-02-01", tz="UTC")]
    assert frame.returns.tolist() == [pytest.approx(0.1)]


def test_return_next_to_a_gap_is_missing():
    frame = make(bars_frame({"A": [10.0, NAN, 12.0, 15.0], "B": [1.0, 2.0, 3.0, 4.0]}))
    own = frame[frame.symbol == "A"].returns.tolist()
    assert np.isnan(own[:3]).all()
    assert own[3] == pytest.approx(0.25)


def test_symbol_without_a_row_gets_none_and_a_missing_return_after():
    frame = make(bars_frame({"A": [10.0, None, 12.0], "B": [1.0, 2.0, 3.0]}))
    assert frame[frame.symbol == "A"].ts.dt.day.tolist() == [1, 3]
    assert frame[frame.symbol == "A"].returns.isna().all()


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_returns_equal_pandas_pct_change(missing):
    bars = random_bars(60, 7, missing=missing, start="2020-01-05", seed=3)
    expected = returns_frame(bars)
    inside = (expected.ts >= window().start) & (expected.ts < window().end)
    expected = expected[inside].reset_index(drop=True)
    pd.testing.assert_frame_equal(make(bars), expected, rtol=1e-12, atol=0.0)


def test_outage_of_all_symbols_at_the_window_edge_leaves_no_return_over_it():
    closes = {"A": [10.0, None, 12.0, 13.0]}
    bars = bars_frame(closes, start="2020-01-31 22:00", step=HOUR)
    always_open = make(bars, calendar="24/7", bar_length=HOUR)
    assert always_open.returns.isna().tolist() == [True, False]
    exchange = make(bars, bar_length=HOUR)
    assert exchange.returns.tolist() == [pytest.approx(0.2), pytest.approx(1 / 12)]


def test_gap_rows_of_clean_bars_have_missing_returns():
    raw = random_bars(500, 4, missing=0.1, step=HOUR)
    how = {"calendar": "24/7", "bar_length": HOUR}
    bars = clean_bars(ingestion(**how), TELEMETRY, raw_bars=raw)
    frame = make(bars, **how)
    assert len(frame) == len(bars)
    assert frame.returns[bars.is_gap.to_numpy()].isna().all()


def test_return_is_known_when_the_later_of_its_two_bars_is():
    bars = bars_frame({"A": [10.0, 11.0, 12.0]})
    late = pd.Timestamp("2020-02-09", tz="UTC")
    bars.loc[0, "available_at"] = late
    frame = make(bars)
    assert frame.available_at.tolist() == [late, late, pd.Timestamp("2020-02-04", tz="UTC")]


def test_more_history_changes_nothing():
    bars = random_bars(90, 3, missing=0.1, start="2019-12-01", seed=9)
    short = bars[bars.ts >= pd.Timestamp("2020-01-25", tz="UTC")].reset_index(drop=True)
    pd.testing.assert_frame_equal(make(bars), make(short), check_exact=True)


def test_empty_inputs_give_the_empty_contract():
    assert len(make(Bars.empty())) == 0
    assert len(make(bars_frame({"A": [1.0, 2.0]}, start="2020-01-01"))) == 0


def test_simple_returns_of_one_row_are_missing():
    ts = pd.DatetimeIndex(["2020-01-01"], tz="UTC")
    assert np.isnan(simple_returns(Panel(np.ones((1, 2)), ts, ("A", "B")))).all()
    assert simple_returns(Panel(np.ones((0, 2)), ts[:0], ("A", "B"))).shape == (0, 2)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_returns_do_not_depend_on_the_price_scale(scale):
    closes = {"A": [10.0, 11.0, 9.9]}
    frame = make(bars_frame({"A": [scale * v for v in closes["A"]]}))
    np.testing.assert_allclose(frame.returns, [NAN, 0.1, -0.1], rtol=1e-12)


def test_market_is_the_mean_of_the_returns_present():
    returns = np.array([[NAN, NAN], [0.1, NAN], [0.1, 0.3]])
    np.testing.assert_allclose(equal_weight_market(returns), [NAN, 0.1, 0.2])
