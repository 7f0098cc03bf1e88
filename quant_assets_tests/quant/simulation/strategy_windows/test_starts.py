"""Files with a first day: windows are the run over all bars that begins there, to the bit."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.strategy_windows.reading import chosen_rows, strategy_of
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    moment,
    values_of,
    walked,
    walked_back,
    whole,
    windows_of,
)
from quant_assets_tests.quant.simulation.strategy_windows.test_history import (
    BOUNDED,
    HEAD,
    LONGER,
    only_bar_by_bar,
)
from quant_assets_tests.quant.simulation.strategy_windows.test_windows import (
    FILES,
    assert_same_run,
    one_run,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

BEGIN = moment(2022, 5, 11)  # in the fifth of the months
DATED = 'backtest: {start_date: "2022-05-11"}\n'
EVERY = {
    "plain": FILES["plain"],  # remembers everything
    "at close": FILES["at close"],
    "cross": BOUNDED["cross"],  # remembers a few bars
    "costs": BOUNDED["costs"],
}


def filled(found: list[dict[str, pd.DataFrame]]) -> list[dict[str, pd.DataFrame]]:
    return [one for one in found if len(one["equity"])]


@pytest.mark.parametrize("name", EVERY)
def test_windows_make_up_the_run_that_begins_on_the_first_day(name: str):
    bars = random_bars(rows=330, holes=0.03, seed=11)
    text, frame = EVERY[name] + DATED, bars_frame(bars)
    run = one_run(text, bars, start=BEGIN)
    assert run.n_trades > 3
    assert run.first_bar == 128
    found, read = walked_back(text, frame, windows_of(bars), facts=market())
    assert [one["equity"].empty for one in found] == [True] * 4 + [False] * 7
    assert_same_run(filled(found), run)
    assert read[:4] == [3 * n for n in (29, 28, 31, 30)], "a window before the day reads its own"
    assert all(frame.empty for one in found[:4] for frame in one.values())
    signals = whole(found, "signals")
    assert signals["ts"].min() >= pd.Timestamp(BEGIN)
    cut = one_run(EVERY[name], bars.rows(slice(128, None)))
    assert cut.equity["equity"].tolist() != run.equity["equity"].tolist(), "warm from the start on"


def test_weeks_make_up_the_same_run():
    bars = random_bars(rows=200, seed=11)
    text = EVERY["costs"] + DATED
    found, _ = walked_back(text, bars_frame(bars), windows_of(bars, "weekly"), facts=market())
    assert_same_run(filled(found), one_run(text, bars, start=BEGIN))


@pytest.mark.parametrize("name", ["plain", "cross"])
def test_each_independent_window_begins_warm(name: str):
    bars = random_bars(rows=200, seed=9)
    text, frame, months = EVERY[name] + DATED, bars_frame(bars), windows_of(bars)
    given = {"facts": market(), "mode": "independent"}
    found, read = walked_back(text, frame, months, **given)
    everything = walked(text, frame, months, **given)
    for one, other in zip(found, everything, strict=True):
        for part, rows in one.items():
            pd.testing.assert_frame_equal(rows, other[part])
    begun = filled(found)[0]
    run = one_run(text, bars.rows(slice(0, 149)), start=BEGIN)  # up to the end of May
    assert_same_run([begun], run)
    assert [one["equity"].empty for one in found] == [True] * 4 + [False] * 3
    assert read[0] == 29 * 3


@pytest.mark.parametrize("mode", ["carry", "independent"])
def test_strategies_that_decide_bar_by_bar_begin_on_the_first_day(monkeypatch, mode: str):
    only_bar_by_bar(monkeypatch, seed=1)
    bars = random_bars(rows=200, seed=9)
    text = FILES["plain"] + DATED
    found = filled(walked(text, bars_frame(bars), windows_of(bars), facts=market(), mode=mode))
    last = len(bars) if mode == "carry" else 149
    run = one_run(text, bars.rows(slice(0, last)), form="bar", start=BEGIN)
    assert_same_run(found if mode == "carry" else found[:1], run)
    assert found[0]["equity"]["ts"].iloc[0] == pd.Timestamp(BEGIN)


def test_longer_bars_inside_of_a_rule_are_warm_on_the_first_day():
    bars = random_bars(rows=24 * 100, days=1 / 24, seed=6)
    text = HEAD + LONGER + 'backtest: {start_date: "2022-03-20"}\n'
    run = one_run(text, bars, start=moment(2022, 3, 20))
    found, _ = walked_back(text, bars_frame(bars), windows_of(bars), facts=market(bar_length="1h"))
    assert run.n_trades > 3
    assert_same_run(filled(found), run)


def test_symbols_that_ended_before_the_first_day_are_none_of_the_run():
    bars = random_bars(rows=200, seed=9)
    frame = bars_frame(bars)
    ended = (frame["symbol"] == "B") & (frame["ts"] >= pd.Timestamp(2022, 5, 1, tz="UTC"))
    late = (frame["symbol"] == "C") & (frame["ts"] < pd.Timestamp(2022, 6, 9, tz="UTC"))
    left = frame[~ended & ~late].reset_index(drop=True)
    settings = strategy_of(values_of(FILES["plain"] + DATED)).settings.backtest
    assert set(chosen_rows(left, settings)["symbol"]) == {"A", "C"}
    assert set(chosen_rows(left, settings, ["B"])["symbol"]) == {"A", "B", "C"}
    assert chosen_rows(left[left["ts"] < pd.Timestamp(BEGIN)], settings).empty
    months = windows_of(bars)
    found = filled(walked(FILES["plain"] + DATED, left, months, facts=market()))
    back = filled(walked_back(FILES["plain"] + DATED, left, months, facts=market())[0])
    listed = [set(one["state"].query("part == 'listed'")["symbol"]) for one in found]
    assert listed == [{"A"}, {"A", "C"}, {"A", "C"}]
    for one, other in zip(found, back, strict=True):
        for part, rows in one.items():
            pd.testing.assert_frame_equal(rows, other[part])
    named = FILES["plain"] + DATED[:-2] + ", universe: [A, B, C]}\n"
    panel = BarPanel.from_frame(left.drop(columns="is_gap"), bar_length=timedelta(days=1))
    run = one_run(named, panel, start=BEGIN)
    assert_same_run(filled(walked(named, left, months, facts=market())), run)


def test_first_days_before_and_after_all_bars():
    bars = random_bars(rows=90, seed=9)
    frame, months = bars_frame(bars), windows_of(bars)
    before = FILES["plain"] + 'backtest: {start_date: "2021-05-11"}\n'
    assert_same_run(walked(before, frame, months, facts=market()), one_run(before, bars))
    after = FILES["plain"] + 'backtest: {start_date: "2023-05-11"}\n'
    assert filled(walked_back(after, frame, months, facts=market())[0]) == []
    none = np.array([len(one["state"]) for one in walked(after, frame, months, facts=market())])
    assert (none == 0).all()
