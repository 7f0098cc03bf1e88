"""The point-in-time universe."""

import pandas as pd
import pytest

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.universe import Universe
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.market.universe import universe_window
from quant_assets_tests.quant.market.frames import bars_frame, discovery, random_bars

NAN = float("nan")


def make(bars, *, stale=5, **market):
    context = discovery(rules={"max_stale_bars": stale}, **market)
    return Universe.check_frame(
        universe_window(context, NullTelemetry(), bars=bars), where="universe"
    )


def test_first_last_and_count_leave_gap_rows_out():
    frame = make(bars_frame({"A": [NAN, 1.0, NAN, 2.0, NAN], "B": [1.0] * 5}, start="2020-01-01"))
    own = frame.iloc[0]
    assert (own.symbol, own.first_bar.day, own.last_bar.day, own.n_bars) == ("A", 2, 4, 2)
    assert frame.n_bars.tolist() == [2, 5]
    assert (frame.decided_at == pd.Timestamp("2020-02-01", tz="UTC")).all()


@pytest.mark.parametrize(
    ("stale", "rows_without_bar", "is_listed"),
    [
        (5, 0, True),
        (5, 4, True),
        (5, 5, False),
        (1, 0, True),
        (1, 1, False),
        (0, 0, True),
        (0, 1, False),
    ],
)
def test_listed_needs_a_bar_among_the_last_grid_rows(stale, rows_without_bar, is_listed):
    closes = [1.0] * (10 - rows_without_bar)
    bars = bars_frame({"A": closes, "B": [1.0] * 10}, start="2020-01-01")
    assert make(bars, stale=stale).is_listed.tolist() == [is_listed, True]


def test_trailing_gap_rows_do_not_keep_a_name_listed():
    bars = bars_frame({"A": [1.0, NAN, NAN], "B": [1.0, 1.0, 1.0]}, start="2020-01-01")
    assert make(bars, stale=2).is_listed.tolist() == [False, True]


def test_delisted_name_stays_in_the_universe():
    bars = bars_frame({"DEAD": [1.0] * 3, "LIVE": [1.0] * 30}, start="2020-01-01")
    frame = make(bars)
    assert frame.symbol.tolist() == ["DEAD", "LIVE"]
    assert frame.is_listed.tolist() == [False, True]


def test_symbol_with_gap_rows_only_is_not_known():
    bars = bars_frame({"A": [NAN, NAN], "B": [1.0, 1.0]}, start="2020-01-01")
    assert make(bars).symbol.tolist() == ["B"]


def test_universe_equals_a_groupby():
    bars = random_bars(31, 9, missing=0.4, start="2020-01-01", seed=5)
    frame = make(bars)
    groups = bars.groupby("symbol").ts
    assert frame.first_bar.tolist() == groups.min().tolist()
    assert frame.last_bar.tolist() == groups.max().tolist()
    assert frame.n_bars.tolist() == groups.count().tolist()


def test_no_bars_give_the_empty_contract():
    assert len(make(Bars.empty())) == 0
    assert len(make(bars_frame({"A": [NAN, NAN]}, start="2020-01-01"))) == 0
