"""Ranks, means and the calendar by hand; rules that are about days and hours."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import (
    PairStrategy,
    Spread,
    StrategyTester,
    best,
    count_of,
    equal_parts,
    hand_made_bars,
    make_strategy,
    ranked_weights,
    trailing_mean,
    turns,
)

NAN = float("nan")


def bars_from(first, n, *, hours=24.0):
    """Closes that rise by 1, from a day on."""
    step = timedelta(hours=hours)
    ts = np.datetime64(first, "us") + np.arange(n) * np.timedelta64(step)
    return BarPanel.from_arrays(ts, ["ONE"], step, close=10.0 + np.arange(n))


def days_on(name, first, n, parameters=None):
    """Days on whose close the strategy wants to hold."""
    bars = bars_from(first, n)
    rows = StrategyTester(make_strategy(name, parameters), bars).when("entry_long")
    return [str(bars.ts[row].astype("datetime64[D]")) for row in rows]


def test_best_takes_equals_of_the_last_one_and_no_unknown():
    scores = np.array([[3.0, 1.0, 2.0, 2.0], [NAN, 1.0, NAN, 5.0], [NAN] * 4])
    expected = [[True, False, True, True], [False, True, False, True], [False] * 4]
    np.testing.assert_array_equal(best(scores, 2), expected)
    np.testing.assert_array_equal(best(scores, np.array([1, 1, 1]))[:2].sum(axis=1), [1, 1])


def test_count_is_rounded_down_and_at_least_one():
    scores = np.zeros((1, 10))
    assert [int(count_of(scores, share)[0]) for share in (0.01, 0.3, 0.39, 0.5)] == [1, 3, 3, 5]
    assert int(count_of(np.full((1, 3), NAN), 0.5)[0]) == 1


def test_weights_of_ranks_are_one_in_sum_or_half_and_half():
    scores = np.array([[4.0, 3.0, 2.0, 1.0], [5.0, NAN, NAN, NAN], [1.0, 1.0, NAN, NAN]])
    long = [[0.5, 0.5, 0.0, 0.0], [0.0] * 4, [0.5, 0.5, 0.0, 0.0]]
    both = [[0.25, 0.25, -0.25, -0.25], [0.0] * 4, [0.0] * 4]
    np.testing.assert_array_equal(ranked_weights(scores, 0.5, "long"), long)
    np.testing.assert_array_equal(ranked_weights(scores, 0.5, "both"), both)
    np.testing.assert_array_equal(
        equal_parts(np.array([[True, True], [False, False]])), [[0.5, 0.5], [0, 0]]
    )


def test_trailing_mean_is_of_what_is_known():
    values = np.array([[NAN], [2.0], [4.0], [NAN], [NAN], [NAN]])
    expected = [[NAN], [2.0], [3.0], [3.0], [4.0], [NAN]]
    np.testing.assert_array_equal(trailing_mean(values, 3), expected)
    assert trailing_mean(np.empty((0, 2)), 3).shape == (0, 2)


@pytest.mark.parametrize(
    ("period", "expected"),
    [("month", [4]), ("week", [2]), ("day", [1, 2, 3, 4, 5, 6, 7])],
)
def test_periods_turn_on_their_first_bar_and_never_on_the_first_of_all(period, expected):
    bars = bars_from("2024-12-28", 8)  # a Saturday
    assert np.flatnonzero(turns(bars, period)[:, 0]).tolist() == expected


def test_turn_of_month_is_entered_for_the_last_weekday_and_left_after_the_third():
    held = days_on("turn_of_month", "2024-01-22", 20)
    # 31 January is a Wednesday: held over it, and over 1, 2 and 5 February.
    assert held == [
        "2024-01-30",
        "2024-01-31",
        "2024-02-01",
        "2024-02-02",
        "2024-02-03",
        "2024-02-04",
    ]


def test_halloween_begins_with_november_and_ends_with_april():
    assert days_on("halloween", "2023-10-29", 6) == [
        "2023-10-31",
        "2023-11-01",
        "2023-11-02",
        "2023-11-03",
    ]
    assert days_on("halloween", "2024-04-28", 5) == ["2024-04-28", "2024-04-29"]
    summer = {"first": 6, "last": 8}
    assert days_on("halloween", "2024-05-30", 4, summer) == [
        "2024-05-31",
        "2024-06-01",
        "2024-06-02",
    ]


def test_opening_range_is_that_of_the_first_hour_and_left_before_the_day_ends():
    day = [(10, 12, 8, 11), (11, 13, 10, 13)] + [(13, 13, 13, 13)] * 21 + [(13, 13, 7, 7)]
    bars = hand_made_bars({"ONE": [*day, *day]}, bar_length=timedelta(hours=1))
    tester = StrategyTester(make_strategy("opening_range"), bars)
    assert tester.when("entry_long") == [*range(1, 22), *range(25, 46)]
    assert tester.when("exit_long") == [22, 23, 46, 47]
    assert tester.when("entry_short") == []


def test_gap_that_the_bar_closed_is_not_faded():
    series = {"ONE": [(10, 10, 10, 10), (9, 9.5, 9, 9.2), (9, 9.4, 9, 9.3), (8, 10, 8, 9.5)]}
    tester = StrategyTester.on(make_strategy("gap_fade", {"gap": 0.05}), series)
    assert tester.when("entry_long") == [1]
    level = tester.strategy.plan(tester.bars).exits.level
    assert level[0, 1, 0] == pytest.approx(0.8)
    assert level[1, 1, 0] == 5.0


def test_internal_bar_strength_says_nothing_of_a_bar_without_a_range():
    series = {"ONE": [(5, 5, 5, 5), (5, 10, 0.5, 1), (5, 10, 0.5, 9.9), (5, 10, 0.5, 5)]}
    tester = StrategyTester.on(make_strategy("internal_bar_strength"), series)
    assert (tester.when("entry_long"), tester.when("exit_long")) == ([1], [2])


def test_dual_momentum_leaves_the_part_of_a_faller_in_cash():
    ts = np.datetime64("2024-01-30", "us") + np.arange(4) * np.timedelta64(1, "D")
    close = np.array([[10.0, 10.0, 10.0], [11.0, 9.0, 10.5], [12.0, 9.0, 11.0], [12.0, 9.0, 11.0]])
    bars = BarPanel.from_arrays(ts, ["A", "B", "C"], timedelta(days=1), close=close)
    weights = make_strategy("dual_momentum", {"lookback": 1, "top": 3}).signals(bars).target
    assert np.isnan(weights[[0, 1, 3]]).all()
    np.testing.assert_allclose(weights[2], [1 / 3, 0.0, 1 / 3])


@dataclass(frozen=True, kw_only=True)
class Given(PairStrategy):
    """A pair whose spread is known in advance."""

    name: ClassVar[str] = "given"
    source: ClassVar[str] = "by hand"

    def spread(self, y, x, bars):
        z, traded = [0.0, -2.0, -4.0, 2.0, -2.0, 0.5], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0]
        return Spread(np.array(z), np.full(6, 3.0), np.array(traded))


def test_spread_of_a_pair_is_bought_low_and_left_at_the_mean_and_beyond_the_stop():
    bars = hand_made_bars({"X": [10.0] * 6, "Y": [10.0] * 6})
    tester = StrategyTester(Given(entry=1.0, stop=3.0), bars)
    assert tester.when("entry_long", "X") == tester.when("entry_short", "Y") == [1]
    assert tester.when("entry_short", "X") == tester.when("entry_long", "Y") == [3]
    assert tester.when("exit_long", "X") == tester.when("exit_short", "Y") == [0, 2, 3, 4, 5]
    assert tester.when("exit_short", "X") == tester.when("exit_long", "Y") == [0, 1, 2, 4]
    sizes = tester.strategy.plan(bars).sizes.size
    np.testing.assert_allclose(sizes[[0, 4]], [[0.25, 0.75], [0.5, 0.5]])
