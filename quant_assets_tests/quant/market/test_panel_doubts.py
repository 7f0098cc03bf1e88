"""What bars hide is said: other calendars, ends, splits, prices outside of their range."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.panel_doubts import longest_run, panel_doubts

DAY = timedelta(days=1)
TS = np.datetime64("2024-01-01", "us") + np.arange(40) * np.timedelta64(1, "D")


def bars_of(**prices) -> BarPanel:
    n = prices["close"].shape[1]
    return BarPanel.from_arrays(TS, [chr(ord("A") + i) for i in range(n)], DAY, **prices)


def plain(n: int = 2) -> np.ndarray:
    return np.full((40, n), 100.0)


def test_whole_bars_have_no_doubts():
    assert panel_doubts(bars_of(close=plain()), 20) == ()


def test_a_symbol_that_rests_at_weekends_is_named_with_its_longest_run():
    close = plain()
    close[np.arange(40) % 7 >= 5, 1] = np.nan
    (line,) = panel_doubts(bars_of(close=close), 20)
    assert line.startswith("GAPS: B: never more than 5 bars in a row, and the warm-up is 20")
    (line,) = panel_doubts(bars_of(close=close), 4)  # the bar before a Monday's is none
    assert line.startswith("CLOSED: B: no bar in 25% of the rows, again and again")
    assert panel_doubts(bars_of(close=close)) == ()


def test_a_symbol_that_is_too_short_for_any_indicator_is_no_matter_of_gaps():
    close = plain()
    close[10:30, 0] = np.nan
    assert len(panel_doubts(bars_of(close=close), 25)) == 0


def test_a_symbol_that_ends_is_named_with_its_last_day():
    close = plain()
    close[30:, 0] = np.nan
    line, who = panel_doubts(bars_of(close=close))
    assert who.startswith("UNIVERSE: none was given, and A end before the bars do")
    assert line.startswith("ENDED: A: no price after 2024-01-30:")
    close[20:, 1] = np.nan
    line, _ = panel_doubts(bars_of(close=close))
    assert line.startswith("ENDED: A, B: no price after 2024-01-20 the first, 2024-01-30 the last:")
    close[:, 1] = 100.0
    close[30:36] = 100.0  # four days without a price are a weekend with holidays
    assert panel_doubts(bars_of(close=close)) == ()


def test_a_symbol_without_any_price_has_not_ended():
    close = plain()
    close[:, 0] = np.nan
    assert panel_doubts(bars_of(close=close)) == ()


@pytest.mark.parametrize(("factor", "said"), [(4.0, True), (0.5, True), (1.6, False), (2.5, False)])
def test_an_open_at_a_whole_part_of_the_close_before_may_be_a_split(factor, said):
    close = plain()
    close[20:, 1] /= factor
    lines = panel_doubts(bars_of(close=close, open=close))
    assert bool(lines) == said
    if said:
        told = f"SPLIT? B opens {100.0 / factor:g} at 2024-01-21T00:00 after a close of 100:"
        assert lines[0].startswith(told)


def test_prices_outside_of_their_bar_are_counted():
    close, opens = plain(), plain()
    opens[3, 1], opens[5, 0] = 120.0, 80.0
    high, low = np.full((40, 2), 101.0), np.full((40, 2), 99.0)
    (line,) = panel_doubts(bars_of(close=close, open=opens, high=high, low=low))
    assert line.startswith("OUTSIDE: B opens or closes outside of its range at 2024-01-04T00:00")
    assert "(2 such bars)" in line


def test_rounding_of_adjusted_prices_is_no_doubt():
    close = plain()
    assert panel_doubts(bars_of(close=close, open=close * (1 + 1e-9), high=close, low=close)) == ()


def test_many_symbols_are_named_in_short():
    close = plain(6)
    close[30:, :5] = np.nan
    line, _ = panel_doubts(bars_of(close=close))
    assert line.startswith("ENDED: A, B, C and 2 more: no price")


def test_one_bar_has_no_doubts():
    one = bars_of(close=plain()).rows(slice(0, 1))
    assert panel_doubts(one, 0) == ()


def test_a_symbol_of_five_days_beside_one_of_seven_is_told_without_a_warm_up_too():
    close = plain(3)
    close[(np.arange(40) % 7) > 4, 0] = np.nan
    close[:25, 2] = np.nan  # listed late, not closed
    (line,) = panel_doubts(bars_of(close=close), 1)
    assert line.startswith("CLOSED: A: no bar in 25% of the rows, again and again")
    close[(np.arange(40) % 7) > 4, 0] = 100.0
    close[[3, 9, 14], 0] = np.nan
    assert panel_doubts(bars_of(close=close), 1) == ()


def test_a_warm_up_that_the_bars_do_not_last_for_is_told():
    (line,) = panel_doubts(bars_of(close=plain()), 40)
    assert line == "SHORT: 40 bars, and a warm-up of 40: nothing was decided"
    assert panel_doubts(bars_of(close=plain()), 39) == ()


def test_longest_run_is_that_of_plain_counting():
    rng = np.random.default_rng(1)
    for _ in range(50):
        flags = rng.random(30) < 0.7
        words = "".join("1" if flag else "0" for flag in flags).split("0")
        assert longest_run(flags) == max(len(word) for word in words)
